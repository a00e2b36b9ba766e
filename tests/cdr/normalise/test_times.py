"""A wall-clock time is placed by proof or set aside; nothing is guessed."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from cdr.errors import SettingsError
from cdr.normalise.times import epoch_to_utc, local_to_utc, offset_to_utc, utc_offset_s

LAYOUT = ("%Y-%m-%d %H:%M:%S",)


def local(text: str | None, zone: str, proof: str | None = None) -> tuple[datetime | None, str]:
    frame = pl.DataFrame({"t": [text], "p": [proof]}, schema={"t": pl.String, "p": pl.String})
    proof_of = pl.col("p") if proof else None
    read = local_to_utc(pl.col("t"), formats=LAYOUT, zone=zone, proof_epoch_s=proof_of)
    found = frame.select(read.alias("x"))["x"][0]
    return found["at"], found["reason"]


@pytest.mark.parametrize(
    ("zone", "text", "utc"),
    [
        ("Europe/Berlin", "2026-07-01 12:00:00", (2026, 7, 1, 10, 0)),
        ("Europe/Berlin", "2026-01-01 00:30:00", (2025, 12, 31, 23, 30)),
        ("America/New_York", "2026-07-01 20:00:00", (2026, 7, 2, 0, 0)),
        ("Asia/Kolkata", "2026-07-01 05:30:00", (2026, 7, 1, 0, 0)),
        ("Australia/Lord_Howe", "2026-07-01 10:30:00", (2026, 7, 1, 0, 0)),
        ("UTC", "2026-07-01 05:30:00", (2026, 7, 1, 5, 30)),
    ],
)
def test_local_times_become_utc(zone: str, text: str, utc: tuple[int, ...]) -> None:
    assert local(text, zone) == (datetime(*utc, tzinfo=UTC), None)  # type: ignore[arg-type]


def test_blanks_around_a_time_are_no_part_of_it() -> None:
    meant = datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert local(" 2026-07-01 12:00:00 ", "Europe/Berlin") == (meant, None)
    layouts = ("%Y-%m-%d %H:%M:%S%z",)
    found = pl.DataFrame({"t": ["2026-07-01 12:00:00+0200 "]}).select(
        offset_to_utc(pl.col("t"), formats=layouts).alias("x")
    )
    assert found["x"][0]["at"] == meant


def test_the_hour_that_never_was_is_set_aside() -> None:
    assert local("2026-03-29 02:30:00", "Europe/Berlin") == (None, "time_never_existed")


def test_the_hour_that_was_twice_is_set_aside_without_proof() -> None:
    assert local("2026-10-25 02:30:00", "Europe/Berlin") == (None, "time_ambiguous")


@pytest.mark.parametrize("hour", [0, 1], ids=["first", "second"])
def test_the_hour_that_was_twice_is_placed_by_an_epoch_near_it(hour: int) -> None:
    meant = datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
    proof = str(meant.timestamp() - 2)
    assert local("2026-10-25 02:30:00", "Europe/Berlin", proof) == (meant, None)


@pytest.mark.parametrize("at", [(14, 40), (15, 10)], ids=["first", "second"])
@pytest.mark.parametrize("seconds_before", [0, 1000])
def test_half_an_hour_that_was_twice_is_placed_as_well(
    at: tuple[int, int], seconds_before: int
) -> None:
    meant = datetime(2026, 4, 4, *at, tzinfo=UTC)
    proof = str(meant.timestamp() - seconds_before)
    assert local("2026-04-05 01:40:00", "Australia/Lord_Howe", proof) == (meant, None)


@pytest.mark.parametrize("proof", ["0", "x", "1000"])
def test_a_proof_that_is_not_near_proves_nothing(proof: str) -> None:
    assert local("2026-10-25 02:30:00", "Europe/Berlin", proof) == (None, "time_ambiguous")


@pytest.mark.parametrize("text", ["2026-13-01 00:00:00", "yesterday", "2026-07-01T12:00:00", "0"])
def test_what_is_no_time_is_set_aside(text: str) -> None:
    assert local(text, "Europe/Berlin") == (None, "time_not_understood")


@pytest.mark.parametrize("text", [None, "", "  "])
def test_no_time_is_no_fault(text: str | None) -> None:
    assert local(text, "Europe/Berlin") == (None, None)


def test_a_wrong_zone_is_a_wrong_setting() -> None:
    with pytest.raises(SettingsError, match="not an IANA time zone"):
        local("2026-07-01 12:00:00", "Europe/Berlim")


@pytest.mark.parametrize("text", ["2026-07-01T12:00:00+0200", "2026-07-01T12:00:00+02:00"])
def test_an_offset_in_the_text_places_it(text: str) -> None:
    read = offset_to_utc(pl.col("t"), formats=("%Y-%m-%dT%H:%M:%S%z",))
    found = pl.DataFrame({"t": [text]}).select(read.alias("x"))["x"][0]
    assert found == {"at": datetime(2026, 7, 1, 10, tzinfo=UTC), "reason": None}


@pytest.mark.parametrize(
    ("unit", "text", "micros"),
    [("s", "1790811411", 0), ("s", "1790811411.745", 745_000), ("ms", "1790811411745", 745_000),
     ("us", "1790811411745001", 745_001)],
)  # fmt: skip
def test_an_epoch_is_exact_to_the_microsecond(unit: str, text: str, micros: int) -> None:
    read = epoch_to_utc(pl.col("t"), unit=unit)  # type: ignore[arg-type]
    found = pl.DataFrame({"t": [text]}).select(read.alias("x"))["x"][0]
    assert found["at"] == datetime(2026, 9, 30, 23, 36, 51, micros, tzinfo=UTC)


@pytest.mark.parametrize("text", ["0", "0.000", "", None])
def test_epoch_zero_was_never_written(text: str | None) -> None:
    frame = pl.DataFrame({"t": [text]}, schema={"t": pl.String})
    found = frame.select(epoch_to_utc(pl.col("t"), unit="s").alias("x"))["x"][0]
    assert found == {"at": None, "reason": None}


@pytest.mark.parametrize("text", ["99999999999999999999999", "-", "12e4x", "١٢"])
def test_an_epoch_that_is_none_is_set_aside(text: str) -> None:
    frame = pl.DataFrame({"t": [text]})
    found = frame.select(epoch_to_utc(pl.col("t"), unit="s").alias("x"))["x"][0]
    assert found == {"at": None, "reason": "time_not_understood"}


def test_the_offset_is_that_of_the_instant() -> None:
    at = pl.DataFrame({"at": [datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)]})
    assert at.select(utc_offset_s(pl.col("at"), zone="Europe/Berlin"))["at"].to_list() == [
        3600,
        7200,
    ]
