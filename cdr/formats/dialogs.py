"""SIP accounting rows to dialogs: which rows of a file belong to one call.

Rows are joined by call id and tags, over the blocks of a file, so that the result
does not depend on where a block ends. What a dialog means is the business of
:mod:`cdr.formats.opensips_acc`.

A dialog is closed by a BYE; an attempt without a 2xx answer was never open. A closed
one takes in what follows within `REACH_ROWS` rows (repeated rows, the INVITE's 487
after a CANCEL); what comes later is another dialog. Open ones wait for their BYE to
the end of the file.
"""

from __future__ import annotations

import polars as pl

REACH_ROWS = 10_000
"""Rows within which a closed dialog still takes rows in. Ours: SIP repeats a request for
32 s at most (RFC 3261, 64*T1), and a proxy writes some hundred rows a second."""

MAX_ROWS = 1_000
"""Rows of one dialog that are joined. Ours: a session timer of 15 s over a 3-hour call
gives 720; more than that is a loop."""


class Dialogs:
    """Groups rows block by block; holds only dialogs that may still grow.

    Parameters
    ----------
    reach_rows : int, default=REACH_ROWS
        Rows within which a closed dialog still takes rows in.
    """

    def __init__(self, reach_rows: int = REACH_ROWS) -> None:
        self._reach_rows = reach_rows
        self._waiting: pl.DataFrame | None = None

    def add(self, rows: pl.DataFrame, last_line: int) -> pl.DataFrame:
        """Take the next rows and return those of dialogs that are complete.

        Parameters
        ----------
        rows : pl.DataFrame
            `line`, `method`, `sip_code`, `callid`, `from_tag`, `to_tag` (null is no
            tag) and whatever else the caller needs; always the same columns.
        last_line : int
            Line up to which the file was read.

        Returns
        -------
        pl.DataFrame
            These columns and `kind` (`ok`: an INVITE answered 2xx; `failed`: another
            INVITE; `bye`, `cancel`, `other`), `dialog` (first line of the dialog) and
            `part` (0; counts up where a dialog has more than `MAX_ROWS` rows).
        """
        grouped = self._grouped(rows)
        kind = pl.col("kind")
        closed = (kind == "bye").any() | (kind != "ok").all()
        still = pl.col("line").max() > last_line - self._reach_rows
        waits = grouped.select((~closed | still).over("dialog")).to_series()
        self._waiting = grouped.filter(waits).select(rows.columns).sort("line")
        return grouped.filter(~waits)

    def rest(self) -> pl.DataFrame | None:
        """Return the rows that still wait at the end of the file, as `add` does."""
        return None if self._waiting is None else self._grouped(self._waiting.clear())

    def _grouped(self, new: pl.DataFrame) -> pl.DataFrame:
        rows = new if self._waiting is None else pl.concat([self._waiting, new])
        rows = rows.with_columns(kind=_kind(), key=_ends_key()).sort("key", "line")
        rows = self._with_runs(rows)
        group = ("key", "run")
        established = pl.col("kind").is_in(["ok", "bye"]).any().over(group)
        attempted = pl.col("kind").is_in(["failed", "cancel"]).any().over(group)
        rows = rows.with_columns(
            attempt=~established & attempted,
            caller_tag=pl.col("from_tag").first().over(group),
            dialog=pl.col("line").min().over(group),
        )
        rows = pl.concat([rows.filter(~pl.col("attempt")), self._attempts(rows)])
        size = pl.int_range(pl.len()).over("dialog", order_by="line")
        return rows.with_columns(part=size // MAX_ROWS).drop(*group, "attempt", "caller_tag")

    def _with_runs(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Tell dialogs with the same ends apart: after one is closed and out of reach.

        Each round splits one more dialog off every pair of ends; the rounds are few,
        since dialogs of one pair are at least `reach_rows` rows apart.
        """
        rows = rows.with_columns(run=pl.lit(0))
        group = ("key", "run")
        gap = pl.col("line").diff().over(group) > self._reach_rows
        closed = (pl.col("kind") == "bye").cum_max() | ~(pl.col("kind") == "ok").cum_max()
        while True:
            splits = rows.select(gap.fill_null(False) & closed.shift().over(group)).to_series()
            if not splits.any():
                return rows
            later = (
                splits.to_frame("split")
                .with_columns(rows.select(group))
                .select(pl.col("split").cum_max().over(group))
            )
            rows = rows.with_columns(run=pl.col("run") + later.to_series())

    def _attempts(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Join what was never answered by call id and caller's tag: a CANCEL has no other."""
        rows = rows.filter("attempt").with_columns(key=pl.struct("callid", "caller_tag").hash())
        rows = rows.sort("key", "line")
        parted = (pl.col("line").diff().fill_null(0) > self._reach_rows).cum_sum()
        rows = rows.with_columns(run=parted.over("key").cast(pl.Int32))
        return rows.with_columns(dialog=pl.col("line").min().over("key", "run"))


def _kind() -> pl.Expr:
    method = pl.col("method").str.to_uppercase()
    answered = pl.col("sip_code").str.contains(r"^2\d\d$").fill_null(False)
    return (
        pl.when(method == "INVITE")
        .then(pl.when(answered).then(pl.lit("ok")).otherwise(pl.lit("failed")))
        .when(method == "BYE")
        .then(pl.lit("bye"))
        .when(method == "CANCEL")
        .then(pl.lit("cancel"))
        .otherwise(pl.lit("other"))
    )


def _ends_key() -> pl.Expr:
    """Hash the call id and both tags; either end may send a request, so in any order."""
    ends = pl.col("from_tag").fill_null(""), pl.col("to_tag").fill_null("")
    return pl.struct(
        pl.col("callid"),
        pl.min_horizontal(ends).alias("low"),
        pl.max_horizontal(ends).alias("high"),
    ).hash()
