"""Accounts for calls that found none when they were taken in: numbers, or a setting, came later.

First a report, then the change (`amend`). A call that has an account keeps it and its direction:
bills were counted on it, and only a correction by the switch moves it. What the record itself said
is not overruled, and what a law keeps for one purpose is not touched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import polars as pl

from cdr.amend import Amendment, Progress, Reading, amend, files_by_day
from cdr.errors import DAMAGED_FILE, StorageFailed, storage
from cdr.lake import DataFile, Lake
from cdr.normalise.owners import NO_ACCOUNT, OWN_WAY, with_account
from cdr.schema import ACCOUNT_NUMBERS, CALLS
from cdr.settings import SourceSettings

DIRECTIONS = ("outbound", "inbound", "internal")


@dataclass(frozen=True, slots=True)
class SourceFound:
    """Calls of one source without an account, and what would become of them.

    Parameters
    ----------
    source : str
        Its name.
    account_from : str or None
        How the settings say its calls find their account; null where they do not name it.
    without : int
        Calls without an account.
    found : int
        Those of them that find one now; the sum of the next three.
    outbound, inbound, internal : int
        Which way these went.
    """

    source: str
    account_from: str | None
    without: int
    found: int
    outbound: int
    inbound: int
    internal: int


@dataclass(frozen=True, slots=True)
class Reassignment:
    """What looking for accounts again came to.

    Parameters
    ----------
    days : tuple of date
        UTC days with calls that find one.
    found : int
        Calls that do.
    sources : tuple of SourceFound
        By name; those whose settings say that they have no accounts are left out.
    harmed : tuple of date
        Days passed over, as a file of theirs is damaged.
    """

    days: tuple[date, ...]
    found: int
    sources: tuple[SourceFound, ...]
    harmed: tuple[date, ...] = ()

    @property
    def concerns(self) -> tuple[str, ...]:
        """Say which days were passed over."""
        days = ", ".join(map(str, self.harmed))
        return (f"accounts not looked for in calls of {days}: {DAMAGED_FILE}",) if days else ()


def compare(
    lake: Lake,
    sources: Mapping[str, SourceSettings],
    *,
    since: date | None = None,
    until: date | None = None,
    progress: Progress | None = None,
) -> Reassignment:
    """Report which calls without an account would find one now; writes nothing.

    One file is in memory at a time, and of it what has no account.

    Parameters
    ----------
    lake : Lake
        Whose calls, and who holds which number.
    sources : mapping of str to SourceSettings
        The switches by name: how their calls find their account.
    since, until : date, optional
        First UTC day looked at, and the first after it that is not.
    progress : callable, optional
        See `cdr.amend.Progress`.
    """
    owners = _owners(lake)
    by_day = files_by_day(lake, since=since, until=until)
    days, harmed = list[date](), list[date]()
    counted = _NONE
    for number, (day, files) in enumerate(by_day.items(), start=1):
        try:
            of_day = [_of_file(lake, file, sources, owners) for file in files]
        except StorageFailed as error:
            if error.kind != DAMAGED_FILE:
                raise
            harmed.append(day)
            continue
        if any(counts["found"].sum() for counts in of_day):
            days.append(day)
        counted = _summed(pl.concat([counted, *of_day]))
        if progress:
            progress(number, len(by_day))
    found = tuple(
        SourceFound(account_from=_way(sources, row["source"]), **row)
        for row in counted.sort("source").iter_rows(named=True)
    )
    total = sum(source.found for source in found)
    return Reassignment(tuple(days), total, found, tuple(harmed))


def reassign(
    lake: Lake,
    sources: Mapping[str, SourceSettings],
    days: Sequence[date],
    *,
    now: datetime,
    progress: Progress | None = None,
) -> int:
    """Give calls of some days the account they find now, one batch a day; safe to repeat.

    Parameters
    ----------
    lake, sources, progress
        As `compare` takes them.
    days : sequence of date
        UTC days: those of the report.
    now : datetime
        When the calls came to have their account, with a time zone.

    Returns
    -------
    int
        Calls that have an account now.

    Raises
    ------
    StorageFailed
        If the disk refuses; days before are done, this one is as it was.
    """
    owners = _owners(lake)
    return amend(
        lake,
        list(days),
        Amendment("reassign", "reassigned", "(accounts found since)"),
        lambda file: _read_again(lake, file, sources, owners),
        now=now,
        progress=progress,
    )


def reassign_for_new_numbers(
    lake: Lake,
    sources: Mapping[str, SourceSettings],
    *,
    imported_since: datetime,
    now: datetime,
    since: date | None = None,
    progress: Progress | None = None,
) -> Reassignment:
    """Give calls the account that numbers taken in lately say; looks only at the days these reach.

    Parameters
    ----------
    lake, sources, now, progress
        As `reassign` takes them.
    imported_since : datetime
        Numbers taken in before are not new.
    since : date, optional
        First UTC day looked at, however far the numbers reach back.

    Returns
    -------
    Reassignment
        What was changed.
    """
    reach = _reach(lake, imported_since)
    if reach is None:
        return Reassignment((), 0, ())
    first = max(reach, since) if since else reach
    found = compare(lake, sources, since=first, progress=progress)
    reassign(lake, sources, found.days, now=now, progress=progress)
    return found


def _reach(lake: Lake, imported_since: datetime) -> date | None:
    """Return the first day on which a number taken in since then was held; None without any."""
    with storage("reading account_numbers"):
        new = lake.scan(ACCOUNT_NUMBERS).filter(pl.col("imported_at") >= imported_since).collect()
    if new.is_empty():
        return None
    begin = new["valid_from"].fill_null(datetime.fromtimestamp(0, UTC)).min()
    assert isinstance(begin, datetime)
    return begin.date()


_LOOKED_AT = (
    "source", "account_id", "direction", "caller_raw", "caller_number", "callee_number",
    "started_at", "flags",
)  # fmt: skip

_COUNTS = ("without", "found", *DIRECTIONS)

_NONE = pl.DataFrame(schema={"source": pl.String, **dict.fromkeys(_COUNTS, pl.Int64)})

_HAS_NONE = pl.col("account_id").is_null() & pl.col("kept_for").is_null()


def _way(sources: Mapping[str, SourceSettings], name: str) -> str | None:
    return sources[name].account_from if name in sources else None


def _owners(lake: Lake) -> pl.DataFrame:
    with storage("reading account_numbers"):
        return lake.scan(ACCOUNT_NUMBERS).drop("imported_at").collect()


def _without(lake: Lake, file: DataFile) -> pl.LazyFrame:
    return lake.scan_files(CALLS, [file]).filter(_HAS_NONE)


def _of_file(
    lake: Lake, file: DataFile, sources: Mapping[str, SourceSettings], owners: pl.DataFrame
) -> pl.DataFrame:
    """Count, by source, the calls of a file without an account, and those that find one."""
    without_by_choice = [name for name, one in sources.items() if one.account_from == "none"]
    with storage("reading calls"):
        rows = _without(lake, file).filter(~pl.col("source").is_in(without_by_choice))
        counts = _counted(_looked_for(rows.select(_LOOKED_AT).collect(), sources, owners))
    if counts["found"].sum():
        lake.check_whole(CALLS, [file])
    return counts


def _read_again(
    lake: Lake, file: DataFile, sources: Mapping[str, SourceSettings], owners: pl.DataFrame
) -> Reading | None:
    """Look for the accounts of a file's calls; None where no call finds one."""
    with storage("reading calls"):
        rows = _without(lake, file).select(_LOOKED_AT).collect()
        if not _looked_for(rows, sources, owners)["account_id"].count():
            return None
        whole = lake.scan_files(CALLS, [file]).collect()
    without = whole.select(_HAS_NONE).to_series()
    before = pl.concat([whole.filter(~without), whole.filter(without)])
    again = _looked_for(whole.filter(without), sources, owners)
    after = pl.concat([whole.filter(~without), again])
    return Reading(before, after, before["account_id"].ne_missing(after["account_id"]))


def _looked_for(
    calls: pl.DataFrame, sources: Mapping[str, SourceSettings], owners: pl.DataFrame
) -> pl.DataFrame:
    """Give calls without an account the one they find; rows stay in their order."""
    numbered = calls.with_row_index("place")
    parts = [
        _found(part, sources[name], owners) if name in sources else part
        for (name,), part in numbered.partition_by("source", as_dict=True).items()
    ]
    return pl.concat([numbered.clear(), *parts]).sort("place").drop("place")


def _found(calls: pl.DataFrame, source: SourceSettings, owners: pl.DataFrame) -> pl.DataFrame:
    """Look as `with_account` does as calls are taken in; the file's own words are not kept."""
    said = (pl.col("direction") != "outbound") | pl.col("flags").list.contains(OWN_WAY)
    unknown = pl.lit(None, pl.String)
    again = with_account(
        calls.select(
            "caller_number", "callee_number", "started_at",
            pl.col("caller_raw").alias("caller"),
            pl.when(said).then("direction").alias("direction"),
            unknown.alias("account_code"), unknown.alias("trunk"),
        ),
        source, owners,
    )  # fmt: skip
    found = again["account_id"].is_not_null()
    return calls.with_columns(
        again["account_id"],
        pl.when(found).then(again["direction"]).otherwise("direction").alias("direction"),
        pl.when(found)
        .then(pl.col("flags").list.filter(~pl.element().is_in([NO_ACCOUNT, OWN_WAY])))
        .otherwise("flags")
        .alias("flags"),
    )


def _counted(calls: pl.DataFrame) -> pl.DataFrame:
    found = pl.col("account_id").is_not_null()
    return calls.group_by("source").agg(
        pl.len().cast(pl.Int64).alias("without"),
        found.sum().cast(pl.Int64).alias("found"),
        *(
            (found & (pl.col("direction") == way)).sum().cast(pl.Int64).alias(way)
            for way in DIRECTIONS
        ),
    )


def _summed(counted: pl.DataFrame) -> pl.DataFrame:
    return counted.group_by("source").agg(pl.col(_COUNTS).sum())
