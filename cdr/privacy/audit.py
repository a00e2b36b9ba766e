"""The audit log: who did what, when, to whose data, with what result and why.

One line of JSON an entry, in `audit/log.jsonl` of the home. Each line holds the hash of the
line before, so that none can be altered, dropped or moved without those after it telling; a
head that was exported tells when lines at the end are missing. A person stands in an entry as
a pseudonym. What was said beside (before, after, why) lies in `audit/details/<month>.jsonl`
with a salt: a line holds only its hash, so that details can go when their period is over or
the person is erased, and the log still verifies. How it is verified is in `audit_check`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cdr.errors import storage
from cdr.lake.home import Home, on_disk, write_whole

START = "0" * 64
"""What the first entry names as the hash before it."""

Pseudonym = Callable[[str], str]
"""Gives a value that points to a person its pseudonym."""

_PERSONAL = re.compile(
    r"[^\s@<>\"']+@[^\s@<>\"']+\.\w+"  # an e-mail address
    r"|\b\d{1,3}(?:\.\d{1,3}){3}\b"  # an IPv4 address
    r"|\b(?:[0-9a-fA-F]{0,4}:){3,}[0-9a-fA-F]{0,4}"  # an IPv6 address
    r"|(?<![\w-])(?!\d{4}-\d\d-\d\d(?!\d))\+?\d(?:[\s().\-/]{0,2}\d){5,}"  # a number, no date
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log.

    Parameters
    ----------
    seq : int
        From 1, without gaps.
    at : str
        UTC instant, ISO 8601.
    by : str
        User name of who did it; `callsieve` where a night did.
    what : str
        Code, such as `query`, `reveal` or `person.erase`.
    subject : str or None
        Pseudonym of the person it was about; None where it was about nobody in particular.
    details : str or None
        SHA-256 of the salted details; None without any.
    before : str
        `hash` of the entry before.
    removes : tuple of int
        Entries whose details were removed by what this one records.
    """

    seq: int
    at: str
    by: str
    what: str
    subject: str | None
    details: str | None
    before: str
    removes: tuple[int, ...] = ()

    @property
    def hash(self) -> str:
        """SHA-256 of all of it."""
        return hashlib.sha256(canonical(asdict(self))).hexdigest()


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the log at an instant; kept elsewhere, it shows later what is missing."""

    seq: int
    hash: str


def note(
    home: Home,
    what: str,
    *,
    by: str,
    at: datetime,
    subject: str | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    why: str | None = None,
    removes: Collection[int] = (),
) -> Head:
    """Write one entry; when it returns, the entry is on the disk.

    Writers wait for each other. Killed while writing, it leaves no entry: the next writer
    takes the torn line away.

    Parameters
    ----------
    home : Home
        Whose log.
    what : str
        Code of what was done.
    by : str
        User name of who did it.
    at : datetime
        UTC instant.
    subject : str, optional
        Pseudonym of the person it was about. Never a number, name or account.
    before, after : mapping, optional
        What changed, as JSON keeps it; without personal values.
    why : str, optional
        Reason given; see `without_personal`.
    removes : collection of int
        Entries whose details are being removed.

    Returns
    -------
    Head
        The log's end with this entry.

    Raises
    ------
    StorageFailed
        If the disk refuses; then what was to be recorded must not be done.
    """
    said = {"before": before, "after": after, "why": why}
    said = {name: value for name, value in said.items() if value is not None}
    instant = at.astimezone(UTC).isoformat(timespec="microseconds")
    with storage("writing the audit log"), home.auditing():
        _folder(home)
        last = _last(_log(home))
        seq = last.seq + 1 if last else 1
        digest = None
        if said:
            record = {"seq": seq, "salt": secrets.token_hex(16), "said": said}
            digest = details_hash(record)
            _append(_details_file(home, instant), record)
        prior = last.hash if last else START
        entry = Entry(seq, instant, by, what, subject, digest, prior, tuple(sorted(removes)))
        _append(_log(home), {**asdict(entry), "hash": entry.hash})
    return Head(entry.seq, entry.hash)


def head(home: Home) -> Head | None:
    """Return the log's end; None where nothing was recorded yet."""
    file = _log(home)
    last = _last(file) if file.exists() else None
    return None if last is None else Head(last.seq, last.hash)


def lines(home: Home) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Give each line's number and content; None where it is not one of an entry."""
    file = _log(home)
    if not file.exists():
        return
    with file.open("rb") as handle:
        for number, line in enumerate(handle, start=1):
            if line.endswith(b"\n"):  # the last may be in the making
                yield number, _parsed(line)


def entries(home: Home) -> Iterator[Entry]:
    """Give the entries, the oldest first; lines that are none are left to `audit_check`."""
    for _, line in lines(home):
        if line is not None:
            yield entry_of(line)


def details(home: Home) -> dict[int, dict[str, Any]]:
    """Return the details that are still there, by number of their entry, salt included."""
    found: dict[int, dict[str, Any]] = {}
    for file in sorted(_details(home).glob("*.jsonl")):
        for line in file.read_bytes().splitlines():
            record = _parsed(line)
            if record is not None and isinstance(record.get("seq"), int):
                found[record["seq"]] = record
    return found


def remove_details(
    home: Home, which: Collection[int], *, what: str, by: str, at: datetime, why: str
) -> int:
    """Take the details of entries away, and record that; returns how many went.

    Killed between the two, the next call with the same entries completes it.
    """
    there = sorted(set(details(home)) & set(which))
    if not there:
        return 0
    note(home, what, by=by, at=at, why=why, removes=there)
    gone = set(there)
    with storage("removing details of the audit log"), home.auditing():
        for file in sorted(_details(home).glob("*.jsonl")):
            records = [_parsed(line) or {} for line in file.read_bytes().splitlines()]
            kept = [record for record in records if record.get("seq") not in gone]
            if not kept:
                file.unlink()
            elif len(kept) < len(records):
                write_whole(file, b"".join(canonical(record) + b"\n" for record in kept))
    return len(there)


def without_personal(text: str, pseudonym: Pseudonym) -> str:
    """Replace what looks like a telephone number, an address of the net or an e-mail address.

    Examples
    --------
    >>> without_personal("asked by +49 30 1234567 on 2026-10-01", lambda _: "p1")
    'asked by p1 on 2026-10-01'
    """
    return _PERSONAL.sub(lambda found: pseudonym(found.group()), text)


def details_hash(record: Mapping[str, Any]) -> str:
    """Return what an entry holds of its details."""
    return hashlib.sha256(canonical({"salt": record["salt"], "said": record["said"]})).hexdigest()


def entry_of(line: Mapping[str, Any]) -> Entry:
    """Return the entry of a parsed line."""
    fields = {name: line[name] for name in Entry.__dataclass_fields__}
    return Entry(**{**fields, "removes": tuple(fields["removes"])})


def canonical(content: Mapping[str, Any]) -> bytes:
    """Return JSON that is the same bytes for the same content."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), default=str).encode()


def files(home: Home) -> Iterable[Path]:
    """Return the files that hold the log."""
    return [_log(home), *sorted(_details(home).glob("*.jsonl"))]


def _log(home: Home) -> Path:
    return home.audit / "log.jsonl"


def _details(home: Home) -> Path:
    return home.audit / "details"


def _details_file(home: Home, instant: str) -> Path:
    return _details(home) / f"{instant[:7]}.jsonl"


def _folder(home: Home) -> None:
    for folder in (home.audit, _details(home)):
        folder.mkdir(mode=0o700, exist_ok=True)


def _append(file: Path, record: Mapping[str, Any]) -> None:
    """Add a line, after taking away one that a killed writer left torn."""
    new = not file.exists()
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as handle:
        handle.seek(_whole_until(file))
        handle.truncate()
        handle.write(canonical(record) + b"\n")
        handle.flush()
        os.fsync(handle.fileno())
    if new:
        on_disk(file.parent)


def _last(file: Path) -> Entry | None:
    if not file.exists():
        return None
    end = _whole_until(file)
    if end == 0:
        return None
    with file.open("rb") as handle:
        start, tail = end, b""
        while start > 0 and b"\n" not in tail[:-1]:
            start = max(0, start - 4096)
            handle.seek(start)
            tail = handle.read(end - start)
    parsed = _parsed(tail[:-1].rpartition(b"\n")[2])
    if parsed is None:  # somebody wrote into it; what comes after must not hide that
        return Entry(_count(file), "", "", "", None, None, START)
    return entry_of(parsed)


def _whole_until(file: Path) -> int:
    """Return where the last whole line ends."""
    size = file.stat().st_size
    with file.open("rb") as handle:
        start, tail = size, b""
        while start > 0 and b"\n" not in tail:
            start = max(0, start - 4096)
            handle.seek(start)
            tail = handle.read(size - start)
    return start + tail.rfind(b"\n") + 1 if b"\n" in tail else 0


def _count(file: Path) -> int:
    with file.open("rb") as handle:
        return sum(1 for _ in handle)


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
        if isinstance(found, dict) and "seq" in found:
            return found
    except ValueError:
        pass
    return None
