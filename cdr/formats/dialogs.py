"""SIP accounting rows to dialogs: which rows of a file belong to one call.

Rows are joined by call id and tags, over the blocks of a file, so that the result
does not depend on where a block ends. What a dialog means is the business of
:mod:`cdr.formats.opensips_acc`.

A dialog is closed by a BYE, or by a row that tells its length; an attempt without a 2xx
answer was never open. A closed one takes in what follows within `REACH_ROWS` rows
(repeated rows, the INVITE's 487 after a CANCEL); what comes later is another dialog.
Open ones wait for their BYE to the end of the file.
"""

from __future__ import annotations

import polars as pl

from cdr.detach import detached

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
            tag), `closes` (Boolean: it tells how long the call was) and whatever else
            the caller needs; always the same columns.
        last_line : int
            Line up to which the file was read.

        Returns
        -------
        pl.DataFrame
            These columns and `kind` (`ok`: an INVITE answered 2xx; `failed`: another
            INVITE; `bye`, `cancel`, `other`), `dialog` (first line of the dialog) and
            `part` (0; counts up where a dialog has more than `MAX_ROWS` rows).
        """
        grouped = self._grouped(rows, last_line)
        self._waiting = detached(grouped.filter("waits").select(rows.columns).sort("line"))
        return grouped.filter(~pl.col("waits")).drop("waits")

    def rest(self) -> pl.DataFrame | None:
        """Return the rows that still wait at the end of the file, as `add` does."""
        if self._waiting is None:
            return None
        return self._grouped(self._waiting.clear(), last_line=0).drop("waits")

    def _grouped(self, new: pl.DataFrame, last_line: int) -> pl.DataFrame:
        """Add `kind`, `dialog`, `part` and `waits` to the waiting and the new rows."""
        rows = new if self._waiting is None else pl.concat([self._waiting, new])
        rows = rows.with_columns(kind=_kind(), ends=_ends_key()).sort("ends", "line")
        group = _group_numbers(rows, self._reach_rows)
        groups = _joined_attempts(_groups_of(rows, group), self._reach_rows)
        still = pl.col("last") > last_line - self._reach_rows
        groups = groups.sort("group").select("dialog", waits=pl.col("open") | still)
        rows = pl.concat([rows.drop("ends"), groups[group]], how="horizontal")
        position = pl.int_range(pl.len()).over("dialog", order_by="line")
        crowded = rows["dialog"].unique_counts().max()
        return rows.with_columns(
            part=position // MAX_ROWS if isinstance(crowded, int) and crowded > MAX_ROWS else 0
        )


def _group_numbers(rows: pl.DataFrame, reach_rows: int) -> pl.Series:
    """Give each row the number of its dialog; rows are sorted by ends and line.

    Rows with the same ends are one dialog, until it is closed and out of reach. Each
    round splits one more dialog off all ends; dialogs of the same ends are at least
    `reach_rows` rows apart, so the rounds are few.
    """
    ok, bye = rows["kind"] == "ok", (rows["kind"] == "bye") | rows["closes"]
    late = (rows["line"].diff() > reach_rows).fill_null(False)
    starts = (rows["ends"] != rows["ends"].shift()).fill_null(True)
    while True:
        closed = _seen_before(bye, starts) | ~_seen_before(ok, starts)
        splits = late & closed & ~starts
        if not splits.any():
            return starts.cum_sum() - 1
        starts = starts | (splits & ~_seen_before(splits, starts))


def _seen_before(mark: pl.Series, starts: pl.Series) -> pl.Series:
    """Tell whether an earlier row of the same run is marked; runs begin where `starts` is set."""
    frame = pl.DataFrame({"mark": mark, "starts": starts})
    before = pl.col("mark").cast(pl.Int64).cum_sum() - pl.col("mark")
    at_start = pl.when("starts").then(before).forward_fill()
    return frame.select(before > at_start).to_series()


def _groups_of(rows: pl.DataFrame, group: pl.Series) -> pl.DataFrame:
    """Sum up each group: its lines, whether it is still open, whether it never was."""
    kind = pl.col("kind")
    has = {name: (kind == name).any() for name in ("ok", "bye", "failed", "cancel")}
    return rows.group_by(group.set_sorted().alias("group"), maintain_order=True).agg(
        pl.col("line").first().alias("dialog"),
        pl.col("line").last().alias("last"),
        pl.col("line").filter(kind.is_in(["failed", "cancel"])).first().alias("tried"),
        pl.struct(pl.col("callid", "from_tag").first()).hash().alias("caller"),
        open=has["ok"] & ~has["bye"] & ~pl.col("closes").any(),
        attempt=~has["ok"] & ~has["bye"] & (has["failed"] | has["cancel"]),
    )


def _joined_attempts(groups: pl.DataFrame, reach_rows: int) -> pl.DataFrame:
    """Join what was never answered by call id and caller's tag: a CANCEL has no other.

    An attempt is near the one before it if its first failed INVITE or CANCEL is; rows of
    other methods before that do not count, since until then it was no attempt.
    """
    attempts = groups.filter("attempt").sort("caller", "tried")
    reached = pl.col("last").cum_max().shift() + reach_rows
    run = (pl.col("tried") > reached).fill_null(False).cum_sum().over("caller")
    attempts = attempts.with_columns(run=run).with_columns(
        pl.col("dialog").min().over("caller", "run"), pl.col("last").max().over("caller", "run")
    )
    return pl.concat([groups.filter(~pl.col("attempt")), attempts.drop("run")])


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
