"""What is held about a person, table by table: why, since when, until when. From the schema.

For the answer to a request of access (GDPR Art. 15). Rows of the person's account count, and
rows of others that name the person; of the latter only the person's own end is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from cdr.lake import Lake
from cdr.privacy.columns import by_key, mine, personal
from cdr.privacy.identifiers import Identifiers
from cdr.privacy.rules import RULES
from cdr.schema import INSTANT, TABLES, Table


@dataclass(frozen=True, slots=True)
class Column:
    """A column that says something about the person, and for which purposes."""

    name: str
    meaning: str
    purposes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Period:
    """How long what of a table is kept, and what that rests on."""

    rule: str
    days: int
    clause: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Holding:
    """What one table holds.

    Parameters
    ----------
    table, grain : str
        Which, and what a row of it is.
    rows : int
        Of the person's account.
    rows_of_others : int
        Of other accounts, that name the person.
    since, until : str or None
        The earliest and latest instant of these rows.
    columns : tuple of Column
        What is said of the person there.
    periods : tuple of Period
        When it goes.
    """

    table: str
    grain: str
    rows: int
    rows_of_others: int
    since: str | None
    until: str | None
    columns: tuple[Column, ...]
    periods: tuple[Period, ...]


def holdings_of(lake: Lake, who: Identifiers) -> tuple[Holding, ...]:
    """Look through every table that has personal columns."""
    found = []
    for table in TABLES.values():
        if not personal(table) or not lake.files(table):
            continue
        holding = _holding(lake, table, who)
        if holding.rows or holding.rows_of_others:
            found.append(holding)
    return tuple(found)


def _holding(lake: Lake, table: Table, who: Identifiers) -> Holding:
    own = mine(table, who)
    at = _instant_of(table)
    rows = lake.scan(table).filter(own | by_key(table, who))
    counts = rows.select(
        own.sum().cast(pl.Int64).alias("own"),
        pl.len().cast(pl.Int64).alias("all"),
        (pl.col(at).min() if at else pl.lit(None)).alias("since"),
        (pl.col(at).max() if at else pl.lit(None)).alias("until"),
    )
    count = counts.collect(engine="streaming").row(0, named=True)
    return Holding(
        table.name,
        table.grain,
        count["own"],
        count["all"] - count["own"],
        _text(count["since"]),
        _text(count["until"]),
        tuple(
            Column(f.name, f.meaning, tuple(sorted(purpose.value for purpose in f.purposes)))
            for f in personal(table)
        ),
        tuple(
            Period(
                rule.name,
                getattr(lake.settings.retention, rule.setting),
                rule.clause,
                rule.columns,
            )
            for rule in RULES
            if rule.table == table.name
        ),
    )


def _instant_of(table: Table) -> str | None:
    """Return the column by which rows are dated: the first instant, else a day."""
    for dtype in (INSTANT, pl.Date()):
        for field in table.fields:
            if field.dtype == dtype and field.name not in ("answered_at", "ended_at"):
                return field.name
    return None


def _text(value: Any) -> str | None:
    return value.isoformat() if isinstance(value, date | datetime) else None
