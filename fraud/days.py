"""What a night brings up to date before it scores: days of calls, traces of blocked accounts.

A night reduces the days whose calls are new, late, corrected or gone, and writes down
what newly blocked accounts left behind. Which days these are is read from the store's
log, not from their calls, so that the cost follows the new day. What it wrote down before
and has lost a file of it works out again. Not here: the statements (:mod:`fraud.features`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256

import polars as pl

from cdr.billing.costs import CostBook, cost_book
from cdr.lake import Lake
from cdr.lake.verify import missing
from cdr.privacy.restrictions import left_alone, numbers_left_alone
from cdr.query import Connection
from cdr.schema import CALLS, Table
from fraud.features.account_days import (
    ACCOUNT_DAY_KEYS,
    ACCOUNT_DAYS,
    REDUCED_DAYS,
    ReducedDay,
    key_of,
    made_by,
    reduce_day,
)
from fraud.features.midnight import HISTORY_DAYS
from fraud.features.traces import BLOCKED_TRACES, blocked_ever, traces

ROWS_A_COMMIT = 500_000
"""Rows of reduced days written in one commit. Ours: a commit costs a fifth of a second, and this
many rows stay below 200 MB."""

DATES_AT_ONCE = 15
"""Days of blocks whose traces are worked out together. Ours: half a window, so that a statement
reads 45 days of account rows at most."""


_BLOCK = ("account_id", "trace_date")


SUMS = (ACCOUNT_DAYS, ACCOUNT_DAY_KEYS, REDUCED_DAYS)
"""What is kept of each day, and can be worked out again from its calls."""


@dataclass(frozen=True, slots=True)
class Reduced:
    """What bringing days up to date came to.

    Parameters
    ----------
    days : int
        Days reduced.
    lost_days, lost_traces : tuple of date
        Days, and days of blocks, of which a file was gone or cut: they were worked out again.
    """

    days: int
    lost_days: tuple[date, ...] = ()
    lost_traces: tuple[date, ...] = ()

    @property
    def concerns(self) -> tuple[str, ...]:
        """Say what had lost a file: nothing is missing now, but the disk deserves a look."""
        lost = (("sums of calls", self.lost_days), ("traces of accounts blocked", self.lost_traces))
        return tuple(
            f"{what} of {', '.join(map(str, days))} were worked out again: a file of theirs was "
            "gone or cut"
            for what, days in lost
            if days
        )


def reduce_days(
    lake: Lake,
    *,
    as_of: datetime,
    back_days: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> Reduced:
    """Bring `account_days` and `blocked_traces` up to date for a midnight.

    Small days are committed several together; a killed run leaves whole days undone,
    and the next one does them.

    Parameters
    ----------
    lake : Lake
        Where everything is.
    as_of : datetime
        Midnight UTC; days from it on are left alone.
    back_days : int, optional
        Only so many days before the midnight, and no traces of newly blocked accounts:
        for runs between nights. None takes every day that a window reads.
    progress : callable, optional
        Told in words which day is being reduced.

    Returns
    -------
    Reduced
        How many days were, and which for want of a file.
    """
    costs = cost_book(lake)
    state = state_of_days(lake, costs)  # before the session: what comes later is stale next time
    con = lake.connect_raw("fraud")
    left_out = left_alone(lake, as_of=as_of)
    blocked = blocked_ever(con, left_out=left_out)
    until = as_of.date()
    oldest = until - timedelta(days=lake.settings.retention.feature_days)
    lost = _lost(lake, SUMS, oldest, until)
    lost_state = _lost(lake, (REDUCED_DAYS,), oldest, until)
    traceable = oldest + timedelta(days=HISTORY_DAYS)
    lost_traces = _lost(lake, (BLOCKED_TRACES,), traceable, until + timedelta(days=1))
    taken = _taken(lake, lost_traces)
    wanted = _wanted(oldest, until, blocked)
    if back_days is not None:
        wanted = {day for day in wanted if day >= until - timedelta(days=back_days)}
        again = blocked.filter(pl.col("trace_date").is_in(list(lost_traces)))
        blocked = pl.concat([blocked.join(taken, on=_BLOCK, how="semi"), again])
    stale = stale_days(lake, state, (wanted | lost) - lost_state)
    changed = lost_state.union(stale)  # of other days lost sums come out as they were
    days = sorted(changed | lost)
    _reduce(lake, con, days, state, costs, progress or _silent)
    _trace(lake, blocked, until, taken, changed, lost_traces, left_out)
    _drop_keys(lake, {key_of(number) for number in numbers_left_alone(lake, as_of=as_of)})
    return Reduced(len(days), tuple(sorted(lost)), tuple(sorted(lost_traces)))


def _lost(lake: Lake, tables: Collection[Table], since: date, until: date) -> set[date]:
    """Return the days before ``until`` of which a file is gone or cut."""
    days = {
        date.fromisoformat(file.partition[table.partition_by[0]])
        for table in tables
        for file in missing(lake, table)
    }
    return {day for day in days if since <= day < until}


def state_of_days(lake: Lake, costs: CostBook | None) -> pl.DataFrame:
    """Return what `reduced_days` must say of each day with calls; no call is read."""
    files = [
        (file.partition["call_date"], file.rows, file.bounds.get("ingested_at", ("", ""))[1])
        for file in lake.files(CALLS)
    ]
    columns = pl.Schema(
        {"call_date": pl.String(), "call_rows": pl.Int64(), "newest_ingested_at": pl.String()}
    )
    found = pl.DataFrame(files, schema=columns, orient="row")
    of_day = found.group_by("call_date").agg(
        pl.col("call_rows").sum(), pl.col("newest_ingested_at").max()
    )
    of_day = of_day.with_columns(pl.col("call_date").str.to_date())
    makers = [_maker(day, costs) for day in of_day["call_date"]]
    return REDUCED_DAYS.conform(of_day.with_columns(made_by=pl.Series(makers, dtype=pl.String)))


def _maker(day: date, costs: CostBook | None) -> str:
    """Return what changes when a day would be reduced otherwise than it was: code or prices."""
    if costs is None:
        return made_by()
    return sha256(f"{made_by()} {costs.version(day)}".encode()).hexdigest()[:16]


def stale_days(lake: Lake, state: pl.DataFrame, wanted: Collection[date]) -> list[date]:
    """Return those of some days whose calls changed since they were reduced, oldest first.

    A day is current when the log has as many rows of it, and the same newest arrival,
    as when it was reduced, and the statements and prices are the same.
    """
    done = lake.scan(REDUCED_DAYS, dates=wanted).collect()
    there = state.filter(pl.col("call_date").is_in(list(wanted)))
    changed = there.join(done, on=there.columns, how="anti")["call_date"]
    gone = done.join(there, on="call_date", how="anti")["call_date"]
    return sorted({*changed, *gone})


def _wanted(oldest: date, until: date, blocked: pl.DataFrame) -> set[date]:
    """Return the days that windows read: those before the midnight, and before each block."""
    ends = {until, *blocked.filter(pl.col("trace_date") < until)["trace_date"].to_list()}
    days = {end - timedelta(days=back) for end in ends for back in range(1, HISTORY_DAYS + 1)}
    return {day for day in days if oldest <= day < until}


def _reduce(
    lake: Lake,
    con: Connection,
    days: Sequence[date],
    state: pl.DataFrame,
    costs: CostBook | None,
    progress: Callable[[str], None],
) -> None:
    waiting: list[tuple[date, ReducedDay]] = []
    for place, day in enumerate(days, start=1):
        progress(f"  {day.isoformat()}: day {place} of {len(days)}")
        waiting.append((day, reduce_day(con, day, costs.of_day(day) if costs else None)))
        full = sum(one.account_day_keys.height for _, one in waiting) >= ROWS_A_COMMIT
        if full or place == len(days):
            _write(lake, waiting, state)
            waiting = []


def _write(
    lake: Lake,
    reduced: Sequence[tuple[date, ReducedDay]],
    state: pl.DataFrame,
) -> None:
    days = [day for day, _ in reduced]
    rows = {
        ACCOUNT_DAYS: pl.concat([one.account_days for _, one in reduced]),
        ACCOUNT_DAY_KEYS: pl.concat([one.account_day_keys for _, one in reduced]),
        REDUCED_DAYS: state.filter(pl.col("call_date").is_in(days)),
    }
    lake.replace_days(rows, days, lasting=True)


def _trace(
    lake: Lake,
    blocked: pl.DataFrame,
    until: date,
    taken: pl.DataFrame,
    changed: Collection[date],
    lost: Collection[date],
    left_out: Collection[str],
) -> None:
    """Take the traces of blocked accounts that have none, or whose days have changed.

    Those of accounts of which no block is known any more go.
    """
    seen_from = {
        day + timedelta(days=ahead) for day in changed for ahead in range(1, HISTORY_DAYS + 1)
    }
    reopened = pl.col("trace_date").is_in(list(seen_from))
    kept = taken.join(blocked, on=_BLOCK, how="semi").filter(~reopened)
    due = blocked.filter(pl.col("trace_date") <= until).join(kept, on=_BLOCK, how="anti")
    gone = taken.join(kept, on=_BLOCK, how="anti")
    con = lake.connect_raw("fraud")
    for dates in _together({*due["trace_date"], *gone["trace_date"], *lost}):
        of_dates = pl.col("trace_date").is_in(dates)
        whole = [day for day in dates if day not in lost]
        stay = lake.scan(BLOCKED_TRACES, dates=whole).collect().join(kept, on=_BLOCK, how="semi")
        fresh = traces(con, due.filter(of_dates), left_out=left_out)
        lake.replace_days({BLOCKED_TRACES: pl.concat([stay, fresh])}, dates)


def _taken(lake: Lake, lost: Collection[date]) -> pl.DataFrame:
    """Return the blocks whose traces were taken and are there."""
    there = {date.fromisoformat(f.partition["trace_date"]) for f in lake.files(BLOCKED_TRACES)}
    found = lake.scan(BLOCKED_TRACES, dates=there.difference(lost))
    return found.select(_BLOCK).unique().collect()


def _drop_keys(lake: Lake, keys: Collection[str]) -> None:
    """Remove what stands for numbers of people who object: nobody is compared by them."""
    if not keys:
        return
    theirs = pl.col("key").is_in(list(keys))
    dates = lake.scan(BLOCKED_TRACES).filter(theirs).collect()["trace_date"].unique()
    if dates.len():
        stay = lake.scan(BLOCKED_TRACES, dates=dates).filter(~theirs).collect()
        lake.replace_days({BLOCKED_TRACES: stay}, dates)


def _together(dates: Collection[date]) -> Iterator[list[date]]:
    """Split days into runs that span no more than :data:`DATES_AT_ONCE` days, in order."""
    run: list[date] = []
    for day in sorted(dates):
        if run and day - run[0] >= timedelta(days=DATES_AT_ONCE):
            yield run
            run = []
        run.append(day)
    if run:
        yield run


def _silent(_: str) -> None:
    """Say nothing."""
