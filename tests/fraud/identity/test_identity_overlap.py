"""Accounts are compared with accounts blocked before, and rare agreement counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import log2
from typing import Any

import polars as pl
import pytest

from cdr.query import Connection
from fraud.identity.details import DETAILS
from fraud.identity.overlap import (
    MATCHES,
    Compared,
    compare_accounts,
    identity_matches,
    identity_reasons,
)
from fraud.identity.weigh import WEIGHED

pytestmark = pytest.mark.slow


Sees = Callable[..., Connection]
AS_OF = datetime(2026, 2, 1, tzinfo=UTC)
BLOCKED = {
    "status": "blocked",
    "status_reason": "fraud",
    "status_since": datetime(2026, 1, 20, tzinfo=UTC),
}
M = {level.key: level.m for detail in DETAILS for level in detail.levels}


def nearest(compared: Compared) -> dict[str, str | None]:
    order = {"match_weight_bits": False, "blocked_id": True}  # of equals the first comes last
    of_pairs = compared.pairs.sort(list(order), descending=list(order.values())).select(
        "account_id", "blocked_id"
    )
    return dict.fromkeys(compared.accounts["account_id"]) | dict(of_pairs.iter_rows())


def bits(compared: Compared, account: str = "new") -> dict[str, float]:
    steps = identity_matches(compared, accounts=[account], nearest=1)
    return dict(steps.select("detail", "bits").iter_rows())


def test_a_device_that_only_two_have_names_the_blocked_one(sees: Sees) -> None:
    device = {"devices": ["dev-1", "dev-2000"]}
    con = sees(new=device, old={**BLOCKED, "devices": ["dev-2000"]}, strangers=98)
    compared = compare_accounts(con, as_of=AS_OF)
    row = compared.pairs.filter(pl.col("account_id") == "new").row(0, named=True)
    # 100 accounts have a device; half an account is added for what was not seen
    evidence = log2(M["devices"] / (0.5 / 100))
    assert row["blocked_id"] == "old"
    assert row["evidence_bits"] == pytest.approx(evidence)
    assert row["match_weight_bits"] == pytest.approx(evidence + log2(0.01 / 0.99))
    assert row["match_probability"] == pytest.approx(1 / (1 + 2 ** -row["match_weight_bits"]))
    assert compared.pairs.schema == WEIGHED


def test_a_rare_value_weighs_more_than_a_common_one(sees: Sees) -> None:
    same = {"name": "Ann Common", "payment_fingerprint": ["card-1"]}
    common = {f"c{i}": {"name": "Ann Common"} for i in range(40)}
    con = sees(new=same, old={**BLOCKED, **same}, strangers=58, **common)
    found = bits(compare_accounts(con, as_of=AS_OF))
    assert found["name"] == pytest.approx(0.0)  # 42 of 100: nothing that a stranger has not
    assert found["payment_fingerprint"] > 0


def test_of_several_shared_values_the_rarest_counts(sees: Sees) -> None:
    both = {"devices": ["dev-shop", "dev-2000"]}
    shop = {f"c{i}": {"devices": ["dev-shop"]} for i in range(20)}
    con = sees(new=both, old={**BLOCKED, **both}, strangers=50, **shop)
    steps = identity_matches(compare_accounts(con, as_of=AS_OF), accounts=["new"])
    assert steps["holders"].to_list() == [2]


def test_a_value_that_many_have_makes_no_pair(sees: Sees) -> None:
    crowd = {f"c{i}": {"signup_ip": "203.0.113.7"} for i in range(60)}
    con = sees(old={**BLOCKED, "signup_ip": "203.0.113.7"}, **crowd)
    assert compare_accounts(con, as_of=AS_OF).pairs.is_empty()


def test_what_both_do_not_have_is_no_agreement(sees: Sees) -> None:
    con = sees(new={}, old={**BLOCKED, "devices": ["dev-1000"]}, empty=BLOCKED, strangers=5)
    compared = compare_accounts(con, as_of=AS_OF)
    assert compared.pairs.is_empty()
    assert set(nearest(compared).values()) == {None}


def test_unknown_details_neither_help_nor_harm(sees: Sees) -> None:
    device = {"devices": ["dev-2000"]}
    con = sees(new=device, old={**BLOCKED, **device, "name": "Ann Else"}, strangers=20)
    assert set(bits(compare_accounts(con, as_of=AS_OF))) == {"devices"}


def test_a_difference_takes_less_away_than_a_rare_agreement_gives(sees: Sees) -> None:
    new = {"devices": ["dev-2000"], "name": "Ann New", "phone": "+49301234567"}
    old = {"devices": ["dev-2000"], "name": "Bob Old", "phone": "+49307654321"}
    con = sees(new=new, old={**BLOCKED, **old}, strangers=98)
    found = bits(compare_accounts(con, as_of=AS_OF))
    assert -1 < found["name"] < 0
    assert -1 < found["phone"] < 0
    assert found["devices"] > 6


SEEN: dict[str, dict[str, Any]] = {
    "blocked_before": {},
    "just_before": {"status_since": AS_OF - timedelta(microseconds=1)},
    "misuse": {"status_reason": "misuse"},
    "since_unknown": {"status_since": None},
}
NOT_SEEN: dict[str, dict[str, Any]] = {
    "at_midnight": {"status_since": AS_OF},
    "blocked_later": {"status_since": AS_OF + timedelta(days=1)},
    "did_not_pay": {"status_reason": "payment"},
    "no_reason": {"status_reason": None},
    "suspended": {"status": "suspended"},
    "told_at_midnight": {"valid_from": AS_OF},
    "no_longer_so": {"valid_to": AS_OF - timedelta(days=1)},
    "opened_at_midnight": {"created_at": AS_OF},
}


def test_only_what_was_so_before_the_midnight_is_seen(sees: Sees) -> None:
    accounts: dict[str, Any] = {}
    for case, change in (SEEN | NOT_SEEN).items():
        accounts[f"like_{case}"] = {"devices": [f"dev-{case}"]}
        accounts[case] = {**BLOCKED, "devices": [f"dev-{case}"], **change}
    found = nearest(compare_accounts(sees(**accounts), as_of=AS_OF))
    assert {case for case in SEEN | NOT_SEEN if found[f"like_{case}"] == case} == set(SEEN)
    assert {found[f"like_{case}"] for case in NOT_SEEN} == {None}


def test_details_count_as_they_stood_then(sees: Sees) -> None:
    changed = datetime(2026, 1, 15, tzinfo=UTC)
    before = {"account_id": "new", "devices": ["dev-2000"], "valid_to": changed}
    after = {"account_id": "new", "devices": ["dev-3000"], "valid_from": changed}
    old = {**BLOCKED, "devices": ["dev-2000"], "status_since": datetime(2026, 1, 5, tzinfo=UTC)}
    con = sees(before, after, old=old, strangers=5)
    assert nearest(compare_accounts(con, as_of=changed))["new"] == "old"
    assert nearest(compare_accounts(con, as_of=AS_OF))["new"] is None


def test_a_blocked_account_is_compared_with_those_blocked_before_it(sees: Sees) -> None:
    """Otherwise a ring blocked in one go would teach the model that rings are known."""
    card = {"payment_fingerprint": ["card-1"]}
    day = BLOCKED["status_since"].replace(hour=0)
    blocks = {
        "first": day,
        "with_it": day + timedelta(hours=23),
        "next_day": day + timedelta(days=1),
    }
    ring = {name: {**BLOCKED, **card, "status_since": at} for name, at in blocks.items()}
    found = nearest(compare_accounts(sees(**ring, open=card, strangers=5), as_of=AS_OF))
    assert [found[name] for name in ring] == [None, None, "first"]
    assert found["open"] == "first"


def test_accounts_left_out_are_neither_compared_nor_compared_with(sees: Sees) -> None:
    card = {"payment_fingerprint": ["card-1"]}
    con = sees(one={**BLOCKED, **card}, two=card, three=card, strangers=5)
    compared = compare_accounts(con, as_of=AS_OF, left_out=["one", "three"])
    found = nearest(compared)
    assert found["two"] is None
    assert not {"one", "three"} & set(found)
    assert compared.blocked_count == 0


EVENT = {"account_id": "new", "kind": "sign_in", "at": AS_OF - timedelta(days=1)}


@pytest.mark.parametrize(
    ("shown", "given"),
    [
        ({"device": "dev-1"}, {"devices": ["dev-1"]}),
        ({"payment_fingerprint": "card-1"}, {"payment_fingerprint": ["card-1"]}),
        ({"ip": "9.9.9.9"}, {"signup_ip": "9.9.9.9"}),
        ({"ip": "9.9.9.1"}, {"signup_ip": "9.9.9.9"}),
    ],
)
def test_what_events_show_is_compared_too(
    sees: Sees, shown: dict[str, Any], given: dict[str, Any]
) -> None:
    old = {**BLOCKED, **given}
    con = sees(old=old, new={}, strangers=5, events=[{**EVENT, **shown}])
    assert nearest(compare_accounts(con, as_of=AS_OF))["new"] == "old"
    for too_late_or_early in (AS_OF, AS_OF - timedelta(days=91)):
        event = {**EVENT, **shown, "at": too_late_or_early}
        con = sees(old=old, new={}, strangers=5, events=[event])
        assert nearest(compare_accounts(con, as_of=AS_OF))["new"] is None


def test_the_other_end_of_texts_is_compared(sees: Sees) -> None:
    long_ago = BLOCKED["status_since"] - timedelta(days=300)  # all of a blocked account's count
    events = [
        {**EVENT, "counterpart": "+44 20 0000 0001"},
        {**EVENT, "account_id": "old", "at": long_ago, "counterpart": "+442000000001"},
    ]
    compared = compare_accounts(sees(old=BLOCKED, new={}, strangers=5, events=events), as_of=AS_OF)
    matches = identity_matches(compared, accounts=["new"])
    assert matches.select("blocked_id", "detail").rows()[0] == ("old", "counterparts")


def test_a_throw_away_mail_provider_weighs_but_makes_no_pair(sees: Sees) -> None:
    def mail(name: str) -> dict[str, Any]:
        return {"email": f"{name}@mailinator.com"}

    con = sees(
        old={**BLOCKED, **mail("x1yz"), "devices": ["dev-1"]},
        new={**mail("quite-other"), "devices": ["dev-1"]},
        stranger=mail("third-one"),
        strangers=20,
    )
    compared = compare_accounts(con, as_of=AS_OF)
    levels = dict(identity_matches(compared, accounts=["new"]).select("detail", "level").rows())
    assert levels["email"] == "email_disposable"
    assert nearest(compared)["stranger"] is None


def test_the_strongest_of_several_is_nearest(sees: Sees) -> None:
    new = {"payment_fingerprint": ["card-1"], "devices": ["dev-2000"], "name": "Ann New"}
    con = sees(
        new=new,
        weak={**BLOCKED, "payment_fingerprint": ["card-1"]},
        strong={**BLOCKED, "payment_fingerprint": ["card-1"], "devices": ["dev-2000"]},
        strangers=50,
    )
    compared = compare_accounts(con, as_of=AS_OF)
    assert nearest(compared)["new"] == "strong"
    matches = identity_matches(compared, accounts=["new"])
    assert matches.schema == MATCHES
    assert matches["blocked_id"].unique(maintain_order=True).to_list() == ["strong", "weak"]
    one = identity_matches(compared, accounts=["new"], nearest=1)
    assert one["blocked_id"].unique().to_list() == ["strong"]


DEGREES = (
    ("name", "Jonathan Smithson", "Jonathon Smithson", "name_near"),
    ("name", "Berta van Dyke", "van Dyke, Berta", "name"),
    ("name", "Carl Olsen", "Emil Zeitz", "differs"),
    ("email", "ann.smith@a.example", "ann.smith@a.example", "email"),
    ("email", "bert.jones@a.example", "bert.jones@b.example", "email_local"),
    ("email", "carl.miller1@a.example", "carl.miller2@b.example", "email_stem"),
    ("signup_ip", "203.0.113.7", "203.0.113.7", "signup_ip"),
    ("signup_ip", "198.51.100.7", "198.51.100.8", "network"),
    ("signup_ip", "192.0.2.7", "100.0.0.7", "differs"),
)


def test_the_strongest_degree_of_agreement_counts(sees: Sees) -> None:
    accounts: dict[str, Any] = {}
    for i, (detail, one, other, _) in enumerate(DEGREES):
        card = {"payment_fingerprint": [f"card-{i}"]}
        accounts |= {
            f"new{i}": {**card, detail: one},
            f"old{i}": {**BLOCKED, **card, detail: other},
        }
    compared = compare_accounts(sees(**accounts, strangers=50), as_of=AS_OF)
    for i, (detail, _, _, level) in enumerate(DEGREES):
        steps = identity_matches(compared, accounts=[f"new{i}"], nearest=1)
        assert dict(steps.select("detail", "level").iter_rows())[detail] == level


def test_the_steps_add_up_to_the_evidence(sees: Sees) -> None:
    new = {"devices": ["dev-2000", "dev-3000"], "name": "Ann New", "signup_ip": "203.0.113.7"}
    old = {"devices": ["dev-2000"], "name": "Bob Old", "signup_ip": "203.0.113.9"}
    con = sees(new=new, old={**BLOCKED, **old}, strangers=50)
    compared = compare_accounts(con, as_of=AS_OF)
    evidence = compared.pairs.filter(pl.col("account_id") == "new")["evidence_bits"]
    assert sum(bits(compared).values()) == pytest.approx(evidence.item())


def test_reasons_name_what_is_shared_and_how_rare_it_is_but_no_value(sees: Sees) -> None:
    new = {"devices": ["dev-2000"], "name": "Ann Secret", "payment_fingerprint": ["card-1"]}
    con = sees(new=new, old={**BLOCKED, **new}, third={"name": "Ann Secret"}, strangers=50)
    matches = identity_matches(compare_accounts(con, as_of=AS_OF), accounts=["new"])
    assert identity_reasons(matches)["text"].to_list() == [
        "shares a device that nobody else has, a means of payment that nobody else has "
        "and the name that 3 accounts have with blocked account old"
    ]
    assert "ecret" not in str(matches.to_dicts())


def test_only_the_accounts_asked_for_are_compared_by_the_rarity_among_all(sees: Sees) -> None:
    device = {"devices": ["dev-2000"]}
    con = sees(new=device, other=device, old={**BLOCKED, **device}, strangers=50)
    every = compare_accounts(con, as_of=AS_OF)
    some = compare_accounts(con, as_of=AS_OF, accounts=["new", "not-there"])
    assert some.accounts["account_id"].to_list() == ["new"]
    assert some.pairs.equals(every.pairs.filter(pl.col("account_id") == "new"))


def test_the_same_again_gives_the_same_whatever_the_order_of_rows(sees: Sees) -> None:
    accounts: dict[str, Any] = {
        f"a{i}": {"devices": [f"dev-{i % 7}000"], **(BLOCKED if i < 9 else {})} for i in range(30)
    }
    one = compare_accounts(sees(**accounts), as_of=AS_OF)
    other = compare_accounts(sees(**dict(reversed(accounts.items()))), as_of=AS_OF)
    assert one.pairs.height > 20
    assert one.pairs.equals(other.pairs)


def test_no_accounts_and_nobody_blocked_give_empty_answers(sees: Sees) -> None:
    for con in (sees(), sees(new={"name": "Ann New"})):
        compared = compare_accounts(con, as_of=AS_OF)
        assert compared.blocked_count == 0
        assert compared.pairs.is_empty()
        assert identity_matches(compared).schema == MATCHES
        assert identity_reasons(identity_matches(compared)).is_empty()


def test_hostile_details_do_no_harm(sees: Sees) -> None:
    text = '\'; DROP TABLE accounts; -- {this} \x00 "_l" \U0001f4a3' * 9
    hostile = {"name": text, "email": text, "address": text, "devices": [text, text + "2"]}
    con = sees(**{text: hostile}, old={**BLOCKED, **hostile}, strangers=5)
    assert nearest(compare_accounts(con, as_of=AS_OF))[text] == "old"
