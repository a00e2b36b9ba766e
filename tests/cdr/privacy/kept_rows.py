"""Rows of the tables, a few words each, put into a lake as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

import cdr
from cdr.schema import ACCOUNTS, CALLS, Table

NOW = datetime(2026, 11, 1, tzinfo=UTC)
PLAIN = {
    pl.String(): "x", pl.Int64(): 1, pl.Int32(): 1, pl.Int16(): 1, pl.Binary(): b"k" * 16,
    pl.List(pl.String): [], pl.Datetime("us", "UTC"): NOW,
}  # fmt: skip


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def lake_in(folder: Path, **sections: Mapping[str, object]) -> cdr.Lake:
    settings = cdr.load_settings(home=folder / "home")
    for name, values in sections.items():
        section = type(getattr(settings, name))(**values)
        settings = settings.model_copy(update={name: section})
    return cdr.open_lake(settings, create=True)


def put(lake: cdr.Lake, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Add rows; what a row does not say is null, or plain where null is not allowed."""
    whole = [
        {f.name: row.get(f.name, None if f.nullable else PLAIN.get(f.dtype)) for f in table.fields}
        for row in rows
    ]
    with lake.batch("ingest") as batch, lake.writing():
        batch.add(table, pl.DataFrame(whole, schema=table.polars_schema))
        batch.publish()


def call(name: str, days: float, outcome: str = "answered", **more: object) -> dict[str, object]:
    """Return a call made so many days ago."""
    at = ago(days)
    return {
        "record_id": name.encode().ljust(16, b"."), "source_record_id": name, "account_id": "a1",
        "direction": "outbound", "caller_number": "+49301234567", "caller_raw": "0301234567",
        "callee_number": "+442079460001", "callee_raw": "00442079460001",
        "caller_ip": "192.0.2.1", "started_at": at, "call_date": at.date(), "outcome": outcome,
        "flags": [], **more,
    }  # fmt: skip


def account(
    account_id: str, status: str = "active", since: float = 500, /, **more: object
) -> dict[str, object]:
    """Return an account whose status began so many days ago."""
    return {
        "account_id": account_id, "status": status, "status_since": ago(since),
        "created_at": ago(900), "valid_from": ago(900), "id_document": "D123",
        "devices": ["phone"], **more,
    }  # fmt: skip


def put_calls(lake: cdr.Lake, *calls: Mapping[str, object]) -> None:
    put(lake, CALLS, calls)


def put_accounts(lake: cdr.Lake, *accounts: Mapping[str, object]) -> None:
    put(lake, ACCOUNTS, accounts)


def names(lake: cdr.Lake) -> list[str]:
    return sorted(lake.calls().collect()["source_record_id"])
