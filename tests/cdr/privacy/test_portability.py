"""What a person takes along opens nowhere as a formula, and lies where it was asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import cdr
from cdr.errors import WrongUse
from cdr.privacy.identifiers import identifiers_of
from cdr.privacy.portability import export
from cdr.privacy.requests import Person


def test_a_text_that_a_spreadsheet_takes_for_a_formula_is_disarmed_in_csv_only(
    people: cdr.Lake, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    export(people, identifiers_of(people, Person("account", "ada-1")), out)
    table = (out / "account_events.csv").read_text()
    assert ",'=cmd()" in table
    assert ",=cmd()" not in table
    rows = [json.loads(line) for line in (out / "account_events.jsonl").read_text().splitlines()]
    assert "=cmd()" in {row["detail"] for row in rows}
    assert "+49301234567" in (out / "account_numbers.csv").read_text()


def test_a_name_that_is_a_path_leads_nowhere(people: cdr.Lake, tmp_path: Path) -> None:
    before = {path for path in tmp_path.rglob("*") if "people" not in path.parts}
    export(people, identifiers_of(people, Person("account", "../../etc/passwd")), tmp_path / "out")
    written = {path for path in tmp_path.rglob("*") if "people" not in path.parts} - before
    assert written == {tmp_path / "out", tmp_path / "out" / "schema.json"}
    with pytest.raises(WrongUse, match="--out holds files"):
        export(people, identifiers_of(people, Person("account", "ada-1")), tmp_path / "out")
