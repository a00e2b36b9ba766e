"""Accounts for calls that found none when they were taken in: numbers, or a setting, came later.

First a report, then the change (`amend`). A call that has an account keeps it, for bills were
counted on it; where a number gave it, and another account held that number, it moves if that is
asked for. Its direction stays. What the record itself said is not overruled, and what a law keeps
for one purpose is not touched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import polars as pl

from cdr.amend import Amendment, Progress, Reading, amend, files_by_day
from cdr.errors import DAMAGED_FILE, StorageFailed, storage
from cdr.lake import DataFile, Lake
from cdr.normalise.owners import NO_ACCOUNT, OWN_WAY, moved_to, with_account
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
    moved : int
        Calls that have an account by a number which another account held then; 0 where it was not
        asked.
    """

    source: str
    account_from: str | None
    without: int
    found: int
    outbound: int
    inbound: int
    internal: int
    moved: int = 0


@dataclass(frozen=True, slots=True)
class Reassignment:
    """What looking for accounts again came to.

    Parameters
    ----------
    days : tuple of date
        UTC days with calls that find one, or another.
    found : int
        Calls that find one.
    sources : tuple of SourceFound
        By name; those whose settings say that they have no accounts are left out.
    harmed : tuple of date
        Days passed over, as a file of theirs is damaged.
    overtaken : tuple of date
        Days with calls that keep an account although numbers taken in since say another.
    """

    days: tuple[date, ...]
    found: int
    sources: tuple[SourceFound, ...]
    harmed: tuple[date, ...] = ()
    overtaken: tuple[date, ...] = ()

    @property
    def moved(self) -> int:
        """Calls that have an account by a number which another account held then."""
        return sum(source.moved for source in self.sources)

    @property
    def concerns(self) -> tuple[str, ...]:
        """Say which days were passed over, and which are a person's to decide on."""
        said = []
        if days := ", ".join(map(str, self.harmed)):
            said.append(f"accounts not looked for in calls of {days}: {DAMAGED_FILE}")
        if self.overtaken:
            said.append(
                f"by numbers that came since, calls of {len(self.overtaken)} days from "
                f"{self.overtaken[0]} on are another account's than the one they have: "
                f"`callsieve lake reassign --moved --since {self.overtaken[0]}` counts them"
            )
        return tuple(said)


def compare(
    lake: Lake,
    sources: Mapping[str, SourceSettings],
    *,
    since: date | None = None,
    until: date | None = None,
    moved: bool = False,
    progress: Progress | None = None,
) -> Reassignment:
    """Report which calls without an account would find one now; writes nothing.

    One file is in memory at a time, and of it what has no account or, with ``moved``, may move.

    Parameters
    ----------
    lake : Lake
        Whose calls, and who holds which number.
    sources : mapping of str to SourceSettings
        The switches by name: how their calls find their account.
    since, until : date, optional
        First UTC day looked at, and the first after it that is not.
    moved : bool, default=False
        Look also at calls that have an account by a number which another account held then.
    progress : callable, optional
        See `cdr.amend.Progress`.
    """
    known = _Known(sources, _owners(lake), moved)
    by_day = files_by_day(lake, since=since, until=until)
    days, harmed = list[date](), list[date]()
    counted = _NONE
    for number, (day, files) in enumerate(by_day.items(), start=1):
        try:
            of_day = [_of_file(lake, file, known) for file in files]
        except StorageFailed as error:
            if error.kind != DAMAGED_FILE:
                raise
            harmed.append(day)
            continue
        if any(counts.select("found", "moved").sum_horizontal().sum() for counts in of_day):
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
    moved: bool = False,
    progress: Progress | None = None,
) -> int:
    """Give calls of some days the account they find now, one batch a day; safe to repeat.

    Parameters
    ----------
    lake, sources, moved, progress
        As `compare` takes them.
    days : sequence of date
        UTC days: those of the report.
    now : datetime
        When the calls came to have their account, with a time zone.

    Returns
    -------
    int
        Calls that have an account now, or another.

    Raises
    ------
    StorageFailed
        If the disk refuses; days before are done, this one is as it was.
    """
    known = _Known(sources, _owners(lake), moved)
    return amend(
        lake,
        list(days),
        Amendment("reassign", "reassigned", "(accounts found since)"),
        lambda file: _read_again(lake, file, known),
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

    Calls whose account these numbers contradict keep it, and are told of.

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
    with storage("reading account_numbers"):
        new = lake.scan(ACCOUNT_NUMBERS).filter(pl.col("imported_at") >= imported_since).collect()
    if new.is_empty():
        return Reassignment((), 0, ())
    reach = _reach(new)
    first = max(reach, since) if since else reach
    found = compare(lake, sources, since=first, progress=progress)
    reassign(lake, sources, found.days, now=now, progress=progress)
    given_up = new["valid_to"].min()
    if isinstance(given_up, datetime) and given_up < now:
        first = max(given_up.date(), since) if since else given_up.date()
        overtaken = compare(lake, sources, since=first, moved=True, progress=progress)
        found = replace(found, overtaken=overtaken.days)
    return found


def _reach(new: pl.DataFrame) -> date:
    """Return the first day on which one of some numbers was held."""
    begin = new["valid_from"].fill_null(datetime.fromtimestamp(0, UTC)).min()
    assert isinstance(begin, datetime)
    return begin.date()


_LOOKED_AT = (
    "source", "account_id", "direction", "caller_raw", "caller_number", "callee_number",
    "started_at", "flags",
)  # fmt: skip

_COUNTS = ("without", "found", *DIRECTIONS, "moved")

_NONE = pl.DataFrame(schema={"source": pl.String, **dict.fromkeys(_COUNTS, pl.Int64)})


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known now: how sources find accounts, who held which number, and what is asked."""

    sources: Mapping[str, SourceSettings]
    owners: pl.DataFrame
    moved: bool

    def named(self, account_from: str) -> list[str]:
        return [name for name, one in self.sources.items() if one.account_from == account_from]

    @property
    def open_rows(self) -> pl.Expr:
        """Calls that may be given an account."""
        free, none = pl.col("kept_for").is_null(), pl.col("account_id").is_null()
        by_number = pl.col("source").is_in(self.named("number"))
        return free & (none | by_number) if self.moved else free & none


def _way(sources: Mapping[str, SourceSettings], name: str) -> str | None:
    return sources[name].account_from if name in sources else None


def _owners(lake: Lake) -> pl.DataFrame:
    with storage("reading account_numbers"):
        return lake.scan(ACCOUNT_NUMBERS).drop("imported_at").collect()


def _of_file(lake: Lake, file: DataFile, known: _Known) -> pl.DataFrame:
    """Count, by source, the calls of a file that are open, and those that find an account."""
    with storage("reading calls"):
        rows = lake.scan_files(CALLS, [file]).filter(known.open_rows)
        rows = rows.filter(~pl.col("source").is_in(known.named("none")))
        calls = rows.select(_LOOKED_AT).collect()
    counts = _counted(_looked_for(calls, known), calls["account_id"])
    if counts.select("found", "moved").sum_horizontal().sum():
        lake.check_whole(CALLS, [file])
    return counts


def _read_again(lake: Lake, file: DataFile, known: _Known) -> Reading | None:
    """Look for the accounts of a file's calls; None where no call finds one."""
    with storage("reading calls"):
        rows = lake.scan_files(CALLS, [file]).filter(known.open_rows).select(_LOOKED_AT).collect()
        if not rows["account_id"].ne_missing(_looked_for(rows, known)["account_id"]).any():
            return None
        whole = lake.scan_files(CALLS, [file]).collect()
    is_open = whole.select(known.open_rows).to_series()
    before = pl.concat([whole.filter(~is_open), whole.filter(is_open)])
    again = _looked_for(whole.filter(is_open), known)
    after = pl.concat([whole.filter(~is_open), again])
    return Reading(before, after, before["account_id"].ne_missing(after["account_id"]))


def _looked_for(calls: pl.DataFrame, known: _Known) -> pl.DataFrame:
    """Give open calls the account they find; rows stay in their order."""
    numbered = calls.with_row_index("place")
    none = numbered.filter(pl.col("account_id").is_null())
    has = numbered.filter(pl.col("account_id").is_not_null())
    parts = [
        _found(part, known.sources[name], known.owners) if name in known.sources else part
        for (name,), part in none.partition_by("source", as_dict=True).items()
    ]
    other = pl.coalesce(moved_to(has, known.owners), "account_id")
    parts.append(has.with_columns(other.alias("account_id")))
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


def _counted(calls: pl.DataFrame, before: pl.Series) -> pl.DataFrame:
    without = pl.col("before").is_null()
    found = without & pl.col("account_id").is_not_null()
    ways = [(found & (pl.col("direction") == way)).sum().alias(way) for way in DIRECTIONS]
    moved = (~without & (pl.col("account_id") != pl.col("before"))).sum().alias("moved")
    return (
        calls.with_columns(before=before)
        .group_by("source")
        .agg(without.sum().alias("without"), found.sum().alias("found"), *ways, moved)
        .cast(_NONE.schema)
    )


def _summed(counted: pl.DataFrame) -> pl.DataFrame:
    return counted.group_by("source").agg(pl.col(_COUNTS).sum())
