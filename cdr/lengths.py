"""Lengths that nobody should trust: far beyond an account's habit, with no end seen.

A lost release makes a call as long as some timer. One as long as the switch's maximum, or
without any end, is flagged as it is read (`cdr.normalise.calls`); what needs an account's
earlier calls is found here, in a later step, before anything is counted or billed. The
flag is the same, `suspect_duration`, with `beyond_habit` to say why. A call that is flagged
arrives again, so that its day is counted anew; nothing else of it changes. A habit rests on
earlier calls alone, as no signal may know what came later.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import polars as pl

from cdr.lake import Lake
from cdr.schema import CALLS, INSTANT, Outcome

SUSPECT = "suspect_duration"
BEYOND_HABIT = "beyond_habit"

LEAST_MS = 1_800_000
"""Shorter calls are never doubted. Ours: the shortest timer in common use, the session timer of
RFC 4028, ends a call after half an hour; what a shorter one costs is little."""

TIMER_MS = 300_000
"""Timers are set in whole steps of five minutes; such a length is one in a hundred by chance."""

ROUND_WITHIN_MS = 1_000
"""A switch ends a call within a second of its timer: the tolerance of `max_call_s` as well."""

TIMED_OUT = ("MEDIA_TIMEOUT", "ALLOTTED_TIMEOUT", "RECOVERY_ON_TIMER_EXPIRE", "102")
"""Causes that say a timer ended the call and no party did (FreeSWITCH, `switch_types.h`; ITU-T
Q.850, 102)."""

HABIT_DAYS = 30
HABIT_CALLS = 50
"""Answered calls below which an account has no habit. Ours: the 99th percentile of fewer is
their longest call, and one long call would hide the next; of the simulator's honest calls, those of
accounts with 20 to 49 are beyond three times it far more often than others."""

COMMON_CALLS = 1_000
"""Answered calls of all accounts below which there is no common habit. Ours: ten calls lie beyond
the 99th percentile of so many, and a few lost ends do not move it."""

HABIT_QUANTILE = 0.99
HABIT_FACTOR = 3
"""How often the quantile must go into a length. Ours: an account's longest honest calls are
seldom twice as long as its 99th percentile."""


def recent_days(lake: Lake, *, since: datetime) -> list[date]:
    """List the days that calls were taken in for since an instant, oldest first."""
    start = since.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return sorted(
        {
            date.fromisoformat(file.partition["call_date"])
            for file in lake.files(CALLS)
            if file.bounds.get("ingested_at", (start, start))[1] >= start
        }
    )


def doubt_lengths(lake: Lake, day: date, *, now: datetime) -> int:
    """Flag the calls of a day whose length is far beyond their account's habit.

    A call is doubted when it was answered and lasted `LEAST_MS` at least; no end was seen
    (the flag `missing_bye`, a cause of `TIMED_OUT`, or a length that is a whole number
    of `TIMER_MS`); and it lasted more than `HABIT_FACTOR` times the `HABIT_QUANTILE` of the
    account's undoubted answered calls of the `HABIT_DAYS` before. For an account with fewer than
    `HABIT_CALLS` of these that quantile, or the one of all accounts' calls if it is larger, stands
    for a habit; below `COMMON_CALLS` of all accounts its calls are left alone. Safe to repeat.

    Parameters
    ----------
    lake : Lake
        Whose calls.
    day : date
        UTC day.
    now : datetime
        When it is done: the flagged calls arrive then.

    Returns
    -------
    int
        Calls flagged.
    """
    candidates = lake.scan(CALLS, dates=[day]).filter(_ended_by_nobody()).select(
        "record_id", "account_id", "duration_ms"
    ).collect()  # fmt: skip
    if candidates.is_empty():
        return 0
    habits = _habits(lake, day, candidates["account_id"].unique().to_list())
    beyond = (
        candidates.join(habits, on="account_id")
        .filter(pl.col("duration_ms") > HABIT_FACTOR * pl.col("habit_ms"))
        .select("record_id")
    )
    return _flag(lake, day, beyond, now) if beyond.height else 0


def _doubted() -> pl.Expr:
    return pl.col("flags").list.contains(SUSPECT)


def _ended_by_nobody() -> pl.Expr:
    """Tell which calls are long enough to be doubted and have no sign that a party ended them."""
    length = pl.col("duration_ms")
    off_the_timer = (length + ROUND_WITHIN_MS) % TIMER_MS
    return (
        (pl.col("outcome") == Outcome.ANSWERED.value)
        & pl.col("account_id").is_not_null()
        & ~_doubted()
        & (length >= LEAST_MS - ROUND_WITHIN_MS)
        & (
            pl.col("flags").list.contains("missing_bye")
            | pl.col("cause_code").str.to_uppercase().is_in(TIMED_OUT).fill_null(value=False)
            | (off_the_timer <= 2 * ROUND_WITHIN_MS)
        )
    )


def _habits(lake: Lake, day: date, accounts: list[str]) -> pl.DataFrame:
    """Return `habit_ms` of the accounts for which there is one."""
    before = [day - timedelta(days=ago) for ago in range(1, HABIT_DAYS + 1)]
    lengths = (
        lake.scan(CALLS, dates=before)
        .filter(pl.col("account_id").is_not_null(), pl.col("duration_ms").is_not_null())
        .filter((pl.col("outcome") == Outcome.ANSWERED.value) & ~_doubted())
        .select("account_id", "duration_ms")
    )
    habit = pl.col("duration_ms").quantile(HABIT_QUANTILE, "linear")
    own = lengths.filter(pl.col("account_id").is_in(accounts)).group_by("account_id")
    of_accounts, by_second = pl.collect_all(
        [
            own.agg(pl.len().alias("calls"), habit.alias("own_ms")),
            lengths.group_by(pl.col("duration_ms") // 1000).len("calls"),
        ],
        engine="streaming",
    )
    few = pl.col("calls").fill_null(0) < HABIT_CALLS
    common_ms = pl.lit(_common_ms(by_second), pl.Int64)
    known = pl.when(common_ms.is_not_null()).then(pl.max_horizontal("own_ms", common_ms))
    return (
        pl.DataFrame({"account_id": accounts}, schema={"account_id": pl.String})
        .join(of_accounts, on="account_id", how="left")
        .select("account_id", habit_ms=pl.when(few).then(known).otherwise("own_ms"))
        .drop_nulls()
    )


def _common_ms(by_second: pl.DataFrame) -> int | None:
    """Return the quantile of all calls, to the next second; `calls` are counted by second."""
    counted = by_second.sort("duration_ms").select("duration_ms", pl.col("calls").cum_sum())
    every = counted["calls"].max()
    if not isinstance(every, int) or every < COMMON_CALLS:
        return None
    reached = counted.filter(pl.col("calls") >= HABIT_QUANTILE * every)
    return (int(reached.item(0, "duration_ms")) + 1) * 1000


def _flag(lake: Lake, day: date, beyond: pl.DataFrame, now: datetime) -> int:
    flagged = 0
    with lake.batch("doubt_lengths") as batch, lake.writing():
        for file in lake.files(CALLS):
            if file.partition["call_date"] != day.isoformat():
                continue
            rows = lake.scan_files(CALLS, [file])
            concerned = pl.col("record_id").is_in(beyond["record_id"].implode()) & ~_doubted()
            count = rows.select(concerned.sum()).collect().item()
            if not count:
                continue
            lake.retire(batch, CALLS, [file])
            changed = {
                "flags": pl.col("flags").list.concat(pl.lit([SUSPECT, BEYOND_HABIT])),
                "ingested_at": pl.lit(now, INSTANT),
            }
            after = rows.with_columns(
                pl.when(concerned).then(value).otherwise(name).alias(name)
                for name, value in changed.items()
            )
            batch.add(CALLS, after.collect(), lasting=True)
            flagged += count
        if flagged:
            batch.publish()
    return flagged
