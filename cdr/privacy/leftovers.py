"""Files beside the tables that hold personal data: which there are, and when each kind goes.

Reports, the ledger of runs, models that no longer score, what an engine spilled, and files of
the inbox once they were taken in. What was not taken in yet is never touched.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cdr.errors import storage
from cdr.lake import Lake
from cdr.privacy.rules import ENQUIRY, FRAUD_INTEREST, MINIMISE
from cdr.schema import INGESTS


@dataclass(slots=True)
class FileRemoval:
    """What one rule on files removed, or would; ``left`` could not be removed."""

    rule: str
    setting: str
    clause: str
    days: int
    files: int = 0
    bytes: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of file: its period, what that rests on, and where its files are found."""

    rule: str
    setting: str
    clause: str
    find: Callable[[Lake, datetime], Iterator[Path]]


def remove_leftovers(lake: Lake, *, now: datetime, dry_run: bool) -> list[FileRemoval]:
    """Remove files whose period is over, or count them."""
    removals = []
    for kind in KINDS:
        days: int = getattr(lake.settings.retention, kind.setting)
        removal = FileRemoval(kind.rule, kind.setting, kind.clause, days)
        for file in list(kind.find(lake, now - timedelta(days=days))):
            size = file.stat().st_size
            if not dry_run:
                with storage(f"removing {kind.rule}"):
                    file.unlink()
            removal.files += 1
            removal.bytes += size
        if not dry_run:
            removal.left = sum(1 for _ in kind.find(lake, now - timedelta(days=days)))
        removals.append(removal)
    return removals


def taken_in(lake: Lake, files: Iterator[Path]) -> Iterator[tuple[Path, datetime]]:
    """Give each of these files that was taken in, byte for byte, and when."""
    ledger = lake.scan(INGESTS).select("sha256", "bytes", "ingested_at").collect()
    since = dict(ledger.sort("ingested_at").select("sha256", "ingested_at").iter_rows())
    sizes = set(ledger["bytes"])
    for file in files:
        if file.stat().st_size not in sizes:
            continue
        with storage("reading a file of the inbox"), file.open("rb") as handle:
            sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
        if sha256 in since:
            yield file, since[sha256]


def _old(folder: Path, before: datetime, pattern: str = "*") -> Iterator[Path]:
    for file in sorted(folder.rglob(pattern)):
        if file.is_file() and file.stat().st_mtime < before.timestamp():
            yield file


def _inbox(lake: Lake, before: datetime) -> Iterator[Path]:
    for file, at in taken_in(lake, (f for f in _old(lake.home.inbox, before))):
        if at < before:
            yield file


def _models(lake: Lake, before: datetime) -> Iterator[Path]:
    champion = lake.home.models / "champion.json"
    scoring: set[str | None] = set()
    if champion.exists():
        shelf = json.loads(champion.read_bytes())
        scoring = {one["model_id"] for one in shelf["history"][-1:]} | {shelf.get("challenger")}
    for file in _old(lake.home.models, before):
        if file != champion and file.parent.name not in scoring:
            yield file


KINDS = (
    _Kind("inbox files taken in", "inbox_days", ENQUIRY, _inbox),
    _Kind(
        "reports of nights", "report_days", MINIMISE,
        lambda lake, before: _old(lake.home.reports, before),
    ),
    _Kind(
        "ledger of runs", "run_days", MINIMISE, lambda lake, before: _old(lake.home.runs, before)
    ),
    _Kind("models that no longer score", "model_days", FRAUD_INTEREST, _models),
    _Kind(
        "temporary files", "temporary_days", MINIMISE,
        lambda lake, before: _old(lake.home.spill, before),
    ),
)  # fmt: skip
"""Every kind of file with a period."""
