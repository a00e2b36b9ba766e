"""Sansay: sixty fields, times without padding, causes of three kinds."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from cdr.errors import FormatError
from cdr.formats import FORMATS

Read = Callable[..., pl.DataFrame]
EXAMPLE = FORMATS["sansay"].example.split(";")


def row(**said: str) -> bytes:
    """Make the example with other fields; `f6="0002"` is the sixth."""
    fields = [said.get(f"f{place}", text) for place, text in enumerate(EXAMPLE, start=1)]
    return ";".join(fields).encode() + b"\n"


def test_a_call_in_full(read: Read) -> None:
    (found,) = read("sansay", row(f7="Tue Sep  1 12:00:00 2026")).rows(named=True)
    said = {name: value for name, value in found.items() if value not in (None, [])}
    del said["raw"]
    assert said == {
        "line": 1,
        "source_rows": 1,
        "source_record_id": "181-1788256800@192.0.2.28;002452502",
        "call_id": "181-1788256800@192.0.2.28",
        "leg": 0,
        "account_code": "000200",
        "trunk": "000200",
        "caller": "+4930901820",
        "callee": "+442079460018",
        "caller_ip": "192.0.2.10",
        "callee_ip": "198.51.100.7",
        "started": "Tue Sep 1 12:00:00 2026",
        "answered": "Tue Sep 01 12:00:07 2026",
        "ended": "Tue Sep 01 12:01:07 2026",
        "outcome": "answered",
        "cause_code": "EndedByRemoteUser",
    }


@pytest.mark.parametrize("never", ["Thu Jan 01 01:00:00 1970", "Wed Dec 31 19:00:00 1969"])
def test_the_first_second_of_1970_is_never_in_any_zone(read: Read, never: str) -> None:
    found = read("sansay", row(f8=never))
    assert found.select("answered", "faults").rows() == [(None, [])]


@pytest.mark.parametrize(
    ("release", "protocol", "outcome"),
    [
        ("0002", "16", "cancelled"),
        ("0004", "", "no_answer"),
        ("0405", "486", "busy"),
        ("0405", "17", "busy"),
        ("0404", "", "failed"),
    ],
)
def test_causes_tell_how_a_call_ended_that_nobody_answered(
    read: Read, release: str, protocol: str, outcome: str
) -> None:
    never = "Thu Jan  1 00:00:00 1970"
    found = read("sansay", row(f6=release, f8=never, f12=protocol))
    assert found.select("faults", "answered", "outcome").rows() == [([], None, outcome)]


def test_routes_that_were_tried_share_the_session(read: Read) -> None:
    found = read("sansay", row(f8="") + row(f1="002452503") + row(f3="A"))
    assert found["call_id"].n_unique() == 1
    assert found["source_record_id"][0] != found["source_record_id"][1]
    assert found["faults"].to_list() == [[], [], ["not_a_call"]]


def test_other_files_are_refused(read: Read) -> None:
    with pytest.raises(FormatError, match="58 to 80 fields"):
        read("sansay", b"a;b\n")
