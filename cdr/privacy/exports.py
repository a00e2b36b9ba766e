"""Files of persons that left the home by our own hand: which, where, and until when.

An answer to a person and an extract of billing are written where the operator says. The home keeps
a register of them, a file for each folder; names in it are hashed, since a name can name somebody.
When their period is over `callsieve retention` removes them, as they were written; a file that was
changed since is not ours to remove, and is reported until it is gone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cdr.errors import storage
from cdr.lake import Lake
from cdr.lake.home import Home, write_whole
from cdr.privacy.leftovers import FileRemoval
from cdr.privacy.rules import BOOKKEEPING, ENQUIRY


class ExportKind(StrEnum):
    """What was written out; as a rule of retention it has this name."""

    ANSWER = "answers to persons, written out"
    BILL = "extracts of billing, written out"


_PERIODS = {
    ExportKind.ANSWER: ("export_days", ENQUIRY),
    ExportKind.BILL: ("bookkeeping_days", BOOKKEEPING),
}
"""The setting of each kind's period, and the clause that rests on."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A file that is still where it was written."""

    kind: ExportKind
    path: Path
    at: datetime
    sha256: str

    @property
    def as_written(self) -> bool:
        """Whether nobody changed it since; reads all of it."""
        return self.path.is_file() and _sha256(self.path) == self.sha256


def note_exports(home: Home, kind: ExportKind, files: Iterable[Path], *, at: datetime) -> None:
    """Put files into the register; one written again counts from now on."""
    by_folder: dict[Path, dict[str, dict[str, str]]] = {}
    for file in files:
        whole = file.resolve()
        said = {"kind": kind.name, "at": at.isoformat(), "sha256": _sha256(whole)}
        by_folder.setdefault(whole.parent, {})[_hashed(whole.name)] = said
    for folder, written in by_folder.items():
        entry = _entry_of(home, folder)
        before = json.loads(entry.read_bytes())["files"] if entry.exists() else {}
        with storage("noting an export"):
            home.exports.mkdir(mode=0o700, exist_ok=True)
            write_whole(entry, _content(folder, {**before, **written}))


def exports(home: Home) -> Iterator[Exported]:
    """Give each file of the register that is still there."""
    for _, folder, noted in _entries(home):
        for name, path in _there(folder, noted).items():
            said = noted[name]
            at = datetime.fromisoformat(said["at"])
            yield Exported(ExportKind[said["kind"]], path, at, said["sha256"])


def forget_gone(home: Home) -> None:
    """Take out of the register what is no longer there."""
    for entry, folder, noted in _entries(home):
        there = _there(folder, noted)
        with storage("noting which exports are gone"):
            if not there:
                entry.unlink()
            elif there.keys() != noted.keys():
                write_whole(entry, _content(folder, {name: noted[name] for name in there}))


def remove_exports(lake: Lake, *, now: datetime, dry_run: bool) -> list[FileRemoval]:
    """Remove exports whose period is over, or count them; changed ones are ``left``."""
    removals = {}
    for kind, (setting, clause) in _PERIODS.items():
        days: int = getattr(lake.settings.retention, setting)
        removals[kind] = FileRemoval(kind.value, setting, clause, days)
    for one in exports(lake.home):
        removal = removals[one.kind]
        if one.at >= now - timedelta(days=removal.days):
            continue
        if not one.as_written:
            removal.left += 1
            continue
        removal.files += 1
        removal.bytes += one.path.stat().st_size
        if not dry_run:
            with storage(f"removing {removal.rule}"):
                one.path.unlink()
    if not dry_run:
        forget_gone(lake.home)
    return list(removals.values())


def _entries(home: Home) -> Iterator[tuple[Path, Path, dict[str, dict[str, str]]]]:
    """Give each file of the register, with the folder it is of and what it says."""
    for entry in sorted(home.exports.glob("*.json")):
        content = json.loads(entry.read_bytes())
        yield entry, Path(content["folder"]), content["files"]


def _there(folder: Path, noted: Iterable[str]) -> dict[str, Path]:
    """Return which of these hashed names are in a folder; all, where nobody can look into it."""
    try:
        by_name = {_hashed(file.name): file for file in folder.iterdir()}
    except FileNotFoundError:
        return {}
    except OSError:
        return dict.fromkeys(noted, folder)
    return {name: by_name[name] for name in noted if name in by_name}


def _entry_of(home: Home, folder: Path) -> Path:
    return home.exports / f"{_hashed(str(folder))}.json"


def _content(folder: Path, files: dict[str, dict[str, str]]) -> bytes:
    return json.dumps({"folder": str(folder), "files": files}).encode()


def _hashed(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _sha256(file: Path) -> str:
    with storage("reading an export"), file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
