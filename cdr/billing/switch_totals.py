"""Comparing what a switch counted, by day, with the calls that we have of it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl

from cdr.billing.bill import Snapshot
from cdr.billing.matching import MATCHED, ONLY_OURS, ONLY_THEIRS
from cdr.billing.periods import day_begins
from cdr.billing.reconciliation import Reconciliation
from cdr.billing.tables import LINES
from cdr.errors import WrongUse, shown
from cdr.lake import Lake
from cdr.normalise.times import zone_check
from cdr.operator_files import Kind, OperatorFile, Understood, read_operator_file
from cdr.schema import Outcome

SWITCH_FILE = OperatorFile(
    "switch_totals",
    {"date": Kind.TEXT, "source": Kind.TEXT, "calls": Kind.AMOUNT, "duration_s": Kind.AMOUNT},
    ("date", "calls"),
)

_WIDE = pl.Decimal(38, 6)


def reconcile_switch(
    lake: Lake, file: Path, *, zone: str, length_tolerance_s: int = 1
) -> Reconciliation:
    """Compare a switch's totals of answered calls with ours, by day and source.

    Parameters
    ----------
    lake : Lake
        Whose calls.
    file : Path
        CSV or Parquet with `date` (of the zone), `calls` (answered legs), and where it has
        them `source` (a source of ours; without it all) and `duration_s`.
    zone : str
        By whose clock its days begin.
    length_tolerance_s : int
        How far the lengths may be apart, in s a call.

    Returns
    -------
    Reconciliation
        Differences are days whose counts or lengths differ, and days of ours between its
        first and last that it lacks. `money` estimates what the calls that one side lacks
        are worth: their number times what an answered leg of that day brought in sealed periods.

    Raises
    ------
    FormatError, SchemaMismatch
        If the file cannot be read.
    WrongUse
        If no row of it can be read.
    """
    theirs, unreadable = _read(read_operator_file(file, SWITCH_FILE))
    if theirs.is_empty():
        raise WrongUse(f"{shown(file)} has no row that can be read; see its rows' reasons")
    by_source = theirs["source"].null_count() < theirs.height
    ours = _our_days(lake, theirs["date"], zone_check(zone), by_source=by_source)
    met = theirs.join(ours, on=["date", "source"], how="full", coalesce=True, nulls_equal=True)
    calls_gap = pl.col("their_calls").fill_null(0) - pl.col("our_calls").fill_null(0)
    length_gap = pl.col("their_length_ms") - pl.col("our_length_ms").fill_null(0)
    allowed = pl.col("our_calls").fill_null(0) * length_tolerance_s * 1000
    found = met.with_columns(
        status=pl.when(pl.col("their_calls").is_null())
        .then(pl.lit(ONLY_OURS))
        .when(pl.col("our_calls").is_null())
        .then(pl.lit(ONLY_THEIRS))
        .when(calls_gap != 0)
        .then(pl.lit("count_differs"))
        .when((length_gap.abs() > allowed).fill_null(value=False))
        .then(pl.lit("length_differs"))
        .otherwise(pl.lit(MATCHED)),
        calls_gap=calls_gap,
        length_gap_ms=length_gap,
    ).with_columns(
        money=pl.col("calls_gap").abs().cast(_WIDE)
        * pl.col("amount")
        / pl.col("answered").cast(_WIDE)
    )
    return Reconciliation(
        title=f"Totals of {shown(file)} and ours",
        basis=f"Answered legs by day of {zone}; lengths agree within {length_tolerance_s} s a call."
        " Money is estimated: missing legs times what one of that day brought, where it is sealed.",
        summary=found.group_by("status", "currency")
        .agg(
            pl.len().alias("days"),
            pl.col("our_calls", "their_calls", "our_length_ms", "their_length_ms", "money").sum(),
        )
        .sort("status", "currency", nulls_last=True),
        differences=found.filter(pl.col("status") != MATCHED).sort("date", "source"),
        unreadable=unreadable,
    )


def _read(understood: Understood) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Type their totals, summed where a day occurs twice; what cannot be read is set aside."""
    rows = understood.rows.with_columns(
        pl.col("date").str.to_date("%Y-%m-%d", strict=False).alias("day")
    )
    reasons = pl.concat_list(
        pl.when(pl.col("day").is_null()).then(pl.lit("date_not_understood")),
        pl.when((pl.col("calls") < 0) | (pl.col("calls") % 1 != 0)).then(
            pl.lit("calls_not_a_count")
        ),
    ).list.drop_nulls()
    judged = rows.with_columns(reasons=reasons)
    bad = pl.col("reasons").list.len() > 0
    unreadable = pl.concat(
        [understood.rejects.select("line", "reasons"), judged.filter(bad).select("line", "reasons")]
    )
    length_ms = (pl.col("duration_s") * 1000).cast(pl.Int64)
    theirs = (
        judged.filter(~bad)
        .group_by(pl.col("day").alias("date"), "source")
        .agg(
            pl.col("calls").sum().cast(pl.Int64).alias("their_calls"),
            pl.when(length_ms.is_not_null().all()).then(length_ms.sum()).alias("their_length_ms"),
        )
    )
    return theirs, unreadable.sort("line")


def _our_days(lake: Lake, dates: pl.Series, zone: str, *, by_source: bool) -> pl.DataFrame:
    """Count our answered legs by day of the zone, from the first of ``dates`` to the last."""
    first, last = dates.min(), dates.max()
    assert isinstance(first, date)
    assert isinstance(last, date)
    since, until = day_begins(first, zone), day_begins(last + timedelta(days=1), zone)
    days = [since.date() + timedelta(days=n) for n in range((until - since).days + 2)]
    local = pl.col("started_at").dt.convert_time_zone(zone).dt.date()
    of_time = (pl.col("started_at") >= since) & (pl.col("started_at") < until)
    counted = (
        Snapshot.take(lake)
        .legs(lake, days)
        .filter(of_time & (pl.col("outcome") == Outcome.ANSWERED.value))
        .group_by(
            local.alias("date"),
            pl.when(pl.lit(by_source)).then("source").alias("source"),
        )
        .agg(
            pl.len().cast(pl.Int64).alias("our_calls"),
            pl.col("duration_ms").sum().alias("our_length_ms"),
        )
        .collect()
    )
    sealed = (
        lake.scan(LINES)
        .filter(of_time & pl.col("amount").is_not_null())
        .group_by(local.alias("date"), "currency")
        .agg(pl.col("amount").sum().cast(_WIDE), pl.len().alias("lines"))
        .collect()
        .sort("lines", "currency", descending=[True, False])
        .unique("date", keep="first", maintain_order=True)
    )
    answered = counted.group_by("date").agg(pl.col("our_calls").sum().alias("answered"))
    return counted.join(answered, on="date").join(sealed.drop("lines"), on="date", how="left")
