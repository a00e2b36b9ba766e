"""Calls whose end came in another file than their beginning.

Where a proxy's rows are read from files, the BYE of a call over midnight stands in the next one.
There it is set aside, with its id and its time; here it ends its call, in whichever order the two
came in, in the batch that brings the second of them. The call as it stood without its end stays in
`call_history`.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import polars as pl

from cdr.ingest.ledger import amendments
from cdr.ingest.report import LONGEST, MISSING_BYE, bye_alone
from cdr.ingest.upcoming import Upcoming
from cdr.keys import hash_64
from cdr.normalise.calls import CUT_TOLERANCE_MS
from cdr.schema import CALLS, INGESTS, INSTANT, REJECTS
from cdr.settings import SourceSettings

ENDED_LATER = "ended_later"
"""State in the ledger of what is done here."""


def end_calls(
    upcoming: Upcoming, source_name: str, source: SourceSettings, *, since: datetime, now: datetime
) -> dict[str, int]:
    """Give calls without an end the one that another file brought, as part of the batch.

    The rows that told of it stay in `rejects`, as the ledger counts them, with `explained_at`.

    Parameters
    ----------
    upcoming : Upcoming
        Whose calls. The caller holds the writer lock.
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
    dict of str to int
        How many rows set aside each ingest brought that are explained now.
    """
    batch = upcoming.batch
    of_source = pl.col("source") == source_name
    open_ones = of_source & bye_alone() & pl.col("explained_at").is_null()
    byes = (
        upcoming.scan(REJECTS)
        .filter(open_ones & (pl.col("at") >= since))
        .select("ingest_id", "line", "source_rows", "source_record_id", "at")
        .collect()
    )
    if byes.is_empty():
        return {}
    days = _days(since, byes["at"].max())
    calls = upcoming.scan(CALLS, dates=days).filter(of_source).select(
        "record_id", "source_record_id", "started_at", "answered_at", "flags"
    )  # fmt: skip
    explained = explained_by(_of_the_same_ends(calls, byes), byes)
    if explained.is_empty():
        return {}
    ingest_id = f"{batch.batch_id}-ends"
    ends = ends_of(explained)
    by = ends.select("record_id", superseded_by=pl.lit(ingest_id))
    before = upcoming.supersede(days, by, now)
    after = ended(before, ends, max_call_s=source.max_call_s).with_columns(
        pl.lit(ingest_id).alias("ingest_id"), pl.lit(now, INSTANT).alias("ingested_at")
    )
    if after.height:
        said = "(ends that came in another file)"
        batch.add(CALLS, after)
        batch.add(INGESTS, amendments(after, batch.batch_id, now, file=said, state=ENDED_LATER))
    row = pl.format("{};{}", "ingest_id", "line")
    told = row.is_in(explained.select(row).to_series().implode())
    upcoming.mark(REJECTS, told, {"explained_at": pl.lit(now, INSTANT)})
    return dict(explained.group_by("ingest_id").agg(pl.col("source_rows").sum()).iter_rows())


def explained_by(calls: pl.DataFrame, byes: pl.DataFrame) -> pl.DataFrame:
    """Find the call that each BYE belongs to: the last between its two ends before it.

    Parameters
    ----------
    calls : DataFrame
        `record_id`, `source_record_id` (`callid;from tag;to tag`), `started_at`, `answered_at`,
        `flags`.
    byes : DataFrame
        `source_record_id`, whose tags may be the other way round, `at`, and what else is known.

    Returns
    -------
    DataFrame
        ``byes`` that have a call, with its `record_id` and `flags`, in order of time.
    """
    began = calls.with_columns(_two_ends()).drop("source_record_id").sort("started_at")
    found = byes.with_columns(_two_ends()).sort("at").join_asof(
        began, left_on="at", right_on="started_at", by="ends", strategy="backward",
        coalesce=False, check_sortedness=False,
    )  # fmt: skip
    return found.filter(
        (pl.col("at") >= pl.col("answered_at")) & (pl.col("at") <= pl.col("started_at") + LONGEST)
    ).drop("ends", "started_at", "answered_at")


def ends_of(explained: pl.DataFrame) -> pl.DataFrame:
    """Return `record_id` and `at` of each call that ends: the first BYE of one without an end."""
    return (
        explained.filter(pl.col("flags").list.contains(MISSING_BYE))
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
