"""What became of each file: counted while it is read, reported once it is decided on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import polars as pl

from cdr.dedupe import Fate
from cdr.normalise.calls import OFFSET_CONTRADICTED, Stamp
from cdr.normalise.owners import NO_ACCOUNT
from cdr.settings import SourceSettings

BYE_ALONE = "bye_without_invite"
"""Reason why a row was set aside that ends a call whose beginning was not in its file."""

MISSING_BYE = "missing_bye"
"""Flag of a call whose end was not in its file."""

STRAYS = 1000
"""Where fewer than one of so many calls contradict their source's zone, nothing is said. Ours:
Asterisk begins a new record of a channel that is put through, which is by chance a quarter of an
hour after it was made; a wrong zone is contradicted by most calls since the clocks changed."""

LONGEST = timedelta(days=1)
"""A BYE later than this after the start ends no call. Ours: switches cut calls after hours."""


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file; ``read`` is the sum of the next four, in rows.

    ``state`` is `done`, `known` (its bytes were taken in before; all its rows
    count as duplicates) or `refused` (see ``fault``; nothing of it was taken in).
    ``contradicted`` rows are calls whose record proves another offset from UTC than the source's
    zone has (flag `offset_contradicted`): that the zone is wrong is likely where they are many.
    ``ownerless`` rows are calls that found no account (flag `no_account`).
    ``explained`` are those of the ``rejected`` rows that only tell the end of a call of another
    file, which it has now. ``elsewhere`` are those of the ``duplicate`` rows whose call is there
    under the name of another source, or of this one at another time.
    """

    file: str
    source: str
    state: str
    read: int = 0
    accepted: int = 0
    duplicate: int = 0
    corrected: int = 0
    rejected: int = 0
    contradicted: int = 0
    ownerless: int = 0
    explained: int = 0
    fault: str | None = None
    elsewhere: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What became of the files of one call."""

    files: tuple[FileReport, ...]

    def total(self, name: str) -> int:
        """Add up one count of all files: `read`, `accepted`, ..."""
        return sum(getattr(file, name) for file in self.files)

    @property
    def refused(self) -> tuple[FileReport, ...]:
        """The files of which nothing was taken in."""
        return tuple(file for file in self.files if file.state == "refused")

    @property
    def contradicted(self) -> tuple[FileReport, ...]:
        """The files with calls that prove another offset than their zone has, but `STRAYS`."""
        return tuple(
            file
            for file in self.files
            if file.contradicted and file.contradicted * STRAYS >= file.read - file.rejected
        )

    @property
    def elsewhere(self) -> dict[tuple[str, str], int]:
        """The rows that are there already, by their source and the one they are there as."""
        rows: Counter[tuple[str, str]] = Counter()
        for file in self.files:
            rows.update({(file.source, name): count for name, count in file.elsewhere.items()})
        return dict(sorted(rows.items()))

    @property
    def ownerless(self) -> dict[str, int]:
        """The sources of which no call found an account, with the rows of their calls."""
        calls: Counter[str] = Counter()
        owned: Counter[str] = Counter()
        for file in self.files:
            if file.state == "done":
                calls[file.source] += file.read - file.rejected
                owned[file.source] += file.read - file.rejected - file.ownerless
        return {source: rows for source, rows in calls.items() if rows and not owned[source]}


def flagged_rows(calls: pl.DataFrame, flag: str) -> int:
    """Count the rows of the calls that have a flag."""
    return int(calls.filter(pl.col("flags").list.contains(flag))["source_rows"].sum())


def bye_alone() -> pl.Expr:
    """Tell which of the rows set aside end a call and have no other fault."""
    reasons = pl.col("reasons").list
    return (reasons.len() == 1) & reasons.contains(BYE_ALONE)


def contradiction(file: str, calls: int, zone: str) -> str:
    """Say that so many calls of a file contradict the zone of their source."""
    prove = "call proves" if calls == 1 else "calls prove"
    return (
        f"{file}: {calls:,} {prove} another offset from UTC than {zone} has (flag "
        f"{OFFSET_CONTRADICTED}); is `zone` of the source right?"
    )


def there_already(source: str, name: str, rows: int) -> str:
    """Say that so many rows of a source are there as another one, or at another time."""
    are = "1 row is a call" if rows == 1 else f"{rows:,} rows are calls"
    if name != source:
        return (
            f"{source}: {are} that came in before as source {name!r}: counted as duplicate. Was "
            "the source renamed?"
        )
    return (
        f"{source}: {are} that came in before at another time, which stays: counted as duplicate. "
        "Was `zone`, `clock` or `time_layouts` of the source another then?"
    )


def without_account(name: str, calls: int, source: SourceSettings) -> str:
    """Say that none of the calls of a source or file found its account, and what helps."""
    return (
        f"{name}: no call of {calls:,} found an account (`account_from` is "
        f'"{source.account_from}"): {_ACCOUNT_HELP[source.account_from]}'
    )


_ACCOUNT_HELP = {
    "code": "if the records have no account code, set `account_from` of the source",
    "number": "`callsieve numbers import FILE` says who holds which number; the next night then "
    "finds their accounts, or `callsieve lake reassign --commit` at once",
    "sip_user": "the callers are no SIP addresses; set `account_from` of the source",
    "trunk": "their trunks are not in `trunks` of the source",
}
"""What helps where no account was found, by the way it was looked for."""


@dataclass(slots=True)
class Taken:
    """A file on its way: what is counted as it is read and decided on."""

    size_bytes: int
    stamp: Stamp
    sha256: str = ""  # known only once the whole file was looked at
    read: int = 0
    rejected: int = 0
    duplicate: int = 0
    corrected: int = 0
    contradicted: int = 0
    ownerless: int = 0
    explained: int = 0
    elsewhere: Counter[str] = field(default_factory=Counter)
    unended_since: datetime | None = None  # start of the first call whose other part is missing
    first: datetime | None = None
    last: datetime | None = None

    def count(self, rows: int, calls: pl.DataFrame, rejects: pl.DataFrame) -> None:
        """Add what one block brought."""
        self.read += rows
        self.rejected += int(rejects["source_rows"].sum())
        flagged = calls.filter(pl.col("flags").list.len() > 0)
        self.contradicted += flagged_rows(flagged, OFFSET_CONTRADICTED)
        self.ownerless += flagged_rows(flagged, NO_ACCOUNT)
        self._count_unended(flagged, rejects)
        started = calls["started_at"]
        ends = [self.first, self.last, started.min(), started.max()]
        known = [end for end in ends if isinstance(end, datetime)]
        if known:
            self.first, self.last = min(known), max(known)

    def _count_unended(self, flagged: pl.DataFrame, rejects: pl.DataFrame) -> None:
        """Note since when there are calls without an end, or ends without a call."""
        without = flagged.filter(pl.col("flags").list.contains(MISSING_BYE))["started_at"].min()
        alone = rejects.filter(bye_alone())["at"].min()
        began = alone - LONGEST if isinstance(alone, datetime) else None
        known = [at for at in (self.unended_since, without, began) if isinstance(at, datetime)]
        self.unended_since = min(known, default=None)

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """Starts of the first and the last call; None where there is none."""
        return (self.first, self.last) if self.first and self.last else None

    def decided(self, fate: str, rows: int) -> None:
        """Note what deduplication said of some of its rows."""
        if fate == Fate.DUPLICATE.value:
            self.duplicate += rows
        elif fate == Fate.CORRECTED.value:
            self.corrected += rows

    def report(self) -> FileReport:
        """Say what became of the file; what nothing else happened to was accepted."""
        return FileReport(
            self.stamp.file,
            self.stamp.source,
            "done",
            self.read,
            self.read - self.rejected - self.duplicate - self.corrected,
            self.duplicate,
            self.corrected,
            self.rejected,
            self.contradicted,
            self.ownerless,
            self.explained,
            elsewhere=dict(self.elsewhere),
        )
