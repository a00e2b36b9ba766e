"""Two spellings of the same detail become one value; what says nothing becomes none."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdr.schema import ACCOUNTS
from fraud.identity.details import KEYED
from fraud.identity.normalise import HELD, MOST_CHARS, held_values

COLUMNS = sorted({level.key for level in KEYED} & set(ACCOUNTS.polars_schema))
SCHEMA = pl.Schema({c: ACCOUNTS.polars_schema[c] for c in ("account_id", *COLUMNS)})


def values(**details: Any) -> dict[str, list[str]]:
    row = {**dict.fromkeys(SCHEMA), "account_id": "a", **details}
    held = held_values(pl.DataFrame([row], schema=SCHEMA))
    assert held.schema == HELD
    found: dict[str, list[str]] = {}
    for _, key, value in held.sort("key", "value").iter_rows():
        found.setdefault(key, []).append(value)
    return found


@pytest.mark.parametrize(
    ("detail", "one", "other"),
    [
        pytest.param("name", "José  García", "GARCIA, Jose", id="accents-case-order"),
        pytest.param("name", "\uff2a\uff2f\uff33\uff25 Garcia", "jose garcia", id="full-width"),
        pytest.param("name", "Weiß", "WEISS", id="sharp-s"),
        pytest.param("address", "12 High St., London", "High Street 12 London", id="street"),
        pytest.param("address", "Hauptstraße 5, Köln", "hauptstr. 5 koln", id="strasse"),
        pytest.param("phone", "+49 30 123-4567", "+49301234567", id="phone-spaces"),
        pytest.param("phone", "+49 (0)30 1234567", "+49 30 1234567", id="phone-trunk-zero"),
        pytest.param("id_document", "L01-X 23/4", "l01x234", id="document"),
        pytest.param("signup_ip", "::ffff:203.0.113.7", "203.0.113.7", id="mapped-address"),
    ],
)
def test_spellings_of_the_same_are_the_same(detail: str, one: str, other: str) -> None:
    assert values(**{detail: one}) == values(**{detail: other}) != {}


@pytest.mark.parametrize(
    ("email", "keys"),
    [
        pytest.param(
            "Jo.Hansen77+shop@Googlemail.com",
            {"email": ["johansen77@gmail.com"], "email_local": ["johansen77"],
             "email_stem": ["johansen"], "email_domain": ["gmail.com"]},
            id="dots-tag-digits",
        ),
        pytest.param(
            "info@a.example", {"email": ["info@a.example"], "email_domain": ["a.example"]},
            id="name-too-short-alone",
        ),
        pytest.param(
            "info@mailinator.com",
            {"email": ["info@mailinator.com"], "email_disposable": ["disposable"]},
            id="throw-away",
        ),
        pytest.param("not an address", {}, id="no-address"),
        pytest.param("a@b@c.example", {}, id="two-at-signs"),
        pytest.param("+tag@c.example", {}, id="tag-only"),
        pytest.param("..@c.example", {}, id="dots-only"),
    ],
)  # fmt: skip
def test_an_email_is_compared_whole_by_name_and_by_stem(
    email: str, keys: dict[str, list[str]]
) -> None:
    assert values(email=email) == keys


@pytest.mark.parametrize(
    ("address", "keys"),
    [
        ("203.0.113.7", {"signup_ip": ["203.0.113.7"], "network": ["203.0.113"]}),
        ("2001:DB8:1:2::9", {"signup_ip": ["2001:db8:1:2::9"], "network": ["2001:db8:1"]}),
        ("2001:db8::9", {"signup_ip": ["2001:db8::9"]}),
        ("10.1.2.3", {}),
        ("100.64.0.1", {}),
        ("100.128.0.1", {"signup_ip": ["100.128.0.1"], "network": ["100.128.0"]}),
        ("172.31.9.9", {}),
        ("fd00::1", {}),
        ("fe80::1", {}),
        ("nonsense", {}),
    ],
)
def test_an_address_has_its_network_unless_it_is_private(
    address: str, keys: dict[str, list[str]]
) -> None:
    assert values(signup_ip=address) == keys


def test_members_of_lists_count_once_each() -> None:
    found = values(
        devices=["DEV-0001", "dev0001", "dev-0002", "", None],
        social=["https://www.chat.example/Jo/", "@chat.example/jo"],
        forward_to=["+44 20 7946 0000", "0207946"],
    )
    assert found == {
        "social": ["chat.example/jo"],
        "devices": ["dev0001", "dev0002"],
        "forward_to": ["+442079460000"],
    }


@pytest.mark.parametrize("nothing", [None, "", " ", "N/A", "unknown", "-", "..."])
def test_what_says_nothing_is_no_value(nothing: str | None) -> None:
    single = dict.fromkeys(("name", "email", "phone", "address", "id_document"), nothing)
    assert values(**single, devices=[nothing], payment_fingerprint=[nothing]) == {}


@given(st.text(max_size=600))
def test_any_text_is_taken_and_bounded(text: str) -> None:
    found = values(name=text, email=text, address=text, signup_ip=text, devices=[text, text])
    longest = max((len(v) for of_key in found.values() for v in of_key), default=0)
    assert longest <= 8 * MOST_CHARS  # a character can stand for several


def test_hostile_text_stays_text() -> None:
    text = "'; DROP TABLE accounts; --\x00<script>\u202e"
    assert values(name=text)["name"] == ["accounts drop script table"]
