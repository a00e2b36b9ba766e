"""Verification: a sealed period worked out again, and every difference with its reason."""

from __future__ import annotations

import shutil
from itertools import count
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from killed import kill_at, moments_of, spread
from small_books import (
    LATER,
    books,
    call,
    calls_into,
    customers,
    deck_into,
    filled,
    record_ids,
)

import cdr
from cdr.billing.extract import extract, read_manifest
from cdr.billing.files import Format
from cdr.billing.ledger import seal_of, withdraw
from cdr.billing.periods import Period
from cdr.billing.sealing import seal
from cdr.billing.tables import LINES
from cdr.billing.verify import verify
from cdr.errors import WrongUse

OCTOBER = Period(2026, 10)


def fill(lake: cdr.Lake, folder: Path) -> None:
    customers(lake, folder)
    deck_into(lake, folder)()
    calls_into(lake, folder)(*(call(n, f"2026-10-0{n} 08:00:00", "60") for n in (1, 2, 3)))
    seal(lake, OCTOBER, now=LATER)


@pytest.fixture
def october(shelf: Path, tmp_path: Path) -> cdr.Lake:
    return filled(shelf, "verify", tmp_path, fill)


def reasons(lake: cdr.Lake) -> dict[str, tuple[int, str, str]]:
    found = verify(lake, OCTOBER)
    return {
        row["why"]: (row["calls"], str(row["billed"]), str(row["now"])) for row in found.differences
    }


def test_a_period_that_nothing_happened_to_agrees(october: cdr.Lake, tmp_path: Path) -> None:
    extract(october, OCTOBER, tmp_path / "out", form=Format.CSV, now=LATER)
    found = verify(october, OCTOBER, folder=tmp_path / "out")
    assert (found.agrees, found.compared, found.differences) == (True, 3, [])


def test_every_difference_has_its_reason(october: cdr.Lake, calls: Any) -> None:
    calls(call(1, "2026-10-01 08:00:00", "61"), call(9, "2026-10-09 08:00:00", "60"))
    with october.batch() as batch, october.writing():
        withdraw(batch, record_ids(october, ["r2"]), reason="erased", now=LATER)
        batch.publish()
    assert reasons(october) == {
        "corrected": (1, "0.170000", "0.290000"),
        "erased": (1, "0.170000", "0.170000"),
        "late": (1, "0.000000", "0.170000"),
    }
    assert verify(october, OCTOBER).agrees


def test_a_new_deck_is_named_and_changes_nothing(october: cdr.Lake, deck_of: Any) -> None:
    deck_of("prefix,rate_per_min\n44,9\n", now=LATER)
    found = verify(october, OCTOBER)
    assert (found.agrees, found.differences, found.decks_since) == (True, [], ["retail"])


def test_a_ledger_that_was_altered_is_found(october: cdr.Lake) -> None:
    rows = october.scan(LINES).collect()
    cheaper = rows.with_columns(pl.col("amount") - pl.lit("0.01").cast(pl.Decimal(18, 6)))
    with october.batch() as batch, october.writing():
        batch.remove(LINES, october.files(LINES))
        batch.add(LINES, cheaper)
        batch.publish()
    assert verify(october, OCTOBER).faults == [
        "the sealed lines in the ledger are not those that were sealed",
        "3 lines differ: unexplained",
    ]


def test_reversals_undo_exactly_the_line_that_they_name(october: cdr.Lake, calls: Any) -> None:
    calls(call(1, "2026-10-01 08:00:00", "61"))
    seal(october, Period(2026, 11), now=LATER)
    assert verify(october, Period(2026, 11)).agrees
    rows = october.scan(LINES).collect()
    half = pl.when(pl.col("kind") == "reversal").then(-0.05).otherwise("amount")
    with october.batch() as batch, october.writing():
        batch.remove(LINES, october.files(LINES))
        batch.add(LINES, rows.with_columns(amount=half.cast(pl.Decimal(18, 6))))
        batch.publish()
    assert verify(october, Period(2026, 11)).faults == [
        "the sealed lines in the ledger are not those that were sealed",
        "1 reversals do not undo the line that they name",
    ]


def test_files_that_were_altered_are_found(october: cdr.Lake, tmp_path: Path) -> None:
    extract(october, OCTOBER, tmp_path / "out", form=Format.CSV, now=LATER)
    with (tmp_path / "out" / "lines.csv").open("ab") as file:
        file.write(b"x")
    (tmp_path / "out" / "totals.csv").unlink()
    assert verify(october, OCTOBER, folder=tmp_path / "out").faults == [
        "lines.csv: is not what its manifest says",
        "totals.csv: missing from the folder",
    ]


def test_a_period_that_is_not_sealed_cannot_be_verified(october: cdr.Lake) -> None:
    with pytest.raises(WrongUse, match="not sealed"):
        verify(october, Period(2026, 11))


def bill(folder: Path) -> None:
    """Extract and then seal October in the home that lies in a folder."""
    lake = books(folder)
    extract(lake, OCTOBER, folder / "out", form=Format.CSV, now=LATER)
    seal(lake, OCTOBER, now=LATER)


@pytest.mark.large
def test_a_kill_leaves_a_period_sealed_or_not_and_an_extract_whole_or_none(
    lake: cdr.Lake, deck_of: Any, customers: None, calls: Any, tmp_path: Path
) -> None:
    deck_of()
    calls(*(call(n, f"2026-10-{n % 28 + 1:02d} 08:00:00", "60") for n in range(2000)))
    states, copies = set(), (tmp_path / str(turn) for turn in count())
    whole = copied(lake, next(copies))
    for moment in spread(12, moments_of(bill, whole)):
        folder = copied(lake, next(copies))
        assert kill_at(moment, bill, folder)
        home, manifest = books(folder), read_manifest(folder / "out")
        sealed = seal_of(home, OCTOBER) is not None
        assert home.scan(LINES).collect().height == (2000 if sealed else 0)
        if manifest:
            assert {file["name"] for file in manifest["files"]} <= {
                file.name for file in (folder / "out").iterdir()
            }
        states.add((manifest is not None, sealed))
        if not sealed:
            seal(home, OCTOBER, now=LATER)
        extract(home, OCTOBER, folder / "out", form=Format.CSV, now=LATER)
        assert verify(home, OCTOBER, folder=folder / "out").agrees
    assert states == {(False, False), (True, False), (True, True)}


def copied(lake: cdr.Lake, folder: Path) -> Path:
    shutil.copytree(lake.home.root, folder / "home")
    return folder
