"""Requests are due in a month; a restriction or objection holds from when it came until it ends."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from kept_rows import NOW, ago, call, lake_in, put_calls

import cdr
from cdr.errors import WrongUse
from cdr.privacy.books import REQUESTS
from cdr.privacy.identifiers import check_known
from cdr.privacy.requests import (
    Person,
    Right,
    State,
    close,
    decide,
    disclose,
    disclosures_of,
    in_force_request,
    month_after,
    open_request,
    receive,
    request_of,
)
from cdr.privacy.restrictions import kept_for_restriction, left_alone, numbers_left_alone

A1 = Person("account", "a1")


@pytest.fixture
def lake(tmp_path: Path) -> cdr.Lake:
    return lake_in(tmp_path)


def test_a_month_has_the_days_it_has() -> None:
    asked = datetime(2027, 1, 31, tzinfo=NOW.tzinfo)
    assert month_after(asked) == datetime(2027, 2, 28, tzinfo=NOW.tzinfo)
    assert month_after(datetime(2026, 12, 5, tzinfo=NOW.tzinfo)).date().isoformat() == "2027-01-05"


@pytest.mark.parametrize("right", [Right.RESTRICT, Right.OBJECT])
def test_an_account_is_left_alone_from_the_moment_it_asks(lake: cdr.Lake, right: Right) -> None:
    assert left_alone(lake, as_of=NOW) == frozenset()
    receive(lake, right, A1, reason=None, now=ago(3))
    assert left_alone(lake, as_of=ago(3)) == {"a1"}
    assert kept_for_restriction(lake, as_of=NOW) == ({"a1"} if right is Right.RESTRICT else set())


def test_it_is_left_alone_also_as_of_a_day_before_it_asked_while_that_holds(lake: cdr.Lake) -> None:
    receive(lake, Right.OBJECT, A1, reason=None, now=ago(3))
    assert left_alone(lake, as_of=ago(300)) == {"a1"}


def test_once_lifted_it_holds_for_the_days_between_only(lake: cdr.Lake) -> None:
    asked = receive(lake, Right.RESTRICT, A1, reason=None, now=ago(9))
    close(lake, asked, now=ago(9))
    decide(lake, request_of(lake, asked.request_id), State.LIFTED, grounds="asked", now=ago(2))
    days = [n for n in (10, 9, 5, 2, 1) if left_alone(lake, as_of=ago(n))]
    assert days == [9, 5]


def test_a_refused_objection_holds_while_it_was_weighed(lake: cdr.Lake) -> None:
    asked = receive(lake, Right.OBJECT, A1, reason="I object", now=ago(9))
    with pytest.raises(WrongUse, match="grounds"):
        decide(lake, asked, State.REFUSED, grounds=None, now=ago(2))
    decide(lake, asked, State.REFUSED, grounds="compelling: fraud is likely", now=ago(2))
    assert [n for n in (9, 5, 1) if left_alone(lake, as_of=ago(n))] == [9, 5]
    row = lake.scan(REQUESTS).collect().row(0, named=True)
    assert (row["state"], row["grounds"]) == ("refused", "compelling: fraud is likely")
    assert open_request(lake, Right.OBJECT, A1) is None


def test_a_request_is_decided_once(lake: cdr.Lake) -> None:
    asked = receive(lake, Right.OBJECT, A1, reason=None, now=ago(9))
    decide(lake, asked, State.DONE, grounds=None, now=ago(8))
    with pytest.raises(WrongUse, match="done already"):
        decide(lake, request_of(lake, asked.request_id[:8]), State.REFUSED, grounds="x", now=ago(7))
    with pytest.raises(WrongUse, match="no request"):
        request_of(lake, "zz")


def test_a_restriction_is_found_again_for_as_long_as_it_holds(lake: cdr.Lake) -> None:
    asked = receive(lake, Right.RESTRICT, A1, reason=None, now=ago(9))
    close(lake, asked, now=ago(9))
    found = in_force_request(lake, Right.RESTRICT, A1)
    assert found is not None
    assert found.request_id == asked.request_id
    assert in_force_request(lake, Right.OBJECT, A1) is None
    decide(lake, found, State.LIFTED, grounds="asked", now=ago(2))
    assert in_force_request(lake, Right.RESTRICT, A1) is None


def test_a_mistyped_account_is_refused_a_number_never(lake: cdr.Lake) -> None:
    put_calls(lake, call("r1", 9))
    check_known(lake, A1)
    check_known(lake, Person("number", "+49301234567"))
    with pytest.raises(WrongUse, match="no such account"):
        check_known(lake, Person("account", "a11"))


@pytest.mark.parametrize("unsaid", ["recipient", "what", "ground"])
def test_a_disclosure_says_to_whom_what_and_on_which_ground(lake: cdr.Lake, unsaid: str) -> None:
    said = {"recipient": "police", "what": "calls of October", "ground": "order 12 Js 34/26"}
    with pytest.raises(WrongUse, match="say who received it"):
        disclose(lake, A1, **{**said, unsaid: " "}, now=NOW)
    disclose(lake, A1, **said, now=NOW)
    assert disclosures_of(lake, A1).height == 1


def test_numbers_of_people_who_are_no_customers_restrict_too(lake: cdr.Lake) -> None:
    receive(lake, Right.RESTRICT, Person("number", "+4930"), reason=None, now=ago(1))
    assert numbers_left_alone(lake, as_of=NOW) == {"+4930"}
    assert left_alone(lake, as_of=NOW) == frozenset()
