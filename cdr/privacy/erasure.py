"""Erasure in the tables: the files that name a person are written anew, the others stay.

Of such a file only the row groups that name the person are; each time some files, or none. What
becomes of a row is said in `unnaming`. Not here: what lies outside the tables, and the search
afterwards.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime

import polars as pl

from cdr.lake import DataFile, Lake
from cdr.lake.row_groups import Amended, rows_of_groups, with_groups
from cdr.lake.tables import portions
from cdr.privacy.columns import loosely, mine, names, searched
from cdr.privacy.finding import Naming, naming
from cdr.privacy.holds import held_rows
from cdr.privacy.identifiers import Identifiers
from cdr.privacy.obligations import obligation_of
from cdr.privacy.rules import Standing, any_of
from cdr.privacy.unnaming import Counts, kept_by_law, may_name_still, open_to, without
from cdr.schema import CALLS, TABLES, Table

OWN_BOOKS = frozenset({"person_requests", "disclosures", "legal_holds"})
"""Tables about requests themselves: the person is taken out of those when the request is closed."""

ROWS_A_COMMIT = 2_000_000
"""Rows written anew in one commit. Ours: the disk holds them twice until it ends."""


@dataclass(slots=True)
class TableErased:
    """What was found of a person in one table and what became of it.

    ``found`` counts cells that named the person, by column, and ``rows`` the rows with such
    cells or of the account. ``kept`` rows stay for the ``ground`` until ``kept_until`` at the
    latest.
    """

    table: str
    found: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    removed: int = 0
    changed: int = 0
    kept: int = 0
    ground: str | None = None
    kept_until: str | None = None
    files_before: int = 0
    files_rewritten: int = 0
    files_after: int = 0
    bytes_before: int = 0
    bytes_rewritten: int = 0
    bytes_after: int = 0

    def plus(self, later: TableErased) -> TableErased:
        """Return both, of the same table, one after the other."""
        return replace(
            later,
            found=dict(Counter(self.found) + Counter(later.found)),
            rows=self.rows + later.rows,
            removed=self.removed + later.removed,
            changed=self.changed + later.changed,
            files_before=self.files_before,
            bytes_before=self.bytes_before,
            files_rewritten=self.files_rewritten + later.files_rewritten,
            bytes_rewritten=self.bytes_rewritten + later.bytes_rewritten,
        )


def tables() -> list[Table]:
    """Return every table that erasure looks through: all, but the books on requests."""
    return [table for name, table in TABLES.items() if name not in OWN_BOOKS]


def billed_account(lake: Lake, who: Identifiers, standing: Standing) -> tuple[str, ...]:
    """Return the account where calls of it may still have to be billed; else nothing."""
    rule = obligation_of(CALLS)
    if who.account_id is None or rule is None:
        return ()
    calls = lake.scan(CALLS).filter(mine(CALLS, who) & rule.keeps(standing))
    return (who.account_id,) if calls.head(1).collect(engine="streaming").height else ()


def erase_from(
    lake: Lake, table: Table, who: Identifiers, standing: Standing, *, thoroughly: bool
) -> TableErased:
    """Take a person out of a table.

    Parameters
    ----------
    lake : Lake
        Whose.
    table : Table
        Which.
    who : Identifiers
        The person.
    standing : Standing
        By which what the law keeps is told.
    thoroughly : bool
        Look through all text; else only columns that hold identifiers, which is quick.
    """
    before = lake.files(table)
    done = TableErased(table.name, files_before=len(before))
    done.bytes_before = sum(file.size for file in before)
    holding = {
        one.file.path: one for one in naming(lake, table, before, who, by_key=not thoroughly)
    }
    for portion in portions((one.file for one in holding.values()), rows=ROWS_A_COMMIT):
        found = [holding[file.path] for file in portion]
        _rewrite(lake, table, who, standing, found, done, thoroughly=thoroughly)
    after = lake.files(table)
    done.files_after, done.bytes_after = len(after), sum(file.size for file in after)
    return done


@dataclass(frozen=True, slots=True)
class Left:
    """What of a person is in a table after an erasure.

    Parameters
    ----------
    over : dict of str to int
        Cells that name the person and may not, by column.
    obliged : int
        Rows that a legal obligation keeps.
    held : int
        Other rows, that a hold on somebody else keeps.
    newest : datetime or None
        The newest instant of what is obliged.
    """

    over: dict[str, int] = field(default_factory=dict)
    obliged: int = 0
    held: int = 0
    newest: datetime | None = None


def left_in(lake: Lake, table: Table, who: Identifiers, standing: Standing) -> Left:
    """Look through every cell of a table as it is now."""
    files = lake.files(table)
    if not files:
        return Left()
    found = _near(lake, table, who, files)
    kept = kept_by_law(table, standing)
    columns = searched(table)
    may_name = may_name_still(table)
    flags = found.select(
        kept.alias("kept"),
        held_rows(table, standing).alias("held"),
        *(names(f, who).alias(f"={f.name}") for f in columns),
        *(open_to(f, table, standing).alias(f"?{f.name}") for f in columns),
    )
    over = {}
    for f in columns:
        allowed = pl.col("kept") if f.name in may_name else pl.lit(value=False)
        count = flags.filter(pl.col(f"={f.name}") & ~allowed & pl.col(f"?{f.name}")).height
        if count:
            over[f.name] = count
    named = flags.select(any_of([pl.col(f"={f.name}") for f in columns]))
    obliged = found.filter(named.to_series() & flags["kept"])
    held = int((named.to_series() & flags["held"] & ~flags["kept"]).sum())
    rule = obligation_of(table)
    newest = obliged[rule.instant].max() if rule is not None and obliged.height else None
    return Left(over, obliged.height, held, newest)  # type: ignore[arg-type]


def _near(lake: Lake, table: Table, who: Identifiers, files: list[DataFile]) -> pl.DataFrame:
    """Return the rows that may name the person."""
    alike: defaultdict[frozenset[str], list[DataFile]] = defaultdict(list)
    for one in naming(lake, table, files, who):
        alike[one.columns].append(one.file)
    parts = [
        lake.scan_files(table, of_them).filter(loosely(table, who, columns))
        for columns, of_them in alike.items()
    ]
    return pl.concat([table.empty().lazy(), *parts]).collect(engine="streaming")


@dataclass(frozen=True, slots=True)
class _Treated:
    """A file without the person: its new bytes, or all its rows where only some cannot change."""

    file: DataFile
    counts: list[Counts]
    amended: Amended | None
    rows: pl.DataFrame | None


def _rewrite(
    lake: Lake,
    table: Table,
    who: Identifiers,
    standing: Standing,
    holding: list[Naming],
    done: TableErased,
    *,
    thoroughly: bool,
) -> None:
    """Write files anew without the person; all of them, or none."""

    def of_file(found: Naming) -> _Treated | None:
        columns = found.columns if thoroughly else None
        return _treated(
            lake, table, found, lambda rows: without(table, rows, who, standing, columns)
        )

    with lake.batch("erase") as batch, lake.writing():
        there = {file.path for file in lake.files(table)}
        holding = [one for one in holding if one.file.path in there]  # compacted: met the next time
        with ThreadPoolExecutor(lake.settings.store.threads) as pool:
            for treated in pool.map(of_file, holding):
                if treated is None:
                    continue
                if treated.amended is not None:
                    batch.amend(table, treated.file, treated.amended)
                else:
                    batch.remove(table, [treated.file])
                    if treated.rows is not None and not treated.rows.is_empty():
                        batch.add(table, treated.rows, lasting=True)
                for counts in treated.counts:
                    _count(done, counts)
                done.files_rewritten += 1
                done.bytes_rewritten += treated.file.size
        batch.publish()


def _treated(
    lake: Lake,
    table: Table,
    found: Naming,
    treat: Callable[[pl.DataFrame], tuple[pl.DataFrame, Counts] | None],
) -> _Treated | None:
    """Take the person out of a file: of the row groups that name them, if that is enough."""
    file = found.file
    content = lake.content(table, file)
    sizes = rows_of_groups(content)
    changed: dict[int, pl.DataFrame] = {}
    counts = []
    for group in range(len(sizes)) if found.groups is None else sorted(found.groups):
        rows = lake.scan_files(table, [file]).slice(sum(sizes[:group]), sizes[group]).collect()
        if (treated := treat(rows)) is not None:
            changed[group] = treated[0]
            counts.append(treated[1])
    if not changed:
        return None
    lake.check_content(table, file, content)
    amended = with_groups(table, content, changed)
    if amended is not None:
        return _Treated(file, counts, amended, None)
    whole = lake.scan_files(table, [file]).collect()
    parts = [
        changed.get(group, whole.slice(sum(sizes[:group]), sizes[group]))
        for group in range(len(sizes))
    ]
    return _Treated(file, counts, None, pl.concat(parts))


def _count(done: TableErased, counts: Counts) -> None:
    done.rows += counts.rows
    done.removed += counts.removed
    done.changed += counts.changed
    done.found = dict(Counter(done.found) + Counter(counts.found))
