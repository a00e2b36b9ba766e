"""Which columns of a table can point to a person, and conditions on them; from the schema.

A table that a later package registers is covered without a line here: its `account_id` says
whose a row is, and every column of text is looked through.
"""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address

import polars as pl

from cdr.privacy.identifiers import Identifiers
from cdr.privacy.rules import any_of
from cdr.schema import TEXTS, Field, Personal, Table

EXACT_UNITS = frozenset(
    {"E.164", "IP address", "hex", "code", "codes", "ISO 3166-1 alpha-2", "ISO 4217",
     "year-month", "period/line", "IANA zone", "hex or code", "digits", "16 bytes"}
)  # fmt: skip
"""Units of columns whose cells hold one value and nothing beside it."""

SIDES = ("caller", "callee")


def searched(table: Table) -> tuple[Field, ...]:
    """Return the columns of text, whatever the schema says of them."""
    return tuple(f for f in table.fields if f.dtype in (pl.String(), TEXTS))


def key_columns(table: Table) -> tuple[Field, ...]:
    """Return the columns that hold an identifier and nothing else: quick to compare."""
    return tuple(
        f
        for f in searched(table)
        if f.dtype == pl.String()
        and (f.name == "account_id" or (f.unit in EXACT_UNITS and f.personal is Personal.DIRECT))
    )


def keys_of(table: Table, who: Identifiers) -> tuple[Field, ...]:
    """Return those of the `key_columns` that could hold an identifier of this person."""
    kinds = {"E.164": bool(who.numbers), "IP address": any(map(_is_address, who.values))}
    return tuple(field for field in key_columns(table) if kinds.get(field.unit, True))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def personal(table: Table) -> tuple[Field, ...]:
    """Return the columns that point to a person, alone or with others."""
    return tuple(f for f in table.fields if f.personal is not Personal.NONE)


def has_account(table: Table) -> bool:
    """Tell whether a row of the table is of one account."""
    return "account_id" in table.polars_schema


def mine(table: Table, who: Identifiers) -> pl.Expr:
    """Tell which rows are of the person's account."""
    if who.account_id is None or not has_account(table):
        return pl.lit(value=False)
    return (pl.col("account_id") == who.account_id).fill_null(value=False)


def by_key(table: Table, who: Identifiers) -> pl.Expr:
    """Tell which rows name the person in a column that holds only identifiers; quick."""
    return any_of([_whole(f, who) for f in key_columns(table)])


def loosely(table: Table, who: Identifiers, columns: Collection[str] | None = None) -> pl.Expr:
    """Tell which rows may name the person anywhere, or in some columns; `names` says it exactly."""
    conditions = []
    parts = who.parts()
    for field in searched(table):
        if columns is not None and field.name not in columns:
            continue
        if field.dtype == TEXTS or is_free(field) or field.name.endswith("_raw"):
            conditions.append(names(field, who))  # as people and switches write, with blanks too
            continue
        conditions.append(_whole(field, who))
        if parts and field.unit not in EXACT_UNITS:
            conditions.append(_filled(pl.col(field.name).str.contains_any(parts)))
    return any_of(conditions)


def names(field: Field, who: Identifiers) -> pl.Expr:
    """Tell in which cells a column names the person."""
    column = pl.col(field.name)
    if field.dtype == TEXTS:
        return _filled(column.list.eval(pl.element().is_in(_among(who.whole()))).list.any())
    if field.unit in EXACT_UNITS or field.name == "account_id":
        return _whole(field, who)
    return _whole(field, who) | _filled(column.str.contains(who.pattern()))


def is_free(field: Field) -> bool:
    """Tell whether people write in a column of text as they like, numbers with blanks too."""
    freely = field.unit == "JSON" or (
        field.personal is Personal.DIRECT and side_of(field.name) is None
    )
    return freely and field.dtype == pl.String() and field.unit not in EXACT_UNITS


def is_whole(field: Field, who: Identifiers) -> pl.Expr:
    """Tell in which cells of a column of text there is an identifier and nothing else."""
    return _whole(field, who)


def side_of(column: str) -> str | None:
    """Return the end of a call that a column describes; None for another column."""
    return next((side for side in SIDES if column.startswith(f"{side}_")), None)


def _whole(field: Field, who: Identifiers) -> pl.Expr:
    return _filled(pl.col(field.name).is_in(_among(who.whole())))


def _among(texts: list[str]) -> pl.Expr:
    return pl.lit(pl.Series(texts, dtype=pl.String)).implode()


def _filled(condition: pl.Expr) -> pl.Expr:
    return condition.fill_null(value=False)
