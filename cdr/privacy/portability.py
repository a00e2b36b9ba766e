"""What a person may take along: the data given to us, in files that other systems read.

GDPR Art. 20 asks for what the person provided, by hand or by use; what we concluded from it
(sums, signals, scores) is in the answer to a request of access. Numbers of other people in it
are whole, shortened or left out as `rights.other_numbers` says.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from cdr.billing.files import Format, TableFile, Written, out_folder
from cdr.billing.statements import hidden_digits, masked
from cdr.errors import WrongUse, storage
from cdr.lake import Lake
from cdr.lake.home import write_whole
from cdr.privacy.columns import SIDES, by_key, mine
from cdr.privacy.identifiers import Identifiers
from cdr.schema import (
    ACCOUNT_EVENTS,
    ACCOUNT_NUMBERS,
    ACCOUNTS,
    CALLS,
    MESSAGE_TEMPLATES,
    TEXTS,
    Table,
)

GIVEN = (ACCOUNTS, ACCOUNT_NUMBERS, ACCOUNT_EVENTS, CALLS, MESSAGE_TEMPLATES)
"""Tables of what a person provided, by hand or by use."""

OUR_OWN = frozenset(
    {"record_id", "event_id", "content_hash", "ingest_id", "ingested_at", "import_id",
     "imported_at", "numbering_version", "source_rows", "flags", "kept_for", "template_hash",
     "source_record_id", "call_id", "caller_ip_kind", "callee_ip_kind"}
)  # fmt: skip
"""Columns about our own work, not about the person."""

OF_OTHERS = ("counterpart", "forward_to", "forwarded_to")
"""Columns that hold other people's numbers, beside the other end of a call."""

SCHEMA_FILE = "schema.json"


@dataclass(frozen=True, slots=True)
class Export:
    """What was written, file by file."""

    folder: Path
    files: tuple[Written, ...]


def export(lake: Lake, who: Identifiers, out: Path) -> Export:
    """Write what a person may take along: each table as JSON and CSV, and what columns mean.

    Raises
    ------
    WrongUse
        If the folder holds something already.
    """
    out_folder(out)
    if any(out.iterdir()):
        raise WrongUse("--out holds files already; name a new or empty folder")
    written: list[Written] = []
    described = {}
    with storage("writing an export"):
        for table in GIVEN:
            rows = given_rows(lake, table, who)
            if rows.is_empty():
                continue
            described[table.name] = _described(table, rows.columns)
            for form in (Format.CSV, Format.JSONL):
                file = TableFile(table.name, out, form)
                file.add(_flat(rows) if form is Format.CSV else rows)
                written.append(file.close())
        content = {"format": FORMAT, "tables": described, "files": [asdict(f) for f in written]}
        write_whole(out / SCHEMA_FILE, json.dumps(content, indent=2).encode() + b"\n")
    return Export(out, tuple(written))


FORMAT = {
    "csv": "RFC 4180, UTF-8, a header; lists are separated by `;`; a text that a spreadsheet would "
    "take for a formula has an apostrophe in front",
    "jsonl": "one JSON object a line, UTF-8",
    "times": "ISO 8601, UTC",
}


def given_rows(lake: Lake, table: Table, who: Identifiers) -> pl.DataFrame:
    """Return the rows a person may take along, with other people as the setting says.

    Of an account: its rows. Of a bare number: calls with it at one end, and only that end.
    """
    if who.account_id is None and table is not CALLS:
        return table.empty()
    which = mine(table, who) if who.account_id is not None else by_key(table, who)
    found = lake.scan(table).filter(which).collect(engine="streaming")
    found = _own_end_only(found, who) if who.account_id is None else _others_as_set(lake, found)
    return found.drop([column for column in found.columns if column in OUR_OWN])


def _own_end_only(calls: pl.DataFrame, who: Identifiers) -> pl.DataFrame:
    """Leave of each call the end that is the person's: the other is somebody else's secret."""
    ends = [
        pl.when(pl.col(f"{side}_number").is_in(list(who.numbers))).then(column).alias(column)
        for side in SIDES
        for column in calls.columns
        if column.startswith(f"{side}_")
    ]
    others = ["account_id", "forwarded_to", "source", "cause_code"]
    return calls.with_columns(ends).drop(others)


def _others_as_set(lake: Lake, rows: pl.DataFrame) -> pl.DataFrame:
    how = lake.settings.rights.other_numbers
    if how == "whole":
        return rows
    hidden = hidden_digits(lake.settings.billing.country)
    changes = []
    for column in _columns_of_others(rows.columns):
        text = pl.col(column)
        if rows.schema[column] == TEXTS:
            inner = masked(pl.element(), hidden) if how == "shortened" else pl.lit(None, pl.String)
            changes.append(text.list.eval(inner).list.drop_nulls())
            continue
        other = _other_end(column)
        treated = pl.lit(None, pl.String)
        if how == "shortened" and column.endswith(("_number", *OF_OTHERS)):
            treated = masked(text, hidden)
        changes.append(pl.when(other).then(treated).otherwise(text).alias(column))
    return rows.with_columns(changes)


def _columns_of_others(columns: Iterable[str]) -> list[str]:
    ends = ("_raw", "_number", "_party", "_ip")
    return [c for c in columns if c in OF_OTHERS or (c.startswith(SIDES) and c.endswith(ends))]


def _other_end(column: str) -> pl.Expr:
    """Tell in which rows a column is about somebody else: the called of a call made, and so on."""
    if column.startswith("callee_"):
        return pl.col("direction") != "inbound"
    if column.startswith("caller_"):
        return pl.col("direction") == "inbound"
    return pl.lit(value=True)


def _flat(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(
        pl.col(name).list.join(";") for name, dtype in rows.schema.items() if dtype == TEXTS
    )


def _described(table: Table, columns: list[str]) -> dict[str, object]:
    return {
        "one_row_per": table.grain,
        "columns": [
            {"name": f.name, "type": str(f.dtype), "unit": f.unit, "meaning": f.meaning}
            for f in table.fields
            if f.name in columns
        ],
    }
