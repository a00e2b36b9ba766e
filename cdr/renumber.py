"""Numbers of the calls that are there, read again with newer numbering metadata.

First a report of what would change, from what the switches wrote; then, where somebody
wants it, the change (`amend`). Whose call it is, and which way it went, stays as it was decided.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from cdr.amend import Amendment, Progress, Reading, amend, files_by_day
from cdr.errors import DAMAGED_FILE, StorageFailed, storage
from cdr.lake import DataFile, Lake
from cdr.normalise.numbers import NUMBERING_VERSION, Validity
from cdr.normalise.outside_line import read_end
from cdr.schema import CALLS
from cdr.settings import SourceSettings

SIDES = ("caller", "callee")
PARTS = ("number", "party", "country", "number_type")
"""What the metadata decide of each side; what the switch wrote is `<side>_raw`."""

UNALLOCATED = "unallocated_callee"
"""The flag that rests on the metadata as well."""

_FIELDS = (*(f"{side}_{part}" for side in SIDES for part in PARTS), "forwarded_to")
_HIDDEN = tuple(field for field in _FIELDS if field.endswith(("_number", "_party", "_to")))
"""Fields of which a report says only whether there is a value."""

_LONGEST_SHOWN = 4  # ours: a calling code and a digit, nobody's number


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which calls read otherwise now.

    Parameters
    ----------
    field : str
        Column of `calls`, or the flag.
    before, after : str or None
        What stands there and what would; of numbers and parties only whether there is one.
    calls : int
        How many.
    example : str or None
        What a switch wrote in one of them, masked.
    """

    field: str
    before: str | None
    after: str | None
    calls: int
    example: str | None


@dataclass(frozen=True, slots=True)
class Renumbering:
    """What reading again came to.

    Parameters
    ----------
    version : str
        The metadata read with.
    days : tuple of date
        Days that have calls read with other metadata.
    read, changed : int
        Calls read again, and those that read otherwise.
    left : dict of str to int
        Calls of sources that are not in the settings, by source: they stay as they are,
        since nothing says what country they dialled in.
    differences : tuple of Difference
        The most frequent first.
    harmed : tuple of date
        Days passed over, as a file of theirs is damaged.
    """

    version: str
    days: tuple[date, ...]
    read: int
    changed: int
    left: dict[str, int]
    differences: tuple[Difference, ...]
    harmed: tuple[date, ...] = ()

    @property
    def concerns(self) -> tuple[str, ...]:
        """Say which days were passed over."""
        days = ", ".join(map(str, self.harmed))
        return (f"numbers of calls of {days} not read again: {DAMAGED_FILE}",) if days else ()


def compare(
    lake: Lake, sources: Mapping[str, SourceSettings], *, progress: Progress | None = None
) -> Renumbering:
    """Report what would change if numbers were read with the metadata of today.

    Writes nothing; one file is in memory at a time.

    Parameters
    ----------
    lake : Lake
        Whose calls.
    sources : mapping of str to SourceSettings
        The switches by name: the country each dialled in.
    progress : callable, optional
        See `cdr.amend.Progress`.
    """
    days, harmed = list[date](), list[date]()
    read = changed = 0
    left: Counter[str] = Counter()
    found = _NO_DIFFERENCES
    by_day = files_by_day(lake)
    for number, (day, files) in enumerate(by_day.items(), start=1):
        try:
            older = [file for file in files if _is_older(lake, file)]
            lake.check_whole(CALLS, older)
        except StorageFailed as error:
            if error.kind != DAMAGED_FILE:
                raise
            harmed.append(day)
            continue
        for file in older:
            rows = lake.scan_files(CALLS, [file]).filter(_OLDER).collect()
            known = rows.filter(pl.col("source").is_in(list(sources)))
            unknown = rows.filter(~pl.col("source").is_in(list(sources)))
            left.update(dict(unknown["source"].value_counts().iter_rows()))
            again = _reread(known, sources)
            read += known.height
            changed += int(_differs(known, again).sum())
            found = _summed(pl.concat([found, _differences(known, again)]))
            if known.height and day not in days:
                days.append(day)
        if progress:
            progress(number, len(by_day))
    ordered = found.sort("calls", "field", "before", "after", descending=[True, *[False] * 3])
    differences = tuple(Difference(**row) for row in ordered.iter_rows(named=True))
    return Renumbering(
        NUMBERING_VERSION, tuple(days), read, changed, dict(left), differences, tuple(harmed)
    )


def renumber(
    lake: Lake,
    sources: Mapping[str, SourceSettings],
    *,
    now: datetime,
    besides: Collection[date] = (),
    progress: Progress | None = None,
) -> int:
    """Read the numbers again and commit what differs, one batch a day; safe to repeat.

    Parameters
    ----------
    lake, sources, progress
        As `compare` takes them.
    now : datetime
        When the calls came to read as they do, with a time zone.
    besides : collection of date
        Days that are left as they are.

    Returns
    -------
    int
        Calls that read otherwise now.

    Raises
    ------
    StorageFailed
        If the disk refuses; days before are done, this one is as it was.
    """
    said = Amendment("renumber", "renumbered", f"(numbers read with {NUMBERING_VERSION})")
    return amend(
        lake,
        [day for day in files_by_day(lake) if day not in besides],
        said,
        lambda file: _read_again(lake, file, sources),
        now=now,
        progress=progress,
    )


_OLDER = pl.col("numbering_version") != NUMBERING_VERSION


def _is_older(lake: Lake, file: DataFile) -> bool:
    with storage("reading calls"):
        versions = lake.scan_files(CALLS, [file]).select(_OLDER.any()).collect()
    return bool(versions.item())


def _read_again(
    lake: Lake, file: DataFile, sources: Mapping[str, SourceSettings]
) -> Reading | None:
    """Read a file's calls with the metadata of today; None where it has none of others."""
    if not _is_older(lake, file):
        return None
    rows = lake.scan_files(CALLS, [file]).collect()
    concerned = rows.select(_OLDER & pl.col("source").is_in(list(sources))).to_series()
    if not concerned.any():
        return None
    before = pl.concat([rows.filter(~concerned), rows.filter(concerned)])
    again = _reread(rows.filter(concerned), sources).with_columns(
        pl.lit(NUMBERING_VERSION).alias("numbering_version")
    )
    after = pl.concat([rows.filter(~concerned), again])
    return Reading(before, after, _differs(before, after))


def _reread(calls: pl.DataFrame, sources: Mapping[str, SourceSettings]) -> pl.DataFrame:
    """Read both ends of each call again; rows stay in their order."""
    if calls.is_empty():
        return calls
    numbered = calls.with_row_index("place")
    parts = [
        _reread_source(numbered.filter(pl.col("source") == name), sources[name])
        for name in calls["source"].unique()
    ]
    return pl.concat(parts).sort("place").drop("place")


def _reread_source(calls: pl.DataFrame, source: SourceSettings) -> pl.DataFrame:
    ends = calls.with_columns(
        read_end(text, source, dialled=name != "caller").alias(f"{name}_end")
        for name, text in {
            **{side: pl.coalesce(f"{side}_raw", f"{side}_number") for side in SIDES},
            "forwarded_to": pl.col("forwarded_to"),
        }.items()
    )
    callee = pl.col("callee_end").struct
    unallocated = pl.lit(Validity.UNALLOCATED.value) == callee.field("validity")
    return ends.with_columns(
        *(column for side in SIDES for column in _read_side(side)),
        pl.coalesce(
            pl.col("forwarded_to_end").struct.field("number"),
            pl.col("forwarded_to_end").struct.field("party"),
            "forwarded_to",
        ).alias("forwarded_to"),
        _with_flag(unallocated & pl.col("callee_raw").is_not_null()),
    ).select(calls.columns)


def _read_side(side: str) -> Iterator[pl.Expr]:
    """Write what a side reads as; what retention took away since does not come back."""
    raw, number = pl.col(f"{side}_raw"), pl.col(f"{side}_number")
    for part in PARTS:
        name = f"{side}_{part}"
        there = raw.is_not_null() if part == "party" else raw.is_not_null() | number.is_not_null()
        new = pl.col(f"{side}_end").struct.field(part)
        yield pl.when(there).then(new).otherwise(name).alias(name)


def _with_flag(unallocated: pl.Expr) -> pl.Expr:
    flags = pl.col("flags")
    has = flags.list.contains(UNALLOCATED)
    return (
        pl.when(has & ~unallocated & pl.col("callee_raw").is_not_null())
        .then(flags.list.set_difference(pl.lit([UNALLOCATED])))
        .when(~has & unallocated)
        .then(flags.list.concat(pl.lit([UNALLOCATED])))
        .otherwise(flags)
        .alias("flags")
    )


def _differs(before: pl.DataFrame, after: pl.DataFrame) -> pl.Series:
    different = pl.Series([False]).new_from_index(0, before.height)
    for field in _FIELDS:
        different |= before[field].ne_missing(after[field])
    return different | (_flagged(before) != _flagged(after))


def _flagged(calls: pl.DataFrame) -> pl.Series:
    return calls["flags"].list.contains(UNALLOCATED)


_NO_DIFFERENCES = pl.DataFrame(
    schema={
        "field": pl.String,
        "before": pl.String,
        "after": pl.String,
        "calls": pl.Int64,
        "example": pl.String,
    }
)


def _differences(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Count in which ways calls read otherwise, with an example of each, masked."""
    seen = [_NO_DIFFERENCES]
    for field in _FIELDS:
        written = before.get_column(f"{field.partition('_')[0]}_raw", default=before[field])
        seen.append(_counted(field, before[field], after[field], written))
    old, new = (
        flagged.replace_strict({True: UNALLOCATED}, default=None, return_dtype=pl.String)
        for flagged in (_flagged(before), _flagged(after))
    )
    return pl.concat([*seen, _counted("flags", old, new, before["callee_raw"])])


def _counted(field: str, old: pl.Series, new: pl.Series, raw: pl.Series) -> pl.DataFrame:
    rows = pl.DataFrame({"before": old, "after": new, "raw": raw})
    rows = rows.filter(pl.col("before").ne_missing(pl.col("after")))
    if field in _HIDDEN:
        there = {name: pl.col(name).is_not_null() for name in ("before", "after")}
        said = {name: pl.when(is_there).then(pl.lit("a value")) for name, is_there in there.items()}
        other = pl.when(there["before"] & there["after"]).then(pl.lit("another value"))
        rows = rows.with_columns(before=said["before"], after=pl.coalesce(other, said["after"]))
    return (
        rows.group_by("before", "after")
        .agg(
            pl.len().cast(pl.Int64).alias("calls"), _masked(pl.col("raw")).first().alias("example")
        )
        .select(pl.lit(field).alias("field"), "before", "after", "calls", "example")
    )


def _masked(text: pl.Expr) -> pl.Expr:
    """Show a few signs of what a switch wrote, fewer than half, and how long it was."""
    shown = pl.min_horizontal(text.str.len_chars() // 2, pl.lit(_LONGEST_SHOWN))
    return text.str.head(shown) + text.str.slice(shown).str.replace_all(".", "x")


def _summed(differences: pl.DataFrame) -> pl.DataFrame:
    return differences.group_by("field", "before", "after").agg(
        pl.col("calls").sum(), pl.col("example").drop_nulls().first()
    )
