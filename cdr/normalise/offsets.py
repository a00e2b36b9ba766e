"""How far a zone's clock is from UTC, looked up for the minutes that occur.

The time-zone database is asked once for each minute of the days a block of calls spans, not
once for each call: since 1970 no zone's clock changed within a minute.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

Microseconds = npt.NDArray[np.int64]
_Offsets = Callable[[str, pl.Series], tuple[Microseconds, ...]]

NEVER = np.iinfo(np.int64).min
"""Stands for the offset of a wall-clock time that never was."""

_MINUTE_US = 60_000_000
_DAY_MIN = 1_440
_MANY_DAYS = 1_000  # ours: calls of a block span fewer; a wrong date may lie anywhere


def local_offsets(wall: Microseconds, zone: str) -> tuple[Microseconds, Microseconds]:
    """Return what to take from wall-clock times to have UTC, in microseconds.

    Parameters
    ----------
    wall : array of int64
        Microseconds that the wall clock says since 1970.
    zone : str
        IANA zone.

    Returns
    -------
    earliest, latest : array of int64
        Of the first and the second time that the clock said so, which differ in the hour that
        occurs twice; `NEVER` in the hour that never was.
    """
    earliest, latest = _by_minute(wall, zone, _of_wall_minutes)
    return earliest, latest


def utc_offsets(at: Microseconds, zone: str) -> Microseconds:
    """Return local time less UTC in microseconds at instants, microseconds since 1970."""
    return _by_minute(at, zone, _of_utc_minutes)[0]


def _by_minute(micros: Microseconds, zone: str, offsets: _Offsets) -> tuple[Microseconds, ...]:
    minutes = micros // _MINUTE_US
    if not len(minutes):
        return tuple(offsets(zone, pl.Series(minutes)))
    first, last = int(minutes.min()) // _DAY_MIN, int(minutes.max()) // _DAY_MIN
    if last - first > _MANY_DAYS:
        distinct, place = np.unique(minutes, return_inverse=True)
        return tuple(each[place] for each in offsets(zone, pl.Series(distinct)))
    place = minutes - first * _DAY_MIN
    return tuple(each[place] for each in _of_days(offsets, zone, first, last))


@lru_cache(maxsize=32)
def _of_days(
    offsets: _Offsets, zone: str, first_day: int, last_day: int
) -> tuple[Microseconds, ...]:
    minutes = np.arange(first_day * _DAY_MIN, (last_day + 1) * _DAY_MIN)
    return offsets(zone, pl.Series(minutes))


def _of_wall_minutes(zone: str, minutes: pl.Series) -> tuple[Microseconds, ...]:
    wall = (minutes * _MINUTE_US).cast(pl.Datetime("us"))
    readings: tuple[Literal["earliest"], Literal["latest"]] = ("earliest", "latest")
    found = []
    for reading in readings:
        placed = wall.dt.replace_time_zone(zone, ambiguous=reading, non_existent="null")
        utc = placed.dt.convert_time_zone("UTC").to_physical()
        found.append((minutes * _MINUTE_US - utc).fill_null(NEVER).to_numpy())
    return tuple(found)


def _of_utc_minutes(zone: str, minutes: pl.Series) -> tuple[Microseconds, ...]:
    local = (minutes * _MINUTE_US).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(zone)
    offset = local.dt.base_utc_offset() + local.dt.dst_offset()
    return (offset.dt.total_microseconds().to_numpy(),)
