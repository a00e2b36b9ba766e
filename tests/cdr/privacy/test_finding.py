"""Every file that names a person is found by its bytes, with the columns that do."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kept_rows import call, lake_in, put, put_calls

import cdr
from cdr.privacy import finding
from cdr.privacy.columns import keys_of, loosely, searched
from cdr.privacy.finding import naming
from cdr.privacy.identifiers import Identifiers
from cdr.privacy.requests import Person
from cdr.schema import CALLS, REJECTS, Table

SHORT, NUMBER = "a1", "+49301234567"
WHO = Identifiers(Person("account", SHORT), SHORT, (NUMBER,), ("Zoë Brown", "192.0.2.9"))
LONG = Identifiers(Person("account", "acc777"), "acc777", (NUMBER,), ("Zoë Brown",))
LIKE = (SHORT, "acc777", "a11", "ba1", NUMBER, "+493012345678", "0301234567",
        "Zoë Brown", "Zoe Brown", "192.0.2.9", "nobody", "x" * 300)  # fmt: skip
CELLS = ("account_id", "caller_raw", "callee_ip", "forwarded_to")


def found(lake: cdr.Lake, table: Table, who: Identifiers = WHO) -> dict[str, frozenset[str]]:
    return {one.file.path: one.columns for one in naming(lake, table, lake.files(table), who)}


@given(
    cells=st.lists(
        st.fixed_dictionaries({name: st.sampled_from(LIKE) for name in CELLS}),
        min_size=1,
        max_size=4,
    ),
    who=st.sampled_from((WHO, LONG)),
)
@settings(max_examples=12, suppress_health_check=list(HealthCheck))
def test_no_row_that_may_name_the_person_lies_in_a_file_or_column_left_out(
    tmp_path_factory: object, cells: list[dict[str, str]], who: Identifiers
) -> None:
    lake = lake_in(tmp_path_factory.mktemp("lake"))  # type: ignore[attr-defined]
    plain = {"caller_number": None, "caller_raw": None, "caller_ip": None}
    for number, row in enumerate(cells):
        put_calls(lake, call(f"r{number}", 9, **{**plain, **row}))
    by_bytes = found(lake, CALLS, who)
    for file in lake.files(CALLS):
        rows = lake.scan_files(CALLS, [file]).collect()
        for field in searched(CALLS):
            named = rows.filter(loosely(CALLS, who, {field.name})).height
            assert not named or field.name in by_bytes.get(file.path, frozenset()), field.name


def test_a_number_that_a_switch_wrote_with_blanks_is_found_where_none_was_made_of_it(
    tmp_path: Path,
) -> None:
    lake = lake_in(tmp_path)
    nobody = {"caller_number": None, "caller_raw": "030 123-45 67", "account_id": "a11"}
    put_calls(lake, call("spaced", 9, **nobody))
    assert list(found(lake, CALLS).values()) == [{"caller_raw"}]
    assert lake.calls().filter(loosely(CALLS, WHO)).collect().height == 1


def test_somebody_elses_file_is_not_opened(tmp_path: Path) -> None:
    lake = lake_in(tmp_path)
    nobody = {"caller_number": None, "caller_raw": "0307654321", "account_id": "a11"}
    put_calls(lake, call("other", 9, **nobody))
    assert found(lake, CALLS) == {}


def test_by_key_only_columns_are_looked_into_that_could_hold_what_the_person_has() -> None:
    bare = Identifiers(Person("number", NUMBER), None, (NUMBER,))
    assert {f.name for f in keys_of(CALLS, bare)} == {
        "account_id", "caller_number", "callee_number",
    }  # fmt: skip
    assert {"caller_ip", "callee_ip"} < {f.name for f in keys_of(CALLS, WHO)}


def test_a_number_is_found_in_what_people_wrote_however_it_is_spaced(tmp_path: Path) -> None:
    lake = lake_in(tmp_path)
    put(lake, REJECTS, [{"raw": "x,030 123-45 67,y", "reasons": []}])
    (columns,) = found(lake, REJECTS).values()
    assert columns == {"raw"}
    assert lake.scan(REJECTS).filter(loosely(REJECTS, WHO, columns)).collect().height == 1


@pytest.mark.parametrize("at_once", [1, finding._HANDFUL])
def test_however_few_pages_are_looked_through_at_once_each_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(finding, "_HANDFUL", at_once)
    lake = lake_in(tmp_path)
    mine = {"account_id": "acc777", "caller_number": None, "caller_raw": "030 1234567"}
    put_calls(lake, call("one", 9, **mine, forwarded_to=NUMBER))
    named = {"account_id", "caller_raw", "forwarded_to"}
    assert list(found(lake, CALLS, LONG).values()) == [named]
