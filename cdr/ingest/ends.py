"""Calls whose end came in another file than their beginning.

Where a proxy's rows are read from files, the BYE of a call over midnight stands in the next one.
There it is set aside, with its id and its time; here it ends its call, in whichever order the two
came in. The call as it stood without its end stays in `call_history`.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import polars as pl

from cdr.ingest.decide import supersede
from cdr.ingest.ledger import amendments
from cdr.ingest.report import LONGEST, MISSING_BYE, bye_alone
from cdr.keys import hash_64
from cdr.lake import Lake
from cdr.normalise.calls import CUT_TOLERANCE_MS
from cdr.schema import CALLS, INGESTS, INSTANT, REJECTS
from cdr.settings import SourceSettings

ENDED_LATER = "ended_later"
"""State in the ledger of what is done here."""


def end_calls(
    lake: Lake, source_name: str, source: SourceSettings, *, since: datetime, now: datetime
) -> int:
    """Give calls without an end the one that another file brought. Safe to repeat.

    Parameters
    ----------
    lake : Lake
        Whose calls.
    source_name : str
        Only calls of this source, and rows set aside of it.
    source : SourceSettings
        Its `max_call_s` says which lengths are suspect.
    since : datetime
        Calls that started earlier are left alone.
    now : datetime
        When it is done: the calls arrive again, so that billing and signals see them.

    Returns
    -------
    int
        Calls that have an end now.
    """
    of_source = pl.col("source") == source_name
    alone = lake.scan(REJECTS).filter(of_source & bye_alone() & (pl.col("at") >= since))
    byes = alone.select("source_record_id", "at").collect()
    if byes.is_empty():
        return 0
    with lake.batch("end_calls") as batch, lake.writing():
        days = _days(since, byes["at"].max())
        calls = lake.scan(CALLS, dates=days).filter(of_source).select(
            "record_id", "source_record_id", "started_at", "answered_at", "flags"
        )  # fmt: skip
        ends = ends_of(_of_the_same_ends(calls, byes), byes)
        if ends.is_empty():
            return 0
        wanted = {day.isoformat() for day in days}
        held = [file for file in lake.files(CALLS) if file.partition["call_date"] in wanted]
        ingest_id = f"{batch.batch_id}-{source_name}"
        by = ends.select("record_id", superseded_by=pl.lit(ingest_id))
        before = supersede(lake, batch, held, by, now)
        after = ended(before, ends, max_call_s=source.max_call_s).with_columns(
            pl.lit(ingest_id).alias("ingest_id"), pl.lit(now, INSTANT).alias("ingested_at")
        )
        batch.add(CALLS, after)
        said = "(ends that came in another file)"
        batch.add(INGESTS, amendments(after, batch.batch_id, now, file=said, state=ENDED_LATER))
        batch.publish()
    return after.height


def ends_of(calls: pl.DataFrame, byes: pl.DataFrame) -> pl.DataFrame:
    """Find the end of each call that has none.

    A BYE belongs to the last call between its two ends that started before it; the first BYE
    of a call ends it.

    Parameters
    ----------
    calls : DataFrame
        `record_id`, `source_record_id` (`callid;from tag;to tag`), `started_at`, `answered_at`,
        `flags`.
    byes : DataFrame
        `source_record_id`, whose tags may be the other way round, and `at`.

    Returns
    -------
    DataFrame
        `record_id` and `at`, a row for each call that ends.
    """
    began = calls.with_columns(_two_ends()).sort("started_at")
    found = byes.select(_two_ends(), "at").sort("at").join_asof(
        began, left_on="at", right_on="started_at", by="ends", strategy="backward",
        coalesce=False, check_sortedness=False,
    )  # fmt: skip
    return (
        found.filter(
            pl.col("flags").list.contains(MISSING_BYE)
            & (pl.col("at") >= pl.col("answered_at"))
            & (pl.col("at") <= pl.col("started_at") + LONGEST)
        )
        .sort("at")
        .unique("record_id", keep="first", maintain_order=True)
        .select("record_id", "at")
    )


def ended(calls: pl.DataFrame, ends: pl.DataFrame, *, max_call_s: int) -> pl.DataFrame:
    """Write into calls without an end when they ended, and what follows from it."""
    length = (pl.col("at") - pl.col("answered_at")).dt.total_milliseconds()
    flags = pl.col("flags").list
    seen = flags.filter(~pl.element().is_in([MISSING_BYE, "suspect_duration"]))
    cut = length >= max_call_s * 1000 - CUT_TOLERANCE_MS
    return (
        calls.join(ends, on="record_id", how="inner", maintain_order="left")
        .with_columns(
            ended_at=pl.col("at"),
            duration_ms=length,
            flags=pl.when(cut).then(seen.list.concat(pl.lit(["suspect_duration"]))).otherwise(seen),
            content_hash=hash_64(pl.format("{};{}", "content_hash", pl.col("at").to_physical())),
        )
        .drop("at")
    )


def _two_ends() -> pl.Expr:
    """Name the dialog by its call id and both tags: either end may have sent the BYE."""
    parts = pl.col("source_record_id").str.extract_groups(r"^(.*);([^;]*);([^;]*)$")
    callid, one, other = (parts.struct.field(place) for place in "123")
    return pl.concat_str(
        callid, pl.min_horizontal(one, other), pl.max_horizontal(one, other), separator=";"
    ).alias("ends")


def _of_the_same_ends(calls: pl.LazyFrame, byes: pl.DataFrame) -> pl.DataFrame:
    wanted = byes.select(_two_ends()).to_series().unique()
    return calls.filter(_two_ends().is_in(wanted.implode())).collect(engine="streaming")


def _days(first: datetime, last: object) -> list[date]:
    until = last.date() if isinstance(last, datetime) else first.date()
    return [first.date() + timedelta(days=n) for n in range((until - first.date()).days + 1)]
