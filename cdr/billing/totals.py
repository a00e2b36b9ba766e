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

_ROWS_WAITING = 500_000
"""Partial sums kept before they are added up. Ours: some 60 MB, and few enough additions."""


class Totals:
    """Running sums of the lines of a period."""

    def __init__(self) -> None:
        self._parts: dict[str, list[pl.DataFrame]] = {name: [] for name in _GROUPS}

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
            parts = self._parts[name]
            parts.append(_summed(signed, by))
            if sum(part.height for part in parts) > _ROWS_WAITING:
                parts[:] = [_summed(pl.concat(parts), by)]

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
        schema = dict.fromkeys((*by, "currency", "cost_currency"), pl.String())
        none = pl.DataFrame(schema={**schema, **_SUMS})
        sums = _summed(pl.concat([none, *self._parts[name]]), by)
        margin = pl.col("amount") - pl.col("cost")
        comparable = pl.col("currency") == pl.col("cost_currency")
        return sums.with_columns(margin=pl.when(comparable).then(margin)).sort(
            *by, "currency", "cost_currency", nulls_last=True
        )

    def of_all(self) -> list[dict[str, object]]:
        """Return the sums of all lines as a manifest says them: money as text."""
        return [
            {
                name: value if isinstance(value, int) or value is None else str(value)
                for name, value in row.items()
            }
            for row in self.by("all").iter_rows(named=True)
        ]


def _summed(lines: pl.DataFrame, by: tuple[str, ...]) -> pl.DataFrame:
    return lines.group_by(*by, "currency", "cost_currency").agg(
        pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).sum()).cast(dtype)
        for name, dtype in _SUMS.items()
    )
