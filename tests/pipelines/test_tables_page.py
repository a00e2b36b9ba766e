"""docs/tables.md says what the schema says, and the schema says it of every column."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdr.privacy.periods import RetentionSettings
from cdr.privacy.purposes import GROUNDS, OF_A_BILL, bases_of
from cdr.privacy.rules import RULES
from cdr.schema import PSEUDONYMOUS, TABLES, Personal, Purpose, Table
from pipelines.tables_page import tables_page

PAGE = Path(__file__).parents[2] / "docs/tables.md"
ALL = sorted(TABLES.values(), key=lambda table: table.name)


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text("utf-8") == tables_page()


@pytest.mark.parametrize("table", ALL, ids=lambda table: table.name)
def test_every_column_has_purposes_a_ground_and_a_period(table: Table) -> None:
    about_people = any(field.personal is not Personal.NONE for field in table.fields)
    for field in table.fields:
        bases = bases_of(table, field)
        assert bases, field.name
        for basis in bases:
            assert basis.ground == GROUNDS[basis.purpose]
            for setting, days, clause in basis.periods:
                assert setting in RetentionSettings.model_fields
                assert days >= 1
                assert clause
            if about_people and basis.purpose is not Purpose.RIGHTS:
                assert basis.periods, f"{table.name}.{field.name} is kept for ever"


@pytest.mark.parametrize("table", ALL, ids=lambda table: table.name)
def test_what_retention_does_with_a_table_is_what_its_schema_says(table: Table) -> None:
    said = {setting for kept in table.kept for setting in kept.periods}
    rules = [rule for rule in RULES if rule.table == table.name]
    assert {rule.setting for rule in rules if not rule.columns} <= said | {"ended_hold_days"}
    done = {rule.setting for rule in rules}
    assert said <= done | OF_A_BILL


def test_no_purpose_but_billing_shows_what_identifies_a_person_alone() -> None:
    assert frozenset(Purpose) - PSEUDONYMOUS == {Purpose.BILLING}


def test_addresses_and_signals_are_nothing_for_billing() -> None:
    assert not {"caller_ip", "callee_ip"} & set(TABLES["calls"].columns_of(Purpose.BILLING))
    for name in ("features", "scores", "account_days", "message_templates"):
        assert TABLES[name].columns_of(Purpose.BILLING) == ()


def test_no_session_but_that_of_rights_sees_requests_and_raw_records() -> None:
    for purpose in set(Purpose) - {Purpose.RIGHTS}:
        assert TABLES["person_requests"].columns_of(purpose) == ()
        assert "raw" not in TABLES["rejects"].columns_of(purpose)
