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
        ("030 1234567 ext. 22", "DE", "+49301234567", "DE", "fixed"),
        ("sip:1234567;phone-context=+49-30@gw;user=phone", "DE", "+49301234567", "DE", "fixed"),
        ("011 15 2345-6789", "AR", "+5491123456789", "AR", "mobile"),
        ("0 21 11 3456-7890", "BR", "+551134567890", "BR", "fixed"),
        ("0 31 21 98765 4321", "BR", "+5521987654321", "BR", "mobile"),
        ("8 10 49 30 1234567", "RU", "+49301234567", "DE", "fixed"),
        ("0011 49 30 1234567", "AU", "+49301234567", "DE", "fixed"),
        ("8 495 123 45 67", "RU", "+74951234567", "RU", "fixed"),
        ("55 1234 5678", "MX", "+525512345678", "MX", "fixed_or_mobile"),
        ("+44 (0)20 7946 0123", "DE", "+442079460123", "GB", "fixed"),
        ("+44 7700 300 123", "DE", "+447700300123", "JE", "mobile"),
        ("+39 06698 12345", "DE", "+390669812345", "VA", "fixed"),
        ("+262 639 012 345", "DE", "+262639012345", "YT", "mobile"),
        ("+358 18 1234567", "DE", "+358181234567", "AX", "fixed"),
        ("49301234567", "DE", "+49301234567", "DE", "fixed"),
        ("201234", "FO", "+298201234", "FO", "fixed"),
        ("+88216 1234 5678", "DE", "+8821612345678", "001", "satellite"),
        ("+٤٩٣٠١٢٣٤٥٦٧", "US", "+49301234567", "DE", "fixed"),
        ("\u202a+49 30 1234567\u202c", "US", "+49301234567", "DE", "fixed"),  # marks nobody sees
        ("\ufeff030\u20111234\u2013567\u200b", "DE", "+49301234567", "DE", "fixed"),
        ("13 27 92", "AU", "+61132792", "AU", "shared_cost"),  # is written without a prefix
        ("14 015", "NL", "+3114015", "NL", "uan"),
        ("01689", "DE", "+491689", "DE", "pager"),
        ("+81 00780 123456789012", "DE", "+8100780123456789012", "JP", "toll_free"),
        ("010 81 00780 123456789012", "JP", "+8100780123456789012", "JP", "toll_free"),
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
    of_19_digits = "8100780123456789012"
    assert end(of_19_digits, "DE", "international")["number"] == f"+{of_19_digits}"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("110", "emergency"),
        ("112", "emergency"),
        ("115", "short_code"),
        ("201", "extension"),
        ("000", "extension"),
        ("*72", "feature_code"),
    ],
)
def test_short_digits_are_a_party_and_no_number(text: str, kind: str) -> None:
    found = end(text)
    assert (found["number"], found["party"]) == (None, text)
    assert (found["number_type"], found["validity"]) == (kind, "short")


@pytest.mark.parametrize(
    ("text", "country"), [("2045252", "CU"), ("19001234", "AU"), ("000212345", "JP")]
)
def test_a_short_code_of_many_digits_is_one_in_its_country_alone(text: str, country: str) -> None:
    found = end(text, country)
    assert (found["number"], found["party"], found["country"]) == (None, text, country)
    assert (found["number_type"], found["validity"]) == ("short_code", "short")
    assert end(text, "DE")["number_type"] != "short_code"


@pytest.mark.parametrize(
    ("text", "country"),
    [
        pytest.param("201234", "DE", id="fits-the-plan-but-has-no-trunk-prefix"),
        pytest.param("446814", "JE", id="a-local-number-without-its-area-code"),
        pytest.param("6064", "SH", id="fits-the-length-but-is-not-allocated"),
    ],
)
def test_few_digits_are_no_number_by_chance(text: str, country: str) -> None:
    found = end(text, country)
    assert (found["number"], found["party"], found["number_type"]) == (None, text, "extension")


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


def test_a_length_that_fits_one_area_only_is_possible_and_no_number() -> None:
    found = end("555-0123", "US")
    assert (found["number"], found["party"], found["validity"]) == (None, "5550123", "possible")


@pytest.mark.parametrize("text", ["+999123456789", "0", "+49301234567890123456789", "0049", "+"])
def test_digits_that_no_number_has(text: str) -> None:
    found = end(text)
    assert found["number"] is None
    assert found["validity"] in ("impossible", "short", "not_a_number")


def test_a_country_without_a_plan_is_a_wrong_setting() -> None:
    with pytest.raises(SettingsError, match="no numbering plan"):
        end("1", country="XX")


def test_all_kinds_of_text_in_one_column_keep_their_places() -> None:
    texts = ["+442079460123", None, "030 1234567", "+999", "110", "alice", "0301234567", "*72"]
    frame = pl.DataFrame({"t": texts})
    read = frame.select(normalise_party(pl.col("t"), country="DE").alias("x"))["x"].to_list()
    assert read == [end(text) for text in texts]
