"""Sums of lines: by account, by destination, and of all; each per currency.

Added up as lines come, so that a period needs no more memory than its accounts and
destinations.
"""

from __future__ import annotations

import polars as pl

_SUM = pl.Decimal(38, 6)

_SUMS = {
    "lines": pl.Int64(),
    "duration_ms": pl.Int64(),
    "billed_s": pl.Int64(),
    "amount": _SUM,
    "cost": _SUM,
}

_GROUPS: dict[str, tuple[str, ...]] = {
    "account": ("account_id",),
    "destination": ("deck", "prefix", "destination"),
    "all": (),
}

TOTALS = tuple(_GROUPS)
"""What is summed by."""


class Totals:
    """Running sums of the lines of a period."""

    def __init__(self) -> None:
        self._parts: dict[str, pl.DataFrame] = {}

    def add(self, lines: pl.DataFrame) -> None:
        """Add priced lines; columns of `cdr.billing.tables.LINES`."""
        priced = lines.filter(pl.col("amount").is_not_null()).with_columns(
            pl.lit(1, pl.Int64).alias("lines")
        )
        # a reversal undoes its line in the counts as it does in the money
        undone = pl.when(pl.col("kind") == "reversal").then(-1).otherwise(1)
        signed = priced.with_columns(
            pl.col("lines", "duration_ms") * undone, pl.coalesce("cost_currency", "currency")
        )
        for name, by in _GROUPS.items():
            part = _summed(signed, by)
            held = self._parts.get(name)
            self._parts[name] = part if held is None else _summed(pl.concat([held, part]), by)

    def by(self, name: str) -> pl.DataFrame:
        """Return the sums by `account`, `destination` or of `all`.

        Returns
        -------
        DataFrame
            What it is by, `currency`, `cost_currency`, `lines` (reversals undo theirs),
            `duration_ms`, `billed_s`, `amount`, `cost` (null where none is known), and
            `margin` where both have one currency; sorted.
        """
        by = _GROUPS[name]
        sums = self._parts.get(name)
        if sums is None:
            schema = dict.fromkeys((*by, "currency", "cost_currency"), pl.String())
            sums = pl.DataFrame(schema={**schema, **_SUMS})
        margin = pl.col("amount") - pl.col("cost")
        comparable = pl.col("currency") == pl.col("cost_currency")
        return sums.with_columns(margin=pl.when(comparable).then(margin)).sort(
            *by, "currency", "cost_currency", nulls_last=True
        )


def _summed(lines: pl.DataFrame, by: tuple[str, ...]) -> pl.DataFrame:
    return lines.group_by(*by, "currency", "cost_currency").agg(
        pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).sum()).cast(dtype)
        for name, dtype in _SUMS.items()
    )
