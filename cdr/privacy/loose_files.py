"""One person in the files beside the tables: reports, the ledger of runs, the inbox.

Text of ours is written anew with the person taken out. A file of the inbox that names the
person goes once it was taken in; one that was not is left and reported, since its other rows
are still to come. An answer that was written out for the person goes too, where nobody changed it;
an extract of billing stays, for book-keeping law.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cdr.errors import storage
from cdr.lake import Lake
from cdr.lake.home import write_whole
from cdr.privacy.exports import ExportKind, exports, forget_gone
from cdr.privacy.identifiers import Identifiers
from cdr.privacy.leftovers import taken_in
from cdr.privacy.traces import patterns_of, traces_of
from cdr.privacy.unnaming import ERASED


@dataclass(slots=True)
class FilesErased:
    """What files beside the tables named the person, below the home."""

    rewritten: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    exports_removed: int = 0
    """Answers that were written out of the home."""
    exports_kept: int = 0
    """Files of billing extracts outside of the home that name the person still."""
    exports_left: int = 0
    """Answers that name the person and were changed since they were written."""


def erase_from_files(lake: Lake, who: Identifiers) -> FilesErased:
    """Take the person out of files beside the tables; safe to repeat."""
    done = FilesErased()
    patterns = patterns_of(who)

    def named(folder: str) -> list:  # type: ignore[type-arg]
        place = lake.home.root / folder
        return [
            file
            for file in sorted(place.rglob("*"))
            if file.is_file() and next(traces_of(file, who, patterns), None) is not None
        ]

    for file in [*named("reports"), *named("runs")]:
        with storage("taking a person out of a report"):
            text = file.read_text("utf-8", errors="surrogateescape")
            write_whole(file, who.replaced(text, ERASED).encode("utf-8", "surrogateescape"))
        done.rewritten.append(file.relative_to(lake.home.root).as_posix())
    for file, _ in list(taken_in(lake, iter(named("inbox")))):
        with storage("removing a file of the inbox"):
            file.unlink()
        done.removed.append(file.relative_to(lake.home.root).as_posix())
    for one in exports(lake.home):
        if one.path.is_file() and next(traces_of(one.path, who, patterns), None) is None:
            continue
        if one.kind is ExportKind.BILL:
            done.exports_kept += 1
        elif one.as_written:
            with storage("removing an answer that was written out"):
                one.path.unlink()
            done.exports_removed += 1
        else:
            done.exports_left += 1
    forget_gone(lake.home)
    return done
