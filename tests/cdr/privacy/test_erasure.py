"""What names a person goes; what book-keeping law keeps stays, cut down; nobody else changes."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from few_people import ADA, BOB, CARL
from hypothesis import given
from hypothesis import strategies as st
from kept_rows import NOW, names, put

import cdr
import cdr.billing.tables
import fraud.tables  # noqa: F401 (every table is to be covered)
from cdr.privacy.columns import has_account, searched
from cdr.privacy.erasure import billed_account, erase_from, left_in, tables
from cdr.privacy.identifiers import Identifiers, identifiers_of, person_of, written_forms
from cdr.privacy.requests import Person
from cdr.privacy.retention import standing_of
from cdr.privacy.rules import Standing
from cdr.query import Query, run
from cdr.schema import (
    ACCOUNT_EVENTS,
    ACCOUNT_NUMBERS,
    ACCOUNTS,
    REJECTS,
    SCORES,
    TABLES,
    Personal,
)

A = Person("account", "ada-1")


def erased(lake: cdr.Lake, person: Person, **more: object) -> tuple[Identifiers, Standing]:
    who = identifiers_of(lake, person)
    standing = replace(standing_of(lake, now=NOW), **more)  # type: ignore[arg-type]
    standing = replace(standing, billed=billed_account(lake, who, standing))
    for table in tables():
        erase_from(lake, table, who, standing, thoroughly=True)
    return who, standing


def left(lake: cdr.Lake, who: Identifiers, standing: Standing) -> dict[str, dict[str, int]]:
    found = {table.name: left_in(lake, table, who, standing).over for table in tables()}
    return {name: columns for name, columns in found.items() if columns}


def test_what_points_to_an_account_and_to_nobody_else(people: cdr.Lake) -> None:
    who = identifiers_of(people, A)
    assert who.numbers == (ADA,)
    assert set(who.values) == {"Ada Lovelace", "ada@lovelace.example", "ada-tablet", "@ada_l",
                               "192.0.2.77", "=cmd()"}  # fmt: skip
    assert who.shared == {"devices": 1, "id_document": 1}


def test_rows_of_the_account_go_but_what_may_still_be_billed(people: cdr.Lake) -> None:
    who, standing = erased(people, A)
    assert names(people) == ["billable", "bob_missed", "bob_to_ada", "bob_to_carl"]
    kept = people.calls().filter(source_record_id="billable").collect().row(0, named=True)
    assert (kept["account_id"], kept["caller_number"], kept["callee_number"]) == (
        "ada-1", ADA, CARL,
    )  # fmt: skip
    assert kept["kept_for"] == "billing"
    assert [kept[c] for c in ("caller_raw", "callee_raw", "caller_ip", "forwarded_to")] == [
        None
    ] * 4
    assert left(people, who, standing) == {}


def test_of_the_account_stays_what_the_bill_needs(people: cdr.Lake) -> None:
    erased(people, A)
    row = people.scan(ACCOUNTS).filter(account_id="ada-1").collect().row(0, named=True)
    assert (row["plan"], row["country"], row["status"]) == ("office", "DE", "closed")
    assert [row[f.name] for f in ACCOUNTS.fields if f.personal is Personal.DIRECT] == [
        None, None, None, None, None, [], [], [], None, [],
    ]  # fmt: skip
    events = people.scan(ACCOUNT_EVENTS).select("kind", "amount", "device").collect().rows()
    assert [(kind, device) for kind, _, device in events] == [("payment", None)]
    assert people.scan(ACCOUNT_NUMBERS).collect()["account_id"].to_list() == ["bob-1"]


def test_only_billing_sees_what_is_kept(people: cdr.Lake) -> None:
    erased(people, A)
    count = Query("t", "SELECT count(*) AS n FROM calls WHERE account_id = 'ada-1'")
    seen = {p: run(people.connect_raw(p), count)["n"][0] for p in ("billing", "fraud")}
    assert seen == {"billing": 1, "fraud": 0}
    assert people.connect("fraud").sql(count.sql).fetchall() == [(0,)]


def test_a_number_that_stays_on_the_bill_of_others_is_seen_by_billing_only(
    people: cdr.Lake,
) -> None:
    erased(people, Person("number", CARL))
    count = Query("t", f"SELECT count(*) AS n FROM calls WHERE callee_number = '{CARL}'")
    seen = {p: run(people.connect_raw(p), count)["n"][0] for p in ("billing", "fraud")}
    assert seen == {"billing": 2, "fraud": 0}


def test_calls_of_others_stay_and_do_not_name_the_person(people: cdr.Lake) -> None:
    erased(people, A)
    rows = people.calls().filter(account_id="bob-1").sort("source_record_id").collect()
    said = rows.select("source_record_id", "caller_number", "callee_number", "callee_raw")
    assert said.rows() == [
        ("bob_missed", BOB, None, None),
        ("bob_to_ada", BOB, ADA, None),  # on Bob's bill
        ("bob_to_carl", BOB, CARL, "00442079460001"),
    ]
    bob = people.scan(ACCOUNTS).filter(account_id="bob-1").collect().row(0, named=True)
    assert (bob["name"], bob["forward_to"], bob["devices"]) == ("Bob Brown", [], ["phone"])


def test_a_record_set_aside_that_holds_the_number_goes_however_it_is_spaced(
    people: cdr.Lake,
) -> None:
    erased(people, Person("number", ADA))
    assert people.scan(REJECTS).collect()["raw"].to_list() == ["x,030 12345678,longer"]


def test_somebody_who_is_no_customer_is_taken_out_of_calls(people: cdr.Lake) -> None:
    who, standing = erased(people, Person("number", CARL))
    rows = people.calls().filter(pl.col("callee_raw").is_not_null()).collect()
    assert set(rows["callee_raw"]) == {"0309876543", "0301234567"}
    assert names(people) == sorted(
        ["billable", "bob_missed", "bob_to_ada", "bob_to_carl", "busy", "long_billed"]
    )
    assert left(people, who, standing) == {}
    ada = people.scan(ACCOUNTS).filter(account_id="ada-1").collect()
    assert ada["forward_to"].to_list() == [[]]


def test_who_is_like_an_erased_account_is_not_told(people: cdr.Lake) -> None:
    near = '{"blocked": [{"account_id": "ada-1", "similarity": 0.9}]}'
    put(people, SCORES, [{"account_id": "bob-1", "as_of_date": NOW.date(), "neighbours": near}])
    erased(people, A, held=("bob-1",))
    assert people.scan(SCORES).collect()["neighbours"].to_list() == [
        near.replace("ada-1", "erased")
    ]


def test_calls_of_an_account_under_a_hold_stay_whole(people: cdr.Lake) -> None:
    who, standing = erased(people, A, held=("bob-1",))
    row = people.calls().filter(source_record_id="bob_missed").collect().row(0, named=True)
    assert (row["callee_number"], row["callee_raw"]) == (ADA, "0301234567")
    assert left(people, who, standing) == {}


def test_only_files_that_name_the_person_are_written_anew(people: cdr.Lake) -> None:
    before = {f.path for f in people.files(cdr.schema.CALLS)}
    who = identifiers_of(people, Person("number", "+15550100000"))
    standing = standing_of(people, now=NOW)
    assert all(
        erase_from(people, t, who, standing, thoroughly=True).files_rewritten == 0 for t in tables()
    )
    assert {f.path for f in people.files(cdr.schema.CALLS)} == before


def test_twice_is_as_once(people: cdr.Lake) -> None:
    erased(people, A)
    before = people.calls().collect()
    erased(people, A)
    assert people.calls().collect().equals(before)


@pytest.mark.parametrize("table", list(TABLES.values()), ids=lambda table: table.name)
def test_every_table_with_a_personal_column_is_covered(table: cdr.schema.Table) -> None:
    personal = [f for f in table.fields if f.personal is Personal.DIRECT]
    text = {f.name for f in searched(table)}
    assert {f.name for f in personal} <= text, "a direct identifier that no search reads"
    if any(f.name.endswith("account_id") for f in table.fields):
        assert has_account(table)


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ('{"id": "ada-1"}', '{"id": "erased"}'),
        ("ada-1,ada-1;ada-12", "erased,erased;ada-12"),
        ("tel:+49 30 1234567", "tel:erased"),
        ("0049301234567 and 0301234567", "0049301234567 and erased"),
        ("4930123456789", "4930123456789"),
    ],
)
def test_a_text_without_the_person(text: str, without: str) -> None:
    who = Identifiers(A, "ada-1", (ADA,))
    assert who.replaced(text, "erased") == without


def test_a_few_digits_are_an_account_only_between_quotes_or_tags() -> None:
    who = Identifiers(Person("account", "17"), "17")
    assert who.replaced('17 calls by "17", <td>17</td>', "x") == '17 calls by "x", <td>x</td>'


@given(st.from_regex(r"\+49[1-9]\d{7,9}", fullmatch=True))
def test_a_number_is_found_in_every_form_it_is_written_in(number: str) -> None:
    who = Identifiers(Person("number", number), None, (number,))
    for form in (number, *written_forms(number)):
        spaced = " ".join((form[:4], form[4:]))
        assert who.replaced(f"a,{form},b", "x") == "a,x,b"
        assert who.replaced(f"a,{spaced},b", "x") == "a,x,b"


def test_a_person_is_named_by_one_of_two() -> None:
    assert person_of(account=None, number="0049 30 1234567") == Person("number", ADA)
    for wrong in ({"account": "a", "number": ADA}, {"account": None, "number": None},
                  {"account": None, "number": "0301234567"}):  # fmt: skip
        with pytest.raises(cdr.errors.WrongUse):
            person_of(**wrong)
