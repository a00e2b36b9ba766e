"""ACT files: three kinds of records with their own columns, two of them one call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from cdr.errors import FormatError
from cdr.formats.ribbon_act import FIELDS

Read = Callable[..., pl.DataFrame]
SAMPLE = Path(__file__).parents[4] / "shared/data/cdr_samples/ribbon/start_stop_attempt.act"
COUNTS = {"START": 172, "STOP": 223, "ATTEMPT": 186}
USUAL = {
    "gateway": "GSX1",
    "accounting_id": "0x1",
    "zone_label": "GMT+01:00-Berlin",
    "start_date": "09/01/2026",
    "start_time": "12:00:00.5",
    "stop_date": "09/01/2026",
    "stop_time": "12:00:09.0",
    "length_cs": "306",
    "reason": "16",
    "calling": "100",
    "called": "200",
    "trunk_group": "ACME",
}


def row(kind: str, width: int = 0, **said: str) -> bytes:
    places = {place: name for name, place in FIELDS[kind].items()}
    values = USUAL | said
    fields = (values.get(places.get(at, ""), "") for at in range(2, (width or COUNTS[kind]) + 1))
    return (
        ",".join(
            (
                kind,
                *fields,
            )
        ).encode()
        + b"\n"
    )


def test_a_start_and_its_stop_are_one_call(read: Read) -> None:
    found = read("ribbon_act", row("START") + row("START", accounting_id="0x2") + row("STOP"))
    said = ("line", "source_rows", "faults", "flags", "started", "ended", "duration", "outcome")
    assert found.select(said).rows() == [
        (1, 2, [], [], "09/01/2026 12:00:00.5", "09/01/2026 12:00:09.0", "3.06", "answered"),
        (2, 1, [], ["missing_bye"], "09/01/2026 12:00:00.5", None, None, "answered"),
    ]
    assert found["raw"][0] == (row("START") + row("STOP")).decode().strip()


def test_a_newer_release_has_more_fields_at_the_end(read: Read) -> None:
    """191, 301 and 217 are those of SBC Core 12.1."""
    other = {"accounting_id": "0x2"}
    found = read(
        "ribbon_act",
        row("STOP", 302) + row("START", 191, **other) + row("STOP", 301, **other)
        + row("ATTEMPT", 217, accounting_id="0x3") + row("STOP", 301, accounting_id="0x4")
        + row("ATTEMPT", 185),
    )  # fmt: skip
    assert found.select("line", "source_rows", "faults", "callee", "outcome").rows() == [
        (1, 1, ["wrong_column_count"], None, None),
        (2, 2, [], "200", "answered"),
        (4, 1, [], "200", "no_answer"),
        (5, 1, [], "200", "answered"),
        (6, 1, ["wrong_column_count"], None, None),
    ]


def test_a_damaged_line_does_not_outvote_a_sound_one(read: Read) -> None:
    found = read("ribbon_act", row("STOP", 5_000) + row("STOP", 223, accounting_id="0x2"))
    assert found["faults"].to_list() == [["wrong_column_count"], []]


def test_an_attempt_was_not_answered(read: Read) -> None:
    data = row("ATTEMPT", reason="17") + row("ATTEMPT", accounting_id="0x2", reason="")
    found = read("ribbon_act", data)
    assert found.select("faults", "outcome", "duration", "cause_code").rows() == [
        ([], "busy", None, "17"),
        (["no_hangup_cause"], None, None, None),
    ]


def test_the_last_route_that_was_tried_tells_the_outcome(read: Read) -> None:
    tried = row("ATTEMPT", reason="34", stop_time="12:00:02.0")
    last = row("ATTEMPT", reason="17", stop_time="12:00:05.0")
    found = read("ribbon_act", tried + last + tried.replace(b"0x1", b"0x2"))
    assert found.select("line", "source_rows", "outcome", "ended").rows() == [
        (1, 2, "busy", "09/01/2026 12:00:05.0"),
        (3, 1, "failed", "09/01/2026 12:00:02.0"),
    ]


def test_a_call_that_was_only_tried_began_with_its_first_route(read: Read) -> None:
    tried = row("ATTEMPT", start_time="12:00:00.0")
    later = row("ATTEMPT", start_time="12:00:04.0")
    both = [read("ribbon_act", tried + more)["started"].item() for more in (b"", later)]
    assert both == ["09/01/2026 12:00:00.0"] * 2


def test_a_zone_that_never_has_that_offset_is_flagged(read: Read) -> None:
    found = read("ribbon_act", row("STOP", zone_label="GMT-08:00-Pacific(US)"))
    assert found["flags"].to_list() == [["offset_contradicted"]]
    found = read("ribbon_act", row("STOP", zone_label="GMT-08:00-X"), zone="America/Los_Angeles")
    assert found["flags"].to_list() == [[]]


@pytest.mark.parametrize(
    ("date", "label", "flags"),
    [
        pytest.param("08/01/2015", "GMT+02:00", [], id="winter-time-of-that-year"),
        pytest.param("08/01/2015", "GMT+03:00", [], id="summer-time-of-that-year"),
        pytest.param("08/01/2026", "GMT+02:00", ["offset_contradicted"], id="has-no-winter-time"),
        pytest.param("08/01/2026", "GMT+03:00", [], id="summer-time-all-year"),
        pytest.param("08/01/20", "GMT+02:00", [], id="no-year-no-proof"),
    ],
)
def test_a_zone_has_the_offsets_of_the_year_of_the_call(
    read: Read, date: str, label: str, flags: list[str]
) -> None:
    """Istanbul has been three hours before UTC all year since 2017, and before only in summer."""
    row_then = row("STOP", zone_label=f"{label}-Istanbul", start_date=date)
    found = read("ribbon_act", row_then + row("STOP", accounting_id="0x2"), zone="Europe/Istanbul")
    assert found["flags"].to_list() == [flags, ["offset_contradicted"]]


@pytest.mark.parametrize(
    ("local", "flags", "proof"),
    [
        pytest.param("09/01/2026 05:00:00.5", [], "1788264000", id="times-in-utc"),
        pytest.param("09/01/2026 12:00:00.6", ["offset_contradicted"], None, id="times-local"),
        pytest.param("", ["offset_contradicted"], None, id="not-said"),
    ],
)
def test_a_start_in_local_time_besides_proves_that_the_times_are_utc(
    read: Read, local: str, flags: list[str], proof: str | None
) -> None:
    stop = row("STOP", 301, start_local=local, zone_label="GMT-08:00-Pacific(US)")
    found = read("ribbon_act", stop, zone="UTC")
    assert found.select("flags", "proof_epoch_s").rows() == [(flags, proof)]


def test_other_lines_are_set_aside(read: Read) -> None:
    data = row("STOP") + b"SW_CHANGE,x\n" + row("STOP")[:-9] + b"\n" + row("ATTEMPT")[:50]
    assert read("ribbon_act", data)["faults"].to_list() == [
        [],
        ["not_a_call"],
        ["wrong_column_count"],
        ["cut_short"],
    ]
    with pytest.raises(FormatError, match="no line begins with START, STOP or ATTEMPT"):
        read("ribbon_act", b"a,b\n")


def test_a_real_file(read: Read) -> None:
    if not SAMPLE.exists():
        pytest.skip("the reference data are not there")
    found = read("ribbon_act", SAMPLE, zone="America/Los_Angeles")
    said = ("line", "source_rows", "faults", "flags", "outcome", "duration", "cause_code")
    assert found.select(said).rows() == [
        (1, 2, [], [], "answered", "3.06", "16"),
        (3, 1, [], [], "rejected", None, "21"),
    ]
    assert found.select("caller_ip", "trunk").rows() == [
        ("10.158.10.170", "NBS_TRUSTED_ABCASX1"),
        ("10.158.140.130", "NBSPUBSIP_ON_SIF93"),
    ]
