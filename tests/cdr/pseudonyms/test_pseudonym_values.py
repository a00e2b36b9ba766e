"""The same person has the same pseudonym; what is readable in it is what was promised."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdr.pseudonyms import Key, pseudonyms

KEY = Key(datetime(2026, 1, 1, tzinfo=UTC), "0f" * 32)
OTHER = Key(datetime(2026, 2, 1, tzinfo=UTC), "1e" * 32)


def of(*texts: str | None, key: Key = KEY) -> list[str | None]:
    return pseudonyms(pl.Series(texts, dtype=pl.String), key).to_list()


@pytest.mark.parametrize(
    ("text", "readable"),
    [
        pytest.param("+493012345678", "+49301", id="area"),
        pytest.param("+14155550123", "+1415", id="north-america"),
        pytest.param("+88213123456", "+882131", id="satellite"),
        pytest.param("+376812345", "+3768", id="short-numbers-hide-five-digits"),
        pytest.param("+3768123", "", id="too-short-to-hide-five"),
        pytest.param("+999123456789", "", id="no-such-calling-code"),
        pytest.param("203.0.113.7", "203.0.", id="ipv4"),
        pytest.param("2001:db8:1::5", "2001:db8:", id="ipv6"),
        pytest.param("sip:alice@example.com", "sip:", id="sip"),
        pytest.param("alice@example.com", "", id="mail"),
        pytest.param("Ada Lovelace", "", id="name"),
    ],
)
def test_what_stays_readable(text: str, readable: str) -> None:
    (said,) = of(text)
    assert re.fullmatch(re.escape(readable) + r"~[0-9a-f]{4}-[0-9a-f]{20}", said or "")


def test_the_token_is_hmac_sha_256_cut_to_80_bits() -> None:
    expected = hmac.new(KEY.secret.encode(), b"+493012345678", hashlib.sha256).hexdigest()[:20]
    assert of("+493012345678") == [f"+49301~{KEY.fingerprint}-{expected}"]


def test_a_number_is_the_same_however_it_is_spaced() -> None:
    assert len(set(of("+493012345678", "+49 30 12345678", "+49 (30) 1234-5678"))) == 1


def test_nothing_stays_nothing() -> None:
    assert of(None, "") == [None, ""]


def test_another_key_gives_another_pseudonym_and_says_so() -> None:
    (one,), (other,) = of("+493012345678"), of("+493012345678", key=OTHER)
    assert one != other
    assert KEY.fingerprint in str(one)
    assert OTHER.fingerprint in str(other)


@given(st.lists(st.text(max_size=20), max_size=20))
def test_different_texts_have_different_pseudonyms_and_none_is_the_text(texts: list[str]) -> None:
    written = [text for text in texts if not re.fullmatch(r"\+[\d\s().\-/]+", text)]
    said = of(*written)
    assert len(set(said)) == len(set(written))
    assert all(text == "" or one != text for text, one in zip(written, said, strict=True))
