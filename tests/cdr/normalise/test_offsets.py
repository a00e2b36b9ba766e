"""Offsets looked up by minute are those of the time-zone database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdr.normalise.offsets import NEVER, local_offsets, utc_offsets

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Gaza", "Asia/Kolkata")
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001
WALLS = st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1))  # noqa: DTZ001


@given(st.sampled_from(ZONES), st.lists(WALLS, min_size=1, max_size=20))
def test_a_wall_clock_has_the_offsets_of_the_zone(zone: str, walls: list[datetime]) -> None:
    micros = np.array([(wall - EPOCH) // timedelta(microseconds=1) for wall in walls])
    earliest, latest = local_offsets(micros, zone)
    for wall, first, second in zip(walls, earliest.tolist(), latest.tolist(), strict=True):
        readings = [wall.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1)]
        there = [
            r.astimezone(UTC).astimezone(r.tzinfo).replace(tzinfo=None) == wall for r in readings
        ]
        wanted = [
            r.utcoffset() // timedelta(microseconds=1) if any(there) else NEVER for r in readings
        ]
        assert [first, second] == wanted


@pytest.mark.parametrize("zone", ZONES)
def test_the_offset_at_an_instant_is_that_of_the_zone(zone: str) -> None:
    hours = np.arange(0, 366 * 24) * 3_600_000_000 + 1_735_689_600_000_000
    found = utc_offsets(hours, zone)
    for micros, offset in zip(hours.tolist()[::7], found.tolist()[::7], strict=True):
        at = datetime.fromtimestamp(micros / 1_000_000, ZoneInfo(zone))
        assert timedelta(microseconds=offset) == at.utcoffset()


def test_a_wrong_date_among_others_does_not_matter() -> None:
    far = np.array([0, 253_000_000_000_000_000, 1_788_256_800_000_000])
    earliest, latest = local_offsets(far, "Europe/Berlin")
    assert earliest.tolist() == latest.tolist()
    assert earliest[2] == 2 * 3_600_000_000
