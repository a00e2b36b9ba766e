"""What becomes of rows that name a person who is erased: pure, a few rows at a time.

Rows of the person's account go; where they are of others, the cells that name the person
become unknown. What book-keeping law keeps (`obligations`) is cut down to the columns that it
needs, and no other purpose sees it. Not here: which files hold such rows (`finding`), and how
they are written (`erasure`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from cdr.privacy.columns import (
    is_whole,
    loosely,
    mine,
    names,
    personal,
    searched,
    side_of,
)
from cdr.privacy.holds import held_rows
from cdr.privacy.identifiers import Identifiers
from cdr.privacy.obligations import obligation_of
from cdr.privacy.rules import Standing, any_of
from cdr.schema import (
    ACCOUNTS,
    FOR_A_HOLD,
    INSTANT,
    KEPT_FOR,
    TEXTS,
    Field,
    Personal,
    Purpose,
    Table,
)

ERASED = "erased"
"""What stands in a text in place of who was erased."""

_ROW = "place of the row"


@dataclass(slots=True)
class Counts:
    """Rows with the person, of them removed and changed, and cells that named them, by column."""

    rows: int
    removed: int
    changed: int
    found: dict[str, int]


def without(
    table: Table,
    rows: pl.DataFrame,
    who: Identifiers,
    standing: Standing,
    naming_columns: Collection[str] | None = None,
) -> tuple[pl.DataFrame, Counts] | None:
    """Return rows without the person, in their order, and what changed; None where nothing has to.

    Pure. The columns that may name the person need not be told, but it takes longer.
    """
    numbered = rows.with_row_index(_ROW)
    near = numbered.filter(loosely(table, who, naming_columns) | mine(table, who))
    columns = searched(table)
    own = mine(table, who)
    marked = near.with_columns(
        own.alias("own"),
        kept_by_law(table, standing).alias("kept"),
        held_rows(table, standing).alias("held"),
        *((names(f, who) & open_to(f, table, standing)).alias(f"={f.name}") for f in columns),
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
    counts = Counts(
        hits.height, gone, 0 if unchanged else stays.height, {n: c for n, c in found.items() if c}
    )
    rest = numbered.filter(~pl.col(_ROW).is_in(hits[_ROW].implode()))
    whole = pl.concat([rest, changed]).sort(_ROW).drop(_ROW)
    return whole, counts


def _cleared(table: Table, who: Identifiers, standing: Standing) -> list[pl.Expr]:
    """Give each column that names the person, without that."""
    rule = obligation_of(table)
    not_needed = set(rule.clears(table)) if rule else set()
    may_name = may_name_still(table)
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


def kept_by_law(table: Table, standing: Standing) -> pl.Expr:
    rule = obligation_of(table)
    return pl.lit(value=False) if rule is None else rule.keeps(standing).fill_null(value=False)


def open_to(column: Field, table: Table, standing: Standing) -> pl.Expr:
    """Tell in which rows a column may be changed: not in held ones, but for who one is like."""
    return pl.lit(value=True) if column.unit == "JSON" else ~held_rows(table, standing)


def may_name_still(table: Table) -> frozenset[str]:
    """Return the columns in which a row that the law keeps may name the person."""
    rule = obligation_of(table)
    if rule is None:
        return frozenset()
    return frozenset({"account_id", *rule.columns})
