"""Whether the audit log is as it was written: altered, dropped and moved entries are found.

An entry is altered where its hash is not that of its content, or not the one that the next
entry names. Whoever can write the log can also work out every hash anew: that, and lines cut
off at the end, shows only against a head that was kept elsewhere (`callsieve audit head`, and
the page and result of each night).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cdr.lake.home import Home
from cdr.privacy.audit import START, Entry, Head, details, details_hash, entry_of, lines


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not as it was written; ``seq`` is the entry, 0 where there is none."""

    seq: int
    what: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What verifying found: entries read, the log's end, and every fault."""

    entries: int
    head: Head | None
    faults: tuple[Fault, ...]


def verify(home: Home, heads: Iterable[Head] = ()) -> Checked:
    """Read the whole log and hold it against itself and against heads kept elsewhere."""
    faults: list[Fault] = []
    found: list[Entry] = []
    written: dict[int, str] = {}
    for number, line in lines(home):
        entry = _entry(line)
        if entry is None:
            faults.append(Fault(0, f"line {number} is not an entry: altered"))
            continue
        if line is not None and line.get("hash") != entry.hash:
            faults.append(Fault(entry.seq, "altered: its hash is not that of its content"))
        found.append(entry)
        written.setdefault(entry.seq, entry.hash)
    faults += _order_faults(found)
    faults += _details_faults(home, found)
    last = found[-1] if found else None
    for head in heads:
        if head.seq == 0:  # kept before the first entry
            continue
        if head.seq not in written:
            faults.append(Fault(head.seq, "dropped: a head that was kept names it"))
        elif written[head.seq] != head.hash:
            faults.append(Fault(head.seq, "altered: a head that was kept has another hash"))
    ended = None if last is None else Head(last.seq, last.hash)
    return Checked(len(found), ended, tuple(dict.fromkeys(faults)))


def _entry(line: dict[str, Any] | None) -> Entry | None:
    try:
        return None if line is None else entry_of(line)
    except (KeyError, TypeError):
        return None


def _order_faults(found: list[Entry]) -> list[Fault]:
    faults = []
    there = {entry.seq for entry in found}
    hashes = {entry.seq: entry.hash for entry in found}
    highest = 0
    for entry in found:
        if entry.seq <= highest:
            faults.append(Fault(entry.seq, "moved: it stands after a later entry, or twice"))
        else:
            missing = [seq for seq in range(highest + 1, entry.seq) if seq not in there]
            faults += [Fault(seq, "dropped") for seq in missing]
            highest = entry.seq
        expected = START if entry.seq == 1 else hashes.get(entry.seq - 1)
        if expected is not None and entry.before != expected:
            faults.append(Fault(entry.seq - 1, "altered: the next entry names another hash for it"))
    return faults


def _details_faults(home: Home, found: list[Entry]) -> list[Fault]:
    there = details(home)
    removed = {seq for entry in found for seq in entry.removes}
    faults = []
    for entry in found:
        record = there.get(entry.seq)
        if entry.details is None or (record is None and entry.seq in removed):
            continue
        if record is None:
            faults.append(Fault(entry.seq, "its details were dropped"))
        elif not {"salt", "said"} <= set(record) or details_hash(record) != entry.details:
            faults.append(Fault(entry.seq, "its details were altered"))
    return faults
