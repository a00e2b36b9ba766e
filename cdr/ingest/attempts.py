"""Attempts of which several final answers came, in more than one file.

A proxy may write several rows about one attempt: repeated ones, and the answer of each place that
was tried. In one file the last of them tells the outcome. Where a file ends between them each file
makes an attempt of its own; here the earlier one gives way, in whichever order the files came in,
and stays in `call_history`. A CANCEL in another file tells nothing that the INVITE's row does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import polars as pl

from cdr.ingest.upcoming import Upcoming
from cdr.schema import CALLS, Outcome

REACH = timedelta(minutes=3)
"""Later than this after the start of an attempt is another one. RFC 3261, 16.6: a proxy gives each
place it tries more than three minutes at most (timer C)."""


def join_attempts(
    upcoming: Upcoming,
    source_name: str,
    spans: Iterable[tuple[datetime, datetime]],
    *,
    now: datetime,
) -> None:
    """Let the last final answer of an attempt stand alone, as part of the batch.

    Parameters
    ----------
    upcoming : Upcoming
        Whose calls. The caller holds the writer lock.
    source_name : str
        Only calls of this source, whose record ids are `callid;from tag;to tag`.
    spans : iterable of (datetime, datetime)
        Starts of the first and the last call of each file taken in: only what is near to either
        may go on in another file.
    now : datetime
        When it is done.
    """
    ends = {at for span in spans for at in span}
    if not ends:
        return
    near = pl.any_horizontal(
        pl.col("started_at").is_between(at - REACH, at + REACH) for at in sorted(ends)
    )
    days = {day for at in ends for day in ((at - REACH).date(), (at + REACH).date())}
    tried = pl.col("outcome") != Outcome.ANSWERED.value
    rows = upcoming.scan(CALLS, dates=days).filter(pl.col("source") == source_name, tried, near)
    columns = ("record_id", "source_record_id", "started_at", "ingest_id")
    by = earlier_of(rows.select(columns).collect(engine="streaming"))
    if by.height:
        upcoming.supersede(days, by, now)


def earlier_of(attempts: pl.DataFrame) -> pl.DataFrame:
    """Find the attempts that another file goes on with.

    Parameters
    ----------
    attempts : DataFrame
        `record_id`, `source_record_id`, `started_at`, `ingest_id`.

    Returns
    -------
    DataFrame
        `record_id` and `superseded_by`, the ingest of the attempt that stands for it.
    """
    attempt = pl.col("source_record_id").str.extract(r"^(.*;[^;]*);[^;]*$")
    after = pl.col("ingest_id", "started_at").shift(-1).over("attempt").name.prefix("next_")
    return (
        attempts.sort("started_at", "ingest_id")
        .with_columns(attempt=attempt)
        .with_columns(after)
        .filter(
            pl.col("attempt").is_not_null()
            & (pl.col("next_ingest_id") != pl.col("ingest_id"))
            & (pl.col("next_started_at") - pl.col("started_at") <= REACH)
        )
        .select("record_id", superseded_by="next_ingest_id")
    )
