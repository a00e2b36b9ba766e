"""Rate decks: taken in whole or not at all, priced by the longest prefix valid then."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import cdr
from cdr.billing.decks import current_decks, import_deck, load_deck
from cdr.billing.rating import rated
from cdr.errors import CdrError, SchemaMismatch, WrongUse

HEADER = (
    "prefix,destination,rate_per_min,connect_fee,min_s,increment_s,currency,valid_from,valid_to\n"
)
DECK = HEADER + (
    "49,Germany,0.0100,0,60,60,EUR,,\n"
    "4915,Germany mobile,0.1200,0.05,30,6,EUR,,\n"
    "44,United Kingdom,0.0200,0,1,1,EUR,,2026-10-01\n"
    "44,United Kingdom,0.0300,0,1,1,EUR,2026-10-01,\n"
    "447,UK mobile,0.2000,0,1,1,EUR,2026-10-01,2026-11-01\n"
)


def priced(lake: cdr.Lake, *calls: tuple[str | None, str, float | None]) -> list[Any]:
    frame = pl.DataFrame(
        [
            (number, datetime.fromisoformat(at), None if s is None else int(s * 1000))
            for number, at, s in calls
        ],
        schema={
            "number": pl.String,
            "started_at": pl.Datetime("us", "UTC"),
            "duration_ms": pl.Int64,
        },
        orient="row",
    )
    return rated(frame, load_deck(lake, "retail"), decimals=4).rows(named=True)


def test_calls_are_priced_by_the_longest_prefix(lake: cdr.Lake, deck_of: Any) -> None:
    assert deck_of(DECK).state == "imported"
    rows = priced(
        lake,
        ("+4930123456", "2026-09-15T10:00:00+00:00", 61),
        ("+4915112345", "2026-09-15T10:00:00+00:00", 31),
        ("+3314456789", "2026-09-15T10:00:00+00:00", 31),
        (None, "2026-09-15T10:00:00+00:00", 31),
        ("+4930123456", "2026-09-15T10:00:00+00:00", None),
    )
    assert [(r["prefix"], r["billed_s"], r["amount_micro"], r["unrated"]) for r in rows] == [
        ("49", 120, 20_000, None),
        ("4915", 36, 122_000, None),  # 0.05 + 36 s of 0.12 a minute
        (None, None, None, "no_rate"),
        (None, None, None, "no_number"),
        (None, None, None, "no_length"),
    ]


def test_the_rate_is_the_one_valid_at_the_start_in_the_zone(lake: cdr.Lake, deck_of: Any) -> None:
    deck_of(DECK)  # 1 October begins in Berlin at 22:00 UTC, 1 November at 23:00 UTC
    rows = priced(
        lake,
        ("+447700900123", "2026-09-30T21:59:59.999999+00:00", 3600),
        ("+447700900123", "2026-09-30T22:00:00+00:00", 60),
        ("+442079460000", "2026-09-30T22:00:00+00:00", 60),
        ("+447700900123", "2026-10-31T22:59:59+00:00", 60),
        ("+447700900123", "2026-10-31T23:00:00+00:00", 60),
    )
    assert [(r["prefix"], Decimal(r["amount_micro"]) / 10**6) for r in rows] == [
        ("44", Decimal("1.2")),  # an hour that the change falls into: all at the old rate
        ("447", Decimal("0.2")),
        ("44", Decimal("0.03")),
        ("447", Decimal("0.2")),
        ("44", Decimal("0.03")),
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("49x,,0.01,,,,,,", "prefix_not_digits"),
        ("4" * 16 + ",,0.01,,,,,,", "prefix_not_digits"),
        (",,0.01,,,,,,", "no_prefix"),
        ("49,,-0.01,,,,,,", "rate_per_min_negative"),
        ("49,,,,,,,,", "no_rate_per_min"),
        ("49,,1e-2,,,,,,", "rate_per_min_not_a_price"),
        ("49,,nan,,,,,,", "rate_per_min_not_a_price"),
        ("49,,0.0000001,,,,,,", "rate_per_min_not_a_price"),
        ("49,,100001,,,,,,", "rate_per_min_too_large"),
        ("49,,0.01,-1,,,,,", "connect_fee_negative"),
        ("49,,0.01,,-1,,,,", "min_s_not_whole_seconds"),
        ("49,,0.01,,,0,,,", "increment_s_zero"),
        ("49,,0.01,,,1.5,,,", "increment_s_not_whole_seconds"),
        ("49,,0.01,,,,euro,,", "currency_not_iso_4217"),
        ("49,,0.01,,,,,2026-13-01,", "valid_from_not_understood"),
        ("49,,0.01,,,,,2026-10-01,2026-10-01", "valid_to_not_after_valid_from"),
    ],
)  # fmt: skip
def test_a_deck_with_a_bad_row_is_refused_whole(
    lake: cdr.Lake, deck_of: Any, row: str, reason: str
) -> None:
    report = deck_of(f"{HEADER}44,,0.02,,,,,,\n{row}\n")
    assert (report.state, report.reasons) == ("refused", {reason: 1})
    assert report.wrong == [{"line": 3, "reasons": [reason]}]
    assert current_decks(lake) == {}


def test_every_reason_of_a_row_is_told(deck_of: Any) -> None:
    report = deck_of(HEADER + "4a,,-1,x,,0,?,,\n")
    assert report.wrong[0]["reasons"] == [
        "prefix_not_digits",
        "rate_per_min_negative",
        "connect_fee_not_a_price",
        "increment_s_zero",
        "currency_not_iso_4217",
    ]


def test_rows_that_overlap_are_refused_and_rows_that_meet_are_not(deck_of: Any) -> None:
    meet = "49,,1,,,,,2026-01-01,2026-02-01\n49,,2,,,,,2026-02-01,\n"
    assert deck_of(HEADER + meet).state == "imported"
    overlap = "49,,1,,,,,2026-01-01,2026-02-02\n49,,2,,,,,2026-02-01,\n48,,1,,,,,,\n"
    report = deck_of(HEADER + overlap)
    assert [row["line"] for row in report.wrong] == [2, 3]
    assert report.reasons == {"overlaps_another_row": 2}


def test_two_currencies_for_a_prefix_at_a_time_are_refused(deck_of: Any) -> None:
    report = deck_of(HEADER + "49,,1,,,,EUR,,\n49,,1,,,,USD,,\n")
    assert report.reasons == {"overlaps_another_row": 2, "two_currencies": 2}
    changeover = "359,,1,,,,BGN,,2026-01-01\n359,,1,,,,EUR,2026-01-01,\n"
    assert deck_of(HEADER + changeover).state == "imported"


def test_gaps_are_counted_and_their_calls_have_no_rate(lake: cdr.Lake, deck_of: Any) -> None:
    report = deck_of(HEADER + "49,,1,,,,,,2026-01-01\n49,,2,,,,,2026-02-01,\n")
    assert (report.state, report.gaps) == ("imported", 1)
    (row,) = priced(lake, ("+4930123456", "2026-01-15T00:00:00+00:00", 60))
    assert row["unrated"] == "no_rate"


def test_the_same_deck_again_changes_nothing_and_an_older_one_can_count_again(
    lake: cdr.Lake, deck_of: Any
) -> None:
    first, second = HEADER + "49,,1,,,,,,\n", HEADER + "49,,2,,,,,,\n"
    deck_id = deck_of(first).deck_id
    assert deck_of(first).state == "known"
    assert deck_of(second, now=datetime(2026, 9, 2, tzinfo=UTC)).state == "imported"
    assert current_decks(lake)["retail"] != deck_id
    assert deck_of(first, now=datetime(2026, 9, 3, tzinfo=UTC)).state == "imported"
    assert current_decks(lake)["retail"] == deck_id


def test_the_order_of_rows_and_the_way_prices_are_written_do_not_make_another_version(
    deck_of: Any,
) -> None:
    one = deck_of(HEADER + "49,,1,,,,,,\n44,,2.50,,,,,,\n")
    other = deck_of(HEADER + "+44,,2.5,0,0,1,EUR,,\n49,,1.0,,,,,,\n", name="other")
    assert one.deck_id == other.deck_id


def test_a_deck_of_another_kind_is_refused_with_what_to_do(
    lake: cdr.Lake, tmp_path: Path, deck_of: Any
) -> None:
    with pytest.raises(SchemaMismatch, match="missing prefix"):
        deck_of("a,b\n1,2\n")
    with pytest.raises(WrongUse, match="without rates"):
        deck_of(HEADER)
    with pytest.raises(WrongUse, match="name of a deck"):
        deck_of(DECK, name="../x")
    with pytest.raises(WrongUse, match="no rate deck"):
        load_deck(lake, "retail")
    with pytest.raises(CdrError, match="no such file"):
        import_deck(
            lake, tmp_path / "no.csv", name="a", settings=lake.settings.billing,
            now=datetime(2026, 9, 1, tzinfo=UTC),
        )  # fmt: skip


@pytest.mark.large
def test_a_deck_of_200_000_rows_is_taken_in_and_prices_calls(lake: cdr.Lake, deck_of: Any) -> None:
    rows = "".join(f"{n},d{n},0.0{n % 9 + 1},,,,EUR,,\n" for n in range(200_000, 400_000))
    report = deck_of(HEADER + rows + "3,shorter,1,,,,EUR,,\n")
    assert (report.state, report.rates) == ("imported", 200_001)
    started = "2026-09-15T10:00:00+00:00"
    found = priced(lake, ("+3123456789", started, 60), ("+3", started, 60), ("+4", started, 60))
    assert [row["prefix"] for row in found] == ["312345", "3", None]
