"""The page ``docs/tables.md``, written from the schema so that it cannot lie."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from cdr.privacy.purposes import GROUNDS, bases_of, clause_of, days_of
from cdr.schema import PSEUDONYMOUS, TABLES, Field, Personal, Purpose, Table
from fraud.tables import FEATURES

_HEAD = """\
# Tables

Written by `python -m pipelines.tables_page > docs/tables.md`; a test compares it.

Every column says for which purposes it is kept, on which legal ground, for how long, and how
directly it points to a person. `callsieve query --purpose ...` and `lake.connect(purpose=...)`
give one purpose's columns and rows; the others do not exist in such a session.
"""

_ROWS = {
    Purpose.BILLING: "answered calls; payments; no other event",
    Purpose.FRAUD: "all but those of accounts and numbers whose person restricted their data or "
    "whose objection was granted",
    Purpose.SECURITY: "events that are no payments; which files came in, what was set aside",
    Purpose.RIGHTS: "all",
}
_LETTERS = {purpose: purpose.value[0].upper() for purpose in Purpose}


def tables_page() -> str:
    """Return the page's text."""
    tables = [TABLES[name] for name in sorted(TABLES)]
    return "\n".join([_HEAD, *_purposes(), *(line for table in tables for line in _table(table))])


def _purposes() -> Iterator[str]:
    yield "| purpose | | ground | rows | numbers, parties, addresses |"
    yield "|---|---|---|---|---|"
    for purpose in Purpose:
        shown = "pseudonyms; `--reveal --reason`" if purpose in PSEUDONYMOUS else "as they are"
        yield (
            f"| `{purpose.value}` | {_LETTERS[purpose]} | {GROUNDS[purpose]} | {_ROWS[purpose]} | "
            f"{shown} |"
        )
    yield ""
    yield (
        "*Person*: `direct` identifies alone, and is a pseudonym where the table above says so; "
        "`indirect` identifies together with other data; `host` is `indirect` and a host in it is "
        "a pseudonym. *Goes earlier*: the setting after which retention empties the column while "
        "its row stays."
    )
    yield ""


def _table(table: Table) -> Iterator[str]:
    yield f"## {table.name}"
    yield ""
    yield f"One row per {table.grain}."
    yield ""
    for kept in table.kept:
        periods = [_period(table, setting) for setting in kept.periods]
        last = "as long as another purpose keeps it, or it is about nobody"
        yield f"- {kept.purpose.value}: {'; or '.join(periods) or last}"
    yield ""
    yield "| column | type | unit | purposes | person | goes earlier | meaning |"
    yield "|---|---|---|---|---|---|---|"
    shown = [f for f in table.fields if table is not FEATURES or f.dtype != pl.Float64()]
    for field in shown:
        yield _row(table, field)
    if len(shown) < len(table.fields):
        yield ""
        yield "Its other columns are the signals of [features](features.md), F and R, indirect."
    yield ""


def _period(table: Table, setting: str) -> str:
    return f"`{setting}`, {days_of(setting):,} days ({clause_of(table, setting)})"


def _row(table: Table, field: Field) -> str:
    bases = bases_of(table, field)
    letters = " ".join(_LETTERS[basis.purpose] for basis in bases)
    rows = {setting for kept in table.kept for setting in kept.periods}
    own = {name for basis in bases for name, _, _ in basis.periods} - rows
    person = "host" if field.names_host else field.personal.value
    if field.personal is Personal.NONE:
        person = ""
    return (
        f"| `{field.name}` | {_type(field)} | {field.unit} | {letters} | {person} | "
        f"{', '.join(f'`{name}`' for name in sorted(own))} | {field.meaning} |"
    )


def _type(field: Field) -> str:
    kind = str(field.dtype).split("(", maxsplit=1)[0].lower()
    return "list of text" if kind == "list" else kind.replace("string", "text")


if __name__ == "__main__":
    print(tables_page(), end="")  # noqa: T201
