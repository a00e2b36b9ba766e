"""What was written about an end of a call becomes E.164 with country and type, or says why not."""

from __future__ import annotations

import polars as pl
import pytest

from cdr.errors import SettingsError
from cdr.normalise.numbers import normalise_party


def end(text: str | None, country: str = "DE", bare: str = "national") -> dict[str, str | None]:
    frame = pl.DataFrame({"t": [text]}, schema={"t": pl.String})
    read = normalise_party(pl.col("t"), country=country, bare=bare)  # type: ignore[arg-type]
    found: dict[str, str | None] = frame.select(read.alias("x"))["x"][0]
    return found


@pytest.mark.parametrize(
    ("text", "country", "number", "of_country", "kind"),
    [
        ("+49 30 1234567", "US", "+49301234567", "DE", "fixed"),
        ("0049301234567", "DE", "+49301234567", "DE", "fixed"),
        ("011 49 30 1234567", "US", "+49301234567", "DE", "fixed"),
        ("030/123-45.67", "DE", "+49301234567", "DE", "fixed"),
        ("(212) 555-0123", "US", "+12125550123", "US", "fixed_or_mobile"),
        ("1 876 234 5678", "US", "+18762345678", "JM", "mobile"),
        ("020 7946 0123", "GB", "+442079460123", "GB", "fixed"),
        ("07911 123456", "GB", "+447911123456", "GG", "mobile"),
        ("+7 701 234 5678", "DE", "+77012345678", "KZ", "mobile"),
        ("06 1234 5678", "IT", "+390612345678", "IT", "fixed"),
        ("0900 1234567", "DE", "+499001234567", "DE", "premium"),
        ("+881612345678", "DE", "+881612345678", "001", "satellite"),
        ("sip:+442079460123@gw.example.net:5060;user=phone", "DE", "+442079460123", "GB", "fixed"),
        ("<sip:%2B442079460123@gw>;tag=x", "DE", "+442079460123", "GB", "fixed"),
        ('"Müller, A." <0301234567>', "DE", "+49301234567", "DE", "fixed"),
        ("tel:+49-30-1234567;ext=22", "DE", "+49301234567", "DE", "fixed"),
    ],
)
def test_a_number_however_written(
    text: str, country: str, number: str, of_country: str, kind: str
) -> None:
    found = end(text, country)
    assert (found["number"], found["country"], found["number_type"]) == (number, of_country, kind)
    assert (found["validity"], found["party"]) == ("valid", None)


def test_bare_digits_are_international_where_the_source_says_so() -> None:
    assert end("442079460123", "DE", "international")["number"] == "+442079460123"


@pytest.mark.parametrize(
    ("text", "kind"),
    [("110", "emergency"), ("112", "emergency"), ("201", "short_code"), ("*72", "feature_code")],
)
def test_short_digits_are_a_party_and_no_number(text: str, kind: str) -> None:
    found = end(text)
    assert (found["number"], found["party"]) == (None, text)
    assert (found["number_type"], found["validity"]) == (kind, "short")


@pytest.mark.parametrize(
    "text", [None, "", "anonymous", "sip:anonymous@anonymous.invalid", "Restricted", "unknown"]
)
def test_who_withholds_is_nobody(text: str | None) -> None:
    found = end(text)
    assert (found["number"], found["party"], found["validity"]) == (None, None, "withheld")


@pytest.mark.parametrize(
    ("text", "party"),
    [("sip:alice@example.net", "alice@example.net"), ("reception", "reception")],
)
def test_a_name_stays_a_party(text: str, party: str) -> None:
    found = end(text)
    assert (found["number"], found["party"]) == (None, party)
    assert found["validity"] == "not_a_number"


def test_a_number_of_no_range_keeps_its_digits_and_says_so() -> None:
    found = end("+49 999 9999999")
    assert (found["number"], found["validity"]) == ("+499999999999", "unallocated")


@pytest.mark.parametrize("text", ["+999123456789", "0"])
def test_digits_that_no_number_has(text: str) -> None:
    found = end(text)
    assert found["number"] is None
    assert found["validity"] in ("impossible", "short", "possible")


def test_a_country_without_a_plan_is_a_wrong_setting() -> None:
    with pytest.raises(SettingsError, match="no numbering plan"):
        end("1", country="XX")
