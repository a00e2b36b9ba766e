"""The receipt of an erasure in words, for people."""

from __future__ import annotations

from collections.abc import Iterator

from cdr.privacy.erasure import TableErased
from pipelines.erasure import Receipt
from pipelines.terminal import counted


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
        yield f"STILL THERE: {one.file}, {one.where}: {one.count}"
    if not found.traces:
        kept = any(one.kept for one in receipt.tables.values())
        yield "nothing is left" + (" but what is kept above" if kept else "")
