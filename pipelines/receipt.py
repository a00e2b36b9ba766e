"""The receipt of an erasure: what it says, as JSON and in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from cdr.lake.versions import Old
from cdr.privacy.erasure import TableErased
from cdr.privacy.loose_files import FilesErased
from cdr.privacy.traces import NOT_SEARCHED, Searched
from fraud.review.persons import QueueErased
from pipelines.terminal import counted


@dataclass(slots=True)
class Receipt:
    """What an erasure found, removed and kept, and what a search found afterwards.

    Parameters
    ----------
    request_id, kind, received_at, done_at : str
        Which request; ``kind`` is `account` or `number`. Who it was is not in it.
    held_by : list of str
        Why nothing was erased: a legal hold with its ground, an open case; empty where it was.
    tables : dict of str to TableErased
        By table.
    queue, models, files, audit_details : object
        What else named the person.
    old_versions : Old
        Files of earlier versions of tables that went.
    shared : dict of str to int
        Values that others have too, by column: they stay there.
    searched : Searched
        The search of every byte; ``traces`` has nothing that the law does not keep.
    seconds : dict of str to float
        By step.
    """

    request_id: str
    kind: str
    received_at: str
    done_at: str | None = None
    held_by: list[str] = field(default_factory=list)
    tables: dict[str, TableErased] = field(default_factory=dict)
    queue: QueueErased = field(default_factory=QueueErased)
    models: tuple[str, ...] = ()
    champion_went: bool = False
    files: FilesErased = field(default_factory=FilesErased)
    audit_details: int = 0
    old_versions: Old = field(default_factory=Old)
    shared: dict[str, int] = field(default_factory=dict)
    searched: Searched = field(default_factory=lambda: Searched(0, 0, ()))
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether the search found nothing but what the law keeps."""
        return not self.held_by and not self.searched.traces

    def as_json(self) -> dict[str, Any]:
        """Return what `person erase --json` prints."""
        return {**asdict(self), "complete": self.complete}


def in_words(receipt: Receipt) -> str:
    """Say what was found, removed and kept, and what the search found."""
    short = receipt.request_id[:8]
    if receipt.held_by:
        return f"NOT ERASED: {' and '.join(receipt.held_by)}; request {short} stays open"
    taken = list(_taken_out(receipt)) or ["nothing that names the person was found"]
    return "\n".join([f"request {short}", *taken, *_searched(receipt)])


def _taken_out(receipt: Receipt) -> Iterator[str]:
    for one in receipt.tables.values():
        if one.rows or one.kept:
            yield _of_table(one)
    queue, files = receipt.queue, receipt.files
    if queue.cases or queue.found:
        cells = sum(queue.found.values())
        yield f"queue: {counted(queue.cases, 'case')} removed, {counted(cells, 'cell')} changed"
    if receipt.models:
        yield f"models that had learned from it: {len(receipt.models)} removed"
    if receipt.champion_went:
        yield "one of them was the champion: train and promote another"
    if files.rewritten or files.removed:
        yield f"files: {len(files.rewritten):,} changed, {len(files.removed):,} removed"
    if files.exports_removed:
        yield f"answers written out of the home: {counted(files.exports_removed, 'file')} removed"
    if files.exports_kept:
        yield (
            f"extracts of billing outside of the home: {counted(files.exports_kept, 'file')} with "
            "the person in it, kept under book-keeping law"
        )


def _of_table(one: TableErased) -> str:
    kept = ""
    if one.kept:
        until = f" until {one.kept_until} at the latest" if one.kept_until else ""
        kept = f"; {one.kept:,} kept{until}: {one.ground}"
    return (
        f"{one.table}: found in {counted(one.rows, 'row')}; {one.removed:,} removed, "
        f"{one.changed:,} changed{kept} "
        f"({one.files_rewritten:,} of {one.files_before:,} files written anew)"
    )


def _searched(receipt: Receipt) -> Iterator[str]:
    if receipt.shared:
        shared = ", ".join(f"{count} {name}" for name, count in sorted(receipt.shared.items()))
        yield f"not searched for, as others have them too: {shared}"
    if receipt.old_versions.files:
        yield f"old versions of tables: {counted(receipt.old_versions.files, 'file')} removed"
    found = receipt.searched
    yield f"searched afterwards: {counted(found.files, 'file')}, {counted(found.bytes, 'byte')}"
    for one in found.traces:
        unread = one.where.startswith(NOT_SEARCHED)
        still = f"STILL THERE: {one.file}, {one.where}: {one.count}"
        yield f"{one.where}: {one.file}" if unread else still
    if not found.traces:
        kept = any(one.kept for one in receipt.tables.values())
        yield "nothing is left" + (" but what is kept above" if kept else "")
