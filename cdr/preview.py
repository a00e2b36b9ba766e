"""A look at a file before it is taken in: its first records as they would be understood.

Writes nothing. What format a file may be in is proposed here as well, by reading its
first records with every reader; whether to believe it is for a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from cdr.errors import CdrError, FormatError, shown
from cdr.formats import FORMATS, by_name
from cdr.formats.record import RECORD, Format
from cdr.input_files import check_file
from cdr.normalise.calls import Stamp, to_calls
from cdr.schema import ACCOUNT_NUMBERS
from cdr.settings import SourceSettings

_BLOCK_BYTES = 1 << 18  # ours: some thousand records, read in a few hundredths of a second
_PROPOSAL_RECORDS = 200  # ours: enough that one odd record does not decide
_IS = ("is a ", "is UTF-16", "is compressed", "is not text", "its compressed data")
"""How a refusal begins that says what a file is, and not what a format misses in it."""
_NO_OWNERS = ACCOUNT_NUMBERS.empty().drop("imported_at")


@dataclass(frozen=True, slots=True)
class Preview:
    """The first records of a file.

    Parameters
    ----------
    records : int
        How many were looked at.
    calls : DataFrame
        Those understood, with the columns of `cdr.schema.CALLS`.
    set_aside : DataFrame
        The others: `line`, `reasons` and `raw`, the record as it stands in the file.
    """

    records: int
    calls: pl.DataFrame
    set_aside: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Proposal:
    """How well one format fits a file.

    Parameters
    ----------
    format : str
        Its name.
    looked_at, taken_apart, understood : int
        Of the first records: all, those whose fields were found, and those of them
        that are calls; with another layout of times fields are found and no call.
    reasons : tuple of str
        Why the others are none, the most frequent first.
    """

    format: str
    looked_at: int
    taken_apart: int
    understood: int
    reasons: tuple[str, ...]


def preview(
    file: Path,
    source: SourceSettings,
    *,
    now: datetime,
    owners: pl.DataFrame | None = None,
    records: int = 20,
) -> Preview:
    """Read the first records of a file the way `ingest` would.

    Parameters
    ----------
    file : Path
        A call file of the source.
    source : SourceSettings
        Format, zone, country and the way to the account.
    now : datetime
        The time of arrival to assume, with a time zone.
    owners : DataFrame, optional
        Who holds which number, as `cdr.normalise.calls.to_calls` takes it.
    records : int, default=20
        How many to look at, in the order of the file.

    Raises
    ------
    FormatError
        If the file is not in the source's format.
    UnknownFormat
        If no reader has the source's format.
    """
    form = by_name(source.format)
    check_file(file)
    first = _first_records(file, form, source, records)
    calls, rejects = to_calls(
        first,
        source=source,
        times=form.times,
        owners=_NO_OWNERS if owners is None else owners,
        stamp=Stamp(source.format, shown(file), "preview", now),
    )
    return Preview(first.height, calls, rejects.select("line", "reasons", "raw"))


def propose(file: Path, *, country: str, now: datetime) -> list[Proposal]:
    """Try every format on the first records of a file.

    Parameters
    ----------
    file : Path
        A call file.
    country : str
        ISO 3166-1 alpha-2 code to read numbers with; decides nothing.
    now : datetime
        The time of arrival to assume, with a time zone.

    Returns
    -------
    list of Proposal
        Formats that can take at least one record apart, the best first.

    Raises
    ------
    FormatError
        If there is no such file.
    """
    check_file(file)
    found = [_proposal(file, name, country, now) for name in sorted(FORMATS)]
    fitting = [proposal for proposal in found if proposal and proposal.taken_apart]
    return sorted(fitting, key=lambda p: (p.understood, p.taken_apart), reverse=True)


def refusal(file: Path, *, country: str) -> str | None:
    """Say what a file is that holds no calls for any reader: empty, CMR, an archive, UTF-16.

    Returns
    -------
    str or None
        As the reader says it; None where none knows it.
    """
    if not file.stat().st_size:
        return "is empty"
    for name in sorted(FORMATS):
        source = SourceSettings(format=name, zone="UTC", country=country)
        try:
            _first_records(file, by_name(name), source, 1)
        except FormatError as error:
            if error.fault.startswith(_IS):
                return error.fault
        except CdrError:
            continue
    return None


def _proposal(file: Path, name: str, country: str, now: datetime) -> Proposal | None:
    source = SourceSettings(format=name, zone="UTC", country=country)
    try:
        first = _first_records(file, by_name(name), source, _PROPOSAL_RECORDS)
    except CdrError:
        return None
    stamp = Stamp(name, shown(file), "preview", now)
    calls, rejects = to_calls(
        first, source=source, times=FORMATS[name].times, owners=_NO_OWNERS, stamp=stamp
    )
    whole = first.filter(pl.col("faults").list.len() == 0)
    return Proposal(
        name,
        looked_at=first.height,
        taken_apart=whole.height,
        understood=calls.height,
        reasons=_by_frequency(rejects),
    )


def _by_frequency(rejects: pl.DataFrame) -> tuple[str, ...]:
    counts = rejects["reasons"].explode().value_counts(sort=True)
    return tuple(counts["reasons"].drop_nulls())


def _first_records(file: Path, form: Format, source: SourceSettings, records: int) -> pl.DataFrame:
    found: Sequence[pl.DataFrame] = [RECORD.to_frame()]
    for frame in form.read(file, source, _BLOCK_BYTES):
        found = [*found, frame]
        if sum(each.height for each in found) >= records:
            break
    return pl.concat(found).sort("line").head(records)
