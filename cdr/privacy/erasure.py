"""Erasure in the tables: what names a person goes, what the law keeps stays and says why.

Rows of the person's account go; where they are of others, the cells that name the person
become unknown. What book-keeping law keeps (`obligations`) is cut down to the columns that it
needs, and no other purpose sees it. Only files that name the person are written anew, each
time some of them or none. Not here: what lies outside the tables, and the search afterwards.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime

import polars as pl

from cdr.lake import DataFile, Lake
from cdr.lake.tables import portions
from cdr.privacy.columns import (
    by_key,
    is_whole,
    loosely,
    mine,
    names,
    personal,
    searched,
    side_of,
)
from cdr.privacy.finding import naming
from cdr.privacy.holds import held_rows
from cdr.privacy.identifiers import Identifiers
from cdr.privacy.obligations import obligation_of
from cdr.privacy.rules import Standing, any_of
from cdr.schema import (
    ACCOUNTS,
    CALLS,
    FOR_A_HOLD,
    INSTANT,
    KEPT_FOR,
    TABLES,
    TEXTS,
    Field,
    Personal,
    Purpose,
    Table,
)

OWN_BOOKS = frozenset({"person_requests", "disclosures", "legal_holds"})
"""Tables about requests themselves: the person is taken out of those when the request is closed."""

ERASED = "erased"
"""What stands in a text in place of who was erased."""

ROWS_A_COMMIT = 2_000_000
"""Rows written anew in one commit. Ours: the disk holds them twice until it ends."""

_ROW = "place of the row"
_PLACE = "file of the row"


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
    holding = _holding(lake, table, who, before, thoroughly=thoroughly)
    for portion in portions(holding, rows=ROWS_A_COMMIT):
        _rewrite(lake, table, who, standing, portion, done)
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
    kept = _kept(table, standing)
    columns = searched(table)
    may_name = _may_name(table)
    flags = found.select(
        kept.alias("kept"),
        held_rows(table, standing).alias("held"),
        *(names(f, who).alias(f"={f.name}") for f in columns),
        *(_open_to(f, table, standing).alias(f"?{f.name}") for f in columns),
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
    for file, columns in naming(lake, table, files, who):
        alike[columns].append(file)
    parts = [
        lake.scan_files(table, of_them).filter(loosely(table, who, columns))
        for columns, of_them in alike.items()
    ]
    return pl.concat([table.empty().lazy(), *parts]).collect(engine="streaming")


def _holding(
    lake: Lake, table: Table, who: Identifiers, files: list[DataFile], *, thoroughly: bool
) -> list[DataFile]:
    """List the files that name the person, each opened for the columns asked about only."""
    if thoroughly or not files:
        return [file for file, _ in naming(lake, table, files, who)]
    paths = {lake.address(table, file): file for file in files}
    found = (
        lake.scan_files(table, files, place=_PLACE)
        .filter(by_key(table, who) | mine(table, who))
        .select(_PLACE)
        .unique()
        .collect(engine="streaming")
    )
    return [paths[path] for path in sorted(found[_PLACE])]


def _rewrite(
    lake: Lake,
    table: Table,
    who: Identifiers,
    standing: Standing,
    files: list[DataFile],
    done: TableErased,
) -> None:
    """Write files anew without the person; all of them, or none."""
    with lake.batch("erase") as batch, lake.writing():
        there = {file.path for file in lake.files(table)}
        files = [file for file in files if file.path in there]  # compacted: met the next time

        def of_file(file: DataFile) -> tuple[DataFile, pl.DataFrame, _Counts] | None:
            columns = next((hit for _, hit in naming(lake, table, [file], who)), frozenset())
            rows = lake.scan_files(table, [file]).collect()
            treated = without(table, rows, who, standing, columns)
            return None if treated is None else (file, *treated)

        with ThreadPoolExecutor(lake.settings.store.threads) as pool:
            for treated in pool.map(of_file, files):
                if treated is None:
                    continue
                file, kept, counts = treated
                if not kept.is_empty():
                    batch.add(table, kept, lasting=True)
                batch.remove(table, [file])
                _count(done, file, counts)
        batch.publish()


@dataclass(slots=True)
class _Counts:
    rows: int
    removed: int
    changed: int
    found: dict[str, int]


def _count(done: TableErased, file: DataFile, counts: _Counts) -> None:
    done.files_rewritten += 1
    done.bytes_rewritten += file.size
    done.rows += counts.rows
    done.removed += counts.removed
    done.changed += counts.changed
    done.found = dict(Counter(done.found) + Counter(counts.found))


def without(
    table: Table,
    rows: pl.DataFrame,
    who: Identifiers,
    standing: Standing,
    naming_columns: Collection[str] | None = None,
) -> tuple[pl.DataFrame, _Counts] | None:
    """Return rows without the person, in their order, and what changed; None where nothing has to.

    Pure. The columns that may name the person need not be told, but it takes longer.
    """
    numbered = rows.with_row_index(_ROW)
    near = numbered.filter(loosely(table, who, naming_columns) | mine(table, who))
    columns = searched(table)
    own = mine(table, who)
    marked = near.with_columns(
        own.alias("own"),
        _kept(table, standing).alias("kept"),
        held_rows(table, standing).alias("held"),
        *((names(f, who) & _open_to(f, table, standing)).alias(f"={f.name}") for f in columns),
    )
    goes = (pl.col("own") | _cannot_be_unknown(table, who)) & ~pl.col("kept") & ~pl.col("held")
    marked = marked.with_columns(goes.alias("goes"))
    hits = marked.filter(pl.col("own") | any_of([pl.col(f"={f.name}") for f in columns]))
    stays = hits.filter(~pl.col("goes"))
    changed = stays.with_columns(_cleared(table, who, standing)).select(numbered.columns)
    unchanged = stays.select(numbered.columns).equals(changed)
    gone = hits.height - stays.height
    if not gone and unchanged:
        return None
    found = {f.name: int(hits[f"={f.name}"].sum()) for f in columns}
    counts = _Counts(
        hits.height, gone, 0 if unchanged else stays.height, {n: c for n, c in found.items() if c}
    )
    rest = numbered.filter(~pl.col(_ROW).is_in(hits[_ROW].implode()))
    whole = pl.concat([rest, changed]).sort(_ROW).drop(_ROW)
    return whole, counts


def _cleared(table: Table, who: Identifiers, standing: Standing) -> list[pl.Expr]:
    """Give each column that names the person, without that."""
    rule = obligation_of(table)
    not_needed = set(rule.clears(table)) if rule else set()
    may_name = _may_name(table)
    direct = {f.name for f in personal(table) if f.personal is Personal.DIRECT}
    sides = {f.name for f in searched(table) if side_of(f.name) and f.name in direct}
    changes = []
    for f in table.fields:
        if f.name == KEPT_FOR.name:
            changes.append(_kept_for(may_name))
            continue
        if table is ACCOUNTS and f.name in ("status", "status_since"):
            ended = {"status": pl.lit("closed"), "status_since": pl.lit(standing.now, INSTANT)}
            of_it = pl.col("own") & ~pl.col("held")
            changes.append(pl.when(of_it).then(ended[f.name]).otherwise(f.name).alias(f.name))
            continue
        if f.dtype not in (pl.String(), TEXTS):
            continue
        hit = pl.col(f"={f.name}")
        if f.name in sides:  # one end of a call: if one cell names the person, all of it does
            end = side_of(f.name)
            hit = any_of([pl.col(f"={one}") for one in sides if side_of(one) == end])
        if f.name in may_name:
            hit &= ~pl.col("kept")
        if f.name in not_needed:
            hit |= pl.col("own") & pl.col("kept") & ~pl.col("held")
        changes.append(_unknown(f, who, hit).alias(f.name))
    return changes


def _kept_for(may_name: frozenset[str]) -> pl.Expr:
    """Say for what a row is kept that names the person still."""
    named = any_of([pl.col("own"), *(pl.col(f"={one}") for one in sorted(may_name))])
    return (
        pl.when(named & pl.col("kept"))
        .then(pl.lit(Purpose.BILLING.value))
        .when(pl.col("own") & pl.col("held"))
        .then(pl.lit(FOR_A_HOLD))
        .otherwise(KEPT_FOR.name)
        .alias(KEPT_FOR.name)
    )


def _unknown(column: Field, who: Identifiers, hit: pl.Expr) -> pl.Expr:
    name, unit, nullable = column.name, column.unit, column.nullable
    if column.dtype == TEXTS:
        among = pl.lit(pl.Series(who.whole(), dtype=pl.String)).implode()
        rest = pl.col(name).list.eval(pl.element().filter(~pl.element().is_in(among)))
        # of a row of the person's own nothing of such a list stays
        return (
            pl.when(hit & pl.col("own"))
            .then(pl.lit([], TEXTS))
            .when(hit)
            .then(rest)
            .otherwise(name)
        )
    if nullable and unit != "JSON":
        return pl.when(hit).then(pl.lit(None, pl.String)).otherwise(name)
    replaced = pl.col(name).map_elements(
        lambda text: who.replaced(text, ERASED), return_dtype=pl.String
    )  # a handful of rows
    return pl.when(hit).then(replaced).otherwise(name)


def _cannot_be_unknown(table: Table, who: Identifiers) -> pl.Expr:
    """Tell which rows of others go, as the cell that names the person is all they say."""
    cells = [
        pl.col(f"={f.name}") & (pl.lit(f.personal is Personal.DIRECT) | is_whole(f, who))
        for f in searched(table)
        if not f.nullable and f.dtype == pl.String()
    ]
    return any_of(cells)


def _kept(table: Table, standing: Standing) -> pl.Expr:
    rule = obligation_of(table)
    return pl.lit(value=False) if rule is None else rule.keeps(standing).fill_null(value=False)


def _open_to(column: Field, table: Table, standing: Standing) -> pl.Expr:
    """Tell in which rows a column may be changed: not in held ones, but for who one is like."""
    return pl.lit(value=True) if column.unit == "JSON" else ~held_rows(table, standing)


def _may_name(table: Table) -> frozenset[str]:
    """Return the columns in which a row that the law keeps may name the person."""
    rule = obligation_of(table)
    if rule is None:
        return frozenset()
    return frozenset({"account_id", *rule.columns})
