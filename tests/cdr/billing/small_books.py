"""A small operator for the tests of billing: a deck, two accounts, and calls as text rows.

The deck: Germany 0.06 a minute by the second; United Kingdom 0.12 a minute by the minute,
0.05 for the connection. Billing periods are those of Berlin; calls are written in UTC.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import polars as pl

import cdr
from cdr.billing.decks import DeckReport, import_deck
from cdr.imports import import_accounts, import_numbers
from cdr.ingest import IngestReport, ingest
from cdr.settings import SourceSettings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2027, 6, 1, tzinfo=UTC)
UK, DE, FR, OURS = "+442079460000", "+4930123456", "+33144567890", "+49302222222"

DECK = (
    "prefix,destination,rate_per_min,connect_fee,min_s,increment_s,currency,valid_from,valid_to\n"
    "49,Germany,0.0600,0,1,1,EUR,,\n"
    "44,United Kingdom,0.1200,0.05,60,60,EUR,,\n"
)
ACCOUNTS = (
    "account_id,created_at,status,plan,name,address\n"
    "a1,2025-01-01,active,basic,Alpha & Söhne,Weg 1\n"
    "a2,2025-01-01,active,flat,=Beta,Weg 2\n"
)
NUMBERS = "account_id,number\na1,+49301111111\na2,+49302222222\n"
_CALLS_HEADER = (
    "record_id,call_id,account_id,direction,caller,callee,forwarded_to,started_at,duration_s,"
    "outcome\n"
)
_SOURCE = SourceSettings(format="plain_csv", zone="UTC", country="DE")

TakeIn = Callable[..., IngestReport]
ImportDeck = Callable[..., DeckReport]


def books(folder: Path, **billing: object) -> cdr.Lake:
    """Make an empty lake with the billing settings of Berlin."""
    settings = cdr.load_settings(home=folder / "home")
    changed = settings.billing.model_copy(update={"zone": "Europe/Berlin", **billing})
    return cdr.open_lake(settings.model_copy(update={"billing": changed}), create=True)


def customers(lake: cdr.Lake, folder: Path) -> None:
    """Take in two accounts with a number each."""
    for take_in, text in ((import_accounts, ACCOUNTS), (import_numbers, NUMBERS)):
        file = folder / "operator.csv"
        file.write_text(text, "utf-8")
        take_in(lake, file, now=NOW)


def filled(
    shelf: Path, name: str, folder: Path, fill: Callable[[cdr.Lake, Path], None]
) -> cdr.Lake:
    """Return a lake that ``fill`` filled: made once on the shelf, then copied."""
    made = shelf / name
    if not made.exists():
        made.mkdir()
        fill(books(made), made)
    shutil.copytree(made / "home", folder / "home", dirs_exist_ok=True)
    return books(folder)


def deck_into(lake: cdr.Lake, folder: Path) -> ImportDeck:
    """Return what imports a deck from text."""

    def take_in(text: str = DECK, name: str = "retail", now: datetime = NOW) -> DeckReport:
        file = folder / f"{Path(name).name}.csv"
        file.write_text(text, "utf-8")
        return import_deck(lake, file, name=name, settings=lake.settings.billing, now=now)

    return take_in


def calls_into(lake: cdr.Lake, folder: Path) -> TakeIn:
    """Return what takes in rows of :func:`call`."""
    numbers = count()

    def take_in(*rows: str) -> IngestReport:
        file = folder / f"calls-{next(numbers)}.csv"
        file.write_text(_CALLS_HEADER + "".join(row + "\n" for row in rows))
        report = ingest(lake, [file], source_name="s", source=_SOURCE, now=LATER)
        assert report.total("rejected") == 0
        return report

    return take_in


def call(number: int, started: str, duration_s: str = "60", callee: str = UK, **more: str) -> str:
    """Return the row of an answered outbound call of account a1."""
    fields = {
        "record_id": f"r{number}",
        "call_id": f"c{number}",
        "account_id": "a1",
        "direction": "outbound",
        "caller": "+49301111111",
        "callee": callee,
        "forwarded_to": "",
        "started_at": started,
        "duration_s": duration_s,
        "outcome": "answered",
        **more,
    }
    return ",".join(fields.values())


def record_ids(lake: cdr.Lake, names: Sequence[str]) -> pl.Series:
    """Return the keys of calls by the ids that their source gave."""
    wanted = pl.col("source_record_id").is_in(names)
    return lake.calls().filter(wanted).select("record_id").collect()["record_id"]


def read_csv(file: Path) -> pl.DataFrame:
    """Read an extract's file as text."""
    return pl.read_csv(file, infer_schema=False)
