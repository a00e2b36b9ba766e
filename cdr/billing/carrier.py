"""Comparing the calls that a carrier charges for with ours, one by one.

What a switch counted by day is compared in `switch_totals`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from cdr.billing.bill import Snapshot
from cdr.billing.charges import Rounding, as_money
from cdr.billing.decks import load_deck
from cdr.billing.matching import MATCHED, match_calls
from cdr.billing.rating import rated
from cdr.billing.reconciliation import Reconciliation
from cdr.errors import WrongUse, shown
from cdr.lake import Lake
from cdr.normalise.times import local_to_utc, zone_check
from cdr.operator_files import Kind, OperatorFile, Understood, instant, read_operator_file
from cdr.schema import MONEY, Outcome

CARRIER_FILE = OperatorFile(
    "carrier_calls",
    {
        "callee": Kind.TEXT,
        "started_at": Kind.TEXT,
        "duration_s": Kind.AMOUNT,
        "amount": Kind.AMOUNT,
        "currency": Kind.TEXT,
    },
    ("callee", "started_at", "duration_s"),
)

_LAYOUTS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M")


def reconcile_carrier(
    lake: Lake,
    file: Path,
    *,
    deck: str,
    zone: str,
    source: str | None = None,
    start_tolerance_s: int = 5,
    length_tolerance_s: int = 1,
) -> Reconciliation:
    """Match a carrier's calls with our answered outbound and forwarded ones.

    Parameters
    ----------
    lake : Lake
        Whose calls, from the first begin in the file to the last.
    file : Path
        CSV or Parquet with `callee`, `started_at`, `duration_s`, and where it charges
        `amount` and `currency`.
    deck : str
        Rate deck of what the carrier should charge; empty: money is not compared.
    zone : str
        Of times in the file that carry no offset.
    source : str, optional
        Only calls of this source of ours.
    start_tolerance_s, length_tolerance_s : int
        See :func:`cdr.billing.matching.match_calls`.

    Returns
    -------
    Reconciliation
        Differences are calls that one side lacks, whose lengths differ, or whose amounts
        differ although all else agrees (`status` is `matched`).

    Raises
    ------
    FormatError, SchemaMismatch
        If the file cannot be read.
    WrongUse
        If it has no call that can be read, or there is no such deck.
    """
    understood = read_operator_file(file, CARRIER_FILE)
    theirs, unreadable = _placed(understood, zone_check(zone))
    if theirs.is_empty():
        raise WrongUse(f"{shown(file)} has no call that can be read; see its rows' reasons")
    ours = _ours(lake, theirs, source, timedelta(seconds=start_tolerance_s))
    if deck:
        ours = _with_expected(lake, ours, deck)
    pairs = match_calls(
        ours, theirs, start_tolerance_s=start_tolerance_s, length_tolerance_s=length_tolerance_s
    )
    met = _side_by_side(pairs, ours, theirs)
    return Reconciliation(
        title=f"Calls of {shown(file)} and ours",
        basis=f"Begins agree within {start_tolerance_s} s, lengths within {length_tolerance_s} s. "
        + (f"Our amounts are those of the rate deck {deck}." if deck else "No amounts of ours."),
        summary=_by_status(met),
        differences=met.filter(
            (pl.col("status") != MATCHED) | (pl.col("difference") != 0).fill_null(value=False)
        ),
        unreadable=unreadable,
    )


def _placed(understood: Understood, zone: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Write their calls in our terms; what cannot be is set aside."""
    text = pl.col("started_at")
    has_offset = text.str.contains(r"(?i)(z|[+-]\d\d:?\d\d)$") & text.str.contains("[T ]")
    digits = pl.col("callee").str.replace_all(r"[\s().\-/]", "").str.replace(r"^(\+|00)", "")
    rows = understood.rows.with_columns(
        local_to_utc(text, formats=_LAYOUTS, zone=zone).alias("local"),
        pl.when(digits.str.contains(r"^\d{3,15}$")).then("+" + digits).alias("number"),
        (pl.col("duration_s") * 1000).cast(pl.Int64).alias("duration_ms"),
    ).with_columns(
        at=pl.when(has_offset).then(instant(text)).otherwise(pl.col("local").struct.field("at")),
    )
    reasons = pl.concat_list(
        pl.when(pl.col("number").is_null()).then(pl.lit("callee_not_a_number")),
        pl.when(pl.col("at").is_null()).then(
            pl.coalesce(
                pl.when(~has_offset).then(pl.col("local").struct.field("reason")),
                pl.lit("started_at_not_understood"),
            )
        ),
        pl.when(pl.col("duration_ms") < 0).then(pl.lit("duration_negative")),
    ).list.drop_nulls()
    judged = rows.with_columns(reasons=reasons)
    bad = pl.col("reasons").list.len() > 0
    unreadable = pl.concat(
        [understood.rejects.select("line", "reasons"), judged.filter(bad).select("line", "reasons")]
    )
    theirs = judged.filter(~bad & (pl.col("duration_ms") > 0)).select(
        "line", "number", pl.col("at").alias("started_at"), "duration_ms", "amount", "currency"
    )
    return theirs, unreadable.sort("line")


def _ours(
    lake: Lake, theirs: pl.DataFrame, source: str | None, tolerance: timedelta
) -> pl.DataFrame:
    first, last = theirs["started_at"].min(), theirs["started_at"].max()
    assert isinstance(first, datetime)
    assert isinstance(last, datetime)
    since, until = first - tolerance, last + tolerance
    days = [since.date() + timedelta(days=n) for n in range((until.date() - since.date()).days + 1)]
    forwarded = pl.col("forwarded_to")
    onward = pl.when(forwarded.str.contains(r"^\+\d+$")).then(forwarded)
    legs = Snapshot.take(lake).legs(lake, days)
    if source is not None:
        legs = legs.filter(pl.col("source") == source)
    return (
        legs.filter(
            (pl.col("outcome") == Outcome.ANSWERED.value)
            & (pl.col("duration_ms") > 0)
            & ((pl.col("direction") == "outbound") | forwarded.is_not_null())
            & pl.col("started_at").is_between(since, until)
        )
        .select(
            "record_id",
            pl.coalesce(onward, "callee_number").alias("number"),
            "started_at",
            "duration_ms",
            pl.lit(None, MONEY).alias("amount"),
            pl.lit(None, pl.String).alias("currency"),
        )
        .collect()
        .sort("started_at", "record_id")
    )


def _with_expected(lake: Lake, ours: pl.DataFrame, deck: str) -> pl.DataFrame:
    settings = lake.settings.billing
    prices = rated(
        ours,
        load_deck(lake, deck),
        decimals=settings.decimals,
        rounding=Rounding(settings.rounding),
    )
    return ours.drop("amount", "currency").hstack(
        prices.select(as_money(pl.col("amount_micro")).alias("amount"), "currency")
    )


def _side_by_side(pairs: pl.DataFrame, ours: pl.DataFrame, theirs: pl.DataFrame) -> pl.DataFrame:
    mine = ours.select(pl.all().gather(pairs["ours"]))
    other = theirs.select(pl.all().gather(pairs["theirs"]))
    same_currency = mine["currency"] == other["currency"]
    return pl.DataFrame(
        {
            "status": pairs["status"],
            "number": pl.select(pl.coalesce(mine["number"], other["number"])).to_series(),
            "our_start": mine["started_at"],
            "their_start": other["started_at"],
            "our_length_ms": mine["duration_ms"],
            "their_length_ms": other["duration_ms"],
            "our_amount": mine["amount"],
            "our_currency": mine["currency"],
            "their_amount": other["amount"],
            "their_currency": other["currency"],
            "record_id": mine["record_id"],
            "line": other["line"],
        }
    ).with_columns(
        difference=pl.when(same_currency).then(pl.col("their_amount") - pl.col("our_amount"))
    )


def _by_status(met: pl.DataFrame) -> pl.DataFrame:
    return (
        met.group_by("status", "our_currency", "their_currency")
        .agg(
            pl.len().alias("calls"),
            pl.col("our_length_ms", "their_length_ms").sum(),
            pl.col("our_amount", "their_amount", "difference").sum(),
        )
        .sort("status", "our_currency", "their_currency", nulls_last=True)
    )
