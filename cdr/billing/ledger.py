"""What was billed: sealed periods and their lines, and which period comes next.

Sealed lines are added, never changed. What stands of a call is its last entry.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import polars as pl

from cdr.billing.periods import Period
from cdr.billing.rules import RuleSet, parse_rules
from cdr.billing.tables import LINES, SEALS, WITHDRAWALS
from cdr.errors import WrongUse
from cdr.lake import Batch, Lake
from cdr.schema import INSTANT

ROWS_READ = 500_000
"""Sealed lines read at a time."""


@dataclass(frozen=True, slots=True)
class Seal:
    """A sealed period, as it was when it was sealed."""

    period: Period
    zone: str
    sealed_at: datetime
    calls_version: int
    rules: RuleSet
    decks: dict[str, str]
    manifest: dict[str, Any]
    lines_sha256: str
    ingests: frozenset[str]


def seals(lake: Lake) -> list[Seal]:
    """List the sealed periods, oldest first."""
    rows = lake.scan(SEALS).collect().sort("period")
    return [
        Seal(
            period=Period.parse(row["period"]),
            zone=row["zone"],
            sealed_at=row["sealed_at"],
            calls_version=row["calls_version"],
            rules=parse_rules(json.loads(row["manifest"])["rules"]["name"], row["rules"]),
            decks=json.loads(row["decks"]),
            manifest=json.loads(row["manifest"]),
            lines_sha256=row["lines_sha256"],
            ingests=frozenset(row["ingests"]),
        )
        for row in rows.iter_rows(named=True)
    ]


def seal_of(lake: Lake, period: Period) -> Seal | None:
    """Return the seal of a period; None where it is not sealed."""
    return next((seal for seal in seals(lake) if seal.period == period), None)


def sealed_lines(lake: Lake, period: Period) -> Iterator[pl.DataFrame]:
    """Read the lines of a sealed period in their order, some at a time."""
    files = [f for f in lake.files(LINES) if f.partition["period"] == str(period)]
    count = sum(file.rows for file in files)
    for first in range(1, count + 1, ROWS_READ):
        of_range = pl.col("line").is_between(first, first + ROWS_READ - 1)
        yield lake.scan_files(LINES, files).filter(of_range).collect().sort("line")


def last_entries(lake: Lake, record_ids: pl.Series) -> pl.DataFrame:
    """Return what stands of calls: the last line of each, in whichever period.

    Parameters
    ----------
    lake : Lake
        Whose ledger.
    record_ids : Series of Binary
        Which calls; those never billed are not in the result.

    Returns
    -------
    DataFrame
        Columns of `cdr.billing.tables.LINES`, one row per call.
    """
    if record_ids.is_empty():
        return LINES.empty()
    wanted = pl.DataFrame({"record_id": record_ids}).unique()
    entries = (
        lake.scan(LINES).join(wanted.lazy(), on="record_id", how="semi").collect(engine="streaming")
    )
    return entries.sort("period", "line").unique("record_id", keep="last", maintain_order=True)


def unpriced_entries(lake: Lake) -> pl.DataFrame:
    """Return the calls of sealed periods that still have no price: `record_id`, `call_period`."""
    without = lake.scan(LINES).filter(pl.col("reason").is_not_null()).select("record_id").collect()
    standing = last_entries(lake, without["record_id"])
    return standing.filter(pl.col("reason").is_not_null()).select("record_id", "call_period")


def withdrawn(lake: Lake) -> pl.Series:
    """Return the `record_id` of every call that is not to be billed any more."""
    return lake.scan(WITHDRAWALS).select("record_id").unique().collect()["record_id"]


def withdraw(
    batch: Batch,
    record_ids: pl.Series,
    *,
    reason: Literal["erased", "withdrawn"],
    now: datetime,
) -> None:
    """Note, in the batch that removes calls, that they are not to be billed any more.

    Lines of sealed periods are undone in the next one. Calls that retention removes are
    not to be noted: their lines stay.

    Parameters
    ----------
    batch : Batch
        The one that removes the calls, so that both happen or neither.
    record_ids : Series of Binary
        Which calls.
    reason : {"erased", "withdrawn"}
        Why.
    now : datetime
        When.
    """
    rows = pl.DataFrame({"record_id": record_ids}).select(
        "record_id",
        pl.lit(reason).alias("reason"),
        pl.lit(now, INSTANT).alias("withdrawn_at"),
    )
    batch.add(WITHDRAWALS, rows)


def may_be_billed(sealed: Sequence[Seal], period: Period, *, zone: str, now: datetime) -> None:
    """Refuse a period that cannot be worked out now.

    Raises
    ------
    WrongUse
        If it is not over yet, lies before the first sealed one, or the zone of periods is
        another than that of sealed ones.
    """
    _, until = period.bounds(zone)
    if now < until:
        raise WrongUse(f"period {period} is not over yet; it ends at {until.isoformat()}")
    if sealed and period < sealed[0].period:
        raise WrongUse(
            f"period {period} lies before the first sealed one, {sealed[0].period}, "
            "with which billing began"
        )
    if sealed and sealed[-1].zone != zone:
        raise WrongUse(
            f"billing.zone is {zone}, but {sealed[-1].period} was sealed by the clock of "
            f"{sealed[-1].zone}; hours would be billed twice or never. Set it back"
        )


def is_next(sealed: Sequence[Seal], period: Period) -> bool:
    """Tell whether a period is the one that adjustments of sealed ones go to."""
    return bool(sealed) and sealed[-1].period.next() == period
