"""Statements: whole, masked, without calls that were free, the same bytes each time."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from small_books import (
    DE,
    LATER,
    OURS,
    books,
    call,
    calls_into,
    customers,
    deck_into,
    filled,
    read_csv,
)

import cdr
from cdr.billing.periods import Period
from cdr.billing.statements import (
    StatementFormat,
    _payable,
    as_html,
    as_pdf,
    hidden_digits,
    masked,
    write_statements,
)
from cdr.errors import WrongUse

OCTOBER = Period(2026, 10)


def fill(lake: cdr.Lake, folder: Path) -> None:
    customers(lake, folder)
    deck_into(lake, folder)()
    calls_into(lake, folder)(
        call(1, "2026-10-25 00:30:00", "61"),
        call(2, "2026-10-25 01:30:00", "60", DE),
        call(3, "2026-10-02 09:00:00", "60", OURS),
        call(4, "2026-10-02 09:00:00", "60", account_id="a2"),
    )


@pytest.fixture
def october(shelf: Path, tmp_path: Path) -> cdr.Lake:
    return filled(shelf, "statements", tmp_path, fill)


def page_of(lake: cdr.Lake, folder: Path, account: str = "a1") -> str:
    done = write_statements(
        lake, OCTOBER, folder, accounts=[account], forms=[StatementFormat.HTML], now=LATER
    )
    (file,) = done.files["file"]
    return (folder / file).read_text("utf-8")


def test_a_statement_lists_what_is_charged_with_masked_numbers(
    october: cdr.Lake, tmp_path: Path
) -> None:
    page = page_of(october, tmp_path / "out")
    assert "<td>2026-10-25 02:30:00 +02:00<td>+44207946xxxx<td>United Kingdom" in page
    assert "<td>2026-10-25 02:30:00 +01:00<td>+493012xxxx<td>Germany" in page
    assert "Total: 0.35 EUR</strong> in 2 lines" in page
    assert OURS[:8] not in page  # free of charge: not listed
    assert "Alpha &amp; Söhne" in page


def test_a_sum_is_what_can_be_paid_and_what_it_was_exactly() -> None:
    assert _payable(Decimal("0.345000"), "EUR", "half_up") == "0.35 EUR (exactly 0.345)"
    assert _payable(Decimal("120.000000"), "EUR", "half_up") == "120.00 EUR"
    assert _payable(Decimal("7.500000"), "JPY", "down") == "7 JPY (exactly 7.5)"


def test_each_account_has_its_own_and_no_file_is_named_after_it(
    october: cdr.Lake, tmp_path: Path
) -> None:
    done = write_statements(october, OCTOBER, tmp_path / "out", now=LATER)
    assert done.files["account_id"].to_list() == ["a1", "a1", "a2", "a2"]
    assert not any(Path(file).stem == "a1" for file in done.files["file"])
    assert read_csv(tmp_path / "out" / "index.csv").equals(done.files)
    first = {file: (tmp_path / "out" / file).read_bytes() for file in done.files["file"]}
    assert all(b[:5] == b"%PDF-" for name, b in first.items() if name.endswith(".pdf"))
    write_statements(october, OCTOBER, tmp_path / "again", now=LATER)
    assert first == {file: (tmp_path / "again" / file).read_bytes() for file in first}


def test_law_and_wish_decide_on_digits(october: cdr.Lake, tmp_path: Path) -> None:
    german = books(tmp_path, country="DE")
    assert "+442079460xxx" in page_of(german, tmp_path / "german")
    wished = books(tmp_path, country="DE", whole_numbers=("a1",))
    assert "+442079460000" in page_of(wished, tmp_path / "wished")
    assert "+442079460xxx" in page_of(wished, tmp_path / "other", "a2")
    assert (hidden_digits("DE"), hidden_digits("IT"), hidden_digits("")) == (3, 3, 4)


def test_a_stranger_gets_no_statement(october: cdr.Lake, tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="not in the accounts table"):
        write_statements(october, OCTOBER, tmp_path / "out", accounts=["zz"], now=LATER)


def test_masking_keeps_length_and_null() -> None:
    frame = pl.DataFrame({"n": ["+442079460000", None]})
    assert frame.select(masked(pl.col("n"), 3))["n"].to_list() == ["+442079460xxx", None]


def test_text_of_customers_is_text_on_the_statement() -> None:
    statement = {
        "title": "#panic()", "operator": "<b>x</b>", "name": "$x$", "address": "*y*",
        "covers": "", "totals": [], "lines": [["#panic()", "<i>", "_a_", "1 s", "1 EUR"]],
        "note": "", "until": LATER,
    }  # fmt: skip
    assert b"&lt;i&gt;" in as_html(statement)
    assert as_pdf(statement).startswith(b"%PDF-")
