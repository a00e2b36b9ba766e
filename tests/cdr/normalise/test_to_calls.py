"""Records become calls or rejects: lengths, doubtful ones, proofs, and every reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from cdr.formats.record import ISO_LAYOUTS, RECORD, Clock, Times
from cdr.normalise.calls import Stamp, to_calls
from cdr.schema import ACCOUNT_NUMBERS
from cdr.settings import SourceSettings

NOW = datetime(2026, 9, 3, tzinfo=UTC)
NOON = datetime(2026, 9, 1, 10, tzinfo=UTC)  # noon in Berlin
SOURCE = SourceSettings(format="plain_csv", zone="Europe/Berlin", country="DE", max_call_s=7200)
USUAL: dict[str, object] = {
    "line": 1,
    "source_rows": 1,
    "raw": "x",
    "faults": [],
    "flags": [],
    "account_code": "a1",
    "caller": "030 1234567",
    "callee": "+442079460018",
    "started": "2026-09-01 12:00:00",
    "duration": "60",
    "outcome": "answered",
}


def split(
    *records: dict[str, object], source: SourceSettings = SOURCE
) -> tuple[pl.DataFrame, pl.DataFrame]:
    rows = [dict.fromkeys(RECORD) | USUAL | each for each in records]
    return to_calls(
        pl.DataFrame(rows, schema=RECORD),
        source=source,
        times=Times(Clock.LOCAL, ISO_LAYOUTS[Clock.LOCAL]),
        owners=ACCOUNT_NUMBERS.empty().drop("imported_at"),
        stamp=Stamp("s", "f", "i", NOW),
    )


@pytest.mark.parametrize(
    ("way", "said"), [("code", {"account_code": " a1 "}), ("trunk", {"trunk": "acme-in  "})]
)
def test_blanks_around_an_account_or_a_trunk_are_no_part_of_it(
    way: str, said: dict[str, object]
) -> None:
    source = SOURCE.model_copy(update={"account_from": way, "trunks": {"acme-in": "a1"}})
    calls, _ = split(said, source=source)
    assert calls["account_id"].to_list() == ["a1"]


@pytest.mark.parametrize(
    ("said", "suspect"),
    [
        pytest.param({"duration": "7198"}, False, id="below the maximum"),
        pytest.param({"duration": "7199.2"}, True, id="cut, and rounded down"),
        pytest.param({"duration": "7200"}, True, id="at the maximum"),
        pytest.param({"duration": "86400"}, True, id="far beyond"),
        pytest.param({"duration": "300", "flags": ["missing_bye"]}, True, id="end not seen"),
        pytest.param({"duration": None, "flags": ["missing_bye"]}, False, id="no length at all"),
    ],
)
def test_a_length_nobody_can_trust_is_flagged(said: dict[str, object], suspect: bool) -> None:
    calls, rejects = split(said)
    assert rejects.is_empty()
    assert ("suspect_duration" in calls["flags"][0]) is suspect


def test_answer_and_end_follow_from_start_to_release_and_the_length() -> None:
    calls, _ = split({"elapsed": "67"})
    (call,) = calls.select("answered_at", "ended_at", "ring_ms", "duration_ms").rows()
    assert call == (NOON + timedelta(seconds=7), NOON + timedelta(seconds=67), 7_000, 60_000)


def test_a_call_that_nobody_answered_rang_until_its_release() -> None:
    calls, _ = split({"elapsed": "20", "duration": None, "outcome": "no_answer"})
    (call,) = calls.select("answered_at", "ended_at", "ring_ms", "duration_ms").rows()
    assert call == (None, NOON + timedelta(seconds=20), 20_000, None)


@pytest.mark.parametrize(
    ("epoch_s", "contradicted"),
    [
        pytest.param("1788256800", False, id="the start"),
        pytest.param("1788256200", False, id="ten minutes before, while it waited"),
        pytest.param("1788264000", True, id="two hours later"),
        pytest.param("1788255000", True, id="half an hour before, as Lord Howe from Sydney"),
        pytest.param("1788258600", True, id="half an hour later"),
        pytest.param("1788255899", True, id="a quarter of an hour and a second of rounding"),
        pytest.param(None, False, id="no proof"),
    ],
)
def test_a_proof_that_contradicts_the_zone_is_flagged(
    epoch_s: str | None, contradicted: bool
) -> None:
    calls, _ = split({"proof_epoch_s": epoch_s})
    assert ("offset_contradicted" in calls["flags"][0]) is contradicted


def test_a_proof_decides_in_the_hour_that_comes_twice() -> None:
    twice = {"started": "2025-10-26 02:30:00"}
    calls, rejects = split(
        twice | {"proof_epoch_s": "1761438600"}, twice | {"proof_epoch_s": "1761442200"}, twice
    )
    assert [at.hour for at in calls["started_at"]] == [0, 1]
    assert rejects["reasons"].to_list() == [["started_time_ambiguous"]]


@pytest.mark.parametrize("hour", [0, 1], ids=["first", "second"])
def test_the_proof_of_the_start_decides_of_answer_and_end_too(hour: int) -> None:
    """A call of ten seconds' ring and twenty minutes within the hour, as Asterisk writes it."""
    began = datetime(2025, 10, 26, hour, 30, tzinfo=UTC)
    calls, rejects = split(
        {
            "started": "2025-10-26 02:30:00",
            "answered": "2025-10-26 02:30:10",
            "ended": "2025-10-26 02:50:10",
            "duration": "1200",
            "proof_epoch_s": str(int(began.timestamp())),
        }
    )
    assert rejects.is_empty()
    (call,) = calls.select("started_at", "answered_at", "ended_at").rows()
    assert call == (began, began + timedelta(seconds=10), began + timedelta(seconds=1210))


def test_a_call_from_the_first_such_hour_into_the_second_is_placed_by_its_length() -> None:
    calls, _ = split(
        {
            "started": "2025-10-26 02:50:00",
            "ended": "2025-10-26 02:40:00",
            "duration": "3000",
            "proof_epoch_s": "1761439800",
        }
    )
    (ended_at,) = calls["ended_at"]
    assert ended_at == datetime(2025, 10, 26, 1, 40, tzinfo=UTC)


def test_a_record_is_set_aside_with_every_reason() -> None:
    calls, rejects = split(
        {},
        {
            "line": 2,
            "faults": ["not_utf8"],
            "started": "1/9/2026 12:00",
            "duration": "-1",
            "outcome": None,
        },
        {"line": 3, "duration": "90", "elapsed": "67"},
        {"line": 4, "elapsed": "soon", "ended": "2026-09-01 11:00:00"},
    )
    assert calls.height == 1
    assert rejects.select("line", "reasons").rows() == [
        (2, ["not_utf8", "started_time_not_understood", "duration_negative"]),
        (3, ["duration_beyond_elapsed"]),
        (4, ["elapsed_not_a_number", "end_before_start"]),
    ]


def test_a_source_declares_its_own_layouts_and_clock() -> None:
    day_first = SOURCE.model_copy(update={"time_layouts": ("%d/%m/%Y %H:%M",)})
    calls, _ = split({"started": "1/9/2026 12:00"}, source=day_first)
    assert calls["started_at"].to_list() == [NOON]
    for clock, text in (("offset", "2026-09-01T12:00:00+02:00"), ("epoch_ms", "1788256800000")):
        calls, _ = split({"started": text}, source=SOURCE.model_copy(update={"clock": clock}))
        assert calls["started_at"].to_list() == [NOON]


def test_the_digit_for_an_outside_line_is_taken_off_what_was_dialled_alone() -> None:
    source = SourceSettings(format="plain_csv", zone="UTC", country="US", outside_line="9")
    dialled = {"caller": "912125550123", "callee": "912125550123", "forwarded_to": "92125550199"}
    calls, _ = split(dialled, source=source)
    said = ("caller_number", "callee_raw", "callee_number", "forwarded_to")
    assert calls.select(said).row(0) == (None, "912125550123", "+12125550123", "+12125550199")
