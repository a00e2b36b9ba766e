"""When people call: activity by local hour of the week, placed into UTC days.

The curves are shapes only; how many calls an account makes belongs to
:mod:`.profiles`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from pipelines.simulate.draws import Floats, Ints
from pipelines.simulate.places import ZONES

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def _week(spans: dict[str, dict[range, float]], floor: float = 0.01) -> Floats:
    """Fill a 7 x 24 table from spans of local hours by kind of day; a mean day sums to 1."""
    days = {"weekday": range(5), "saturday": range(5, 6), "sunday": range(6, 7)}
    table = np.full((7, 24), floor)
    for kind, hours in spans.items():
        for span, weight in hours.items():
            for day in days[kind]:
                table[day, span.start : span.stop] = weight
    scaled: Floats = table * 7 / table.sum()
    return scaled


def _weekend_attack() -> Floats:
    """Friday 20:00 to Monday 06:00 local takes 80 % of the week's calls."""
    inside = np.zeros((7, 24), dtype=bool)
    inside[4, 20:] = inside[5:] = inside[0, :6] = True
    table: Floats = np.where(inside, 0.8 / inside.sum(), 0.2 / (~inside).sum())
    table *= 7
    return table


# Office traffic has a late-morning and an afternoon peak with a dip at lunch and falls to
# a few per cent at weekends; the shapes are ours. The weekend share of the attack curve:
# about 80 % of IRSF at three operators fell between Friday night and Monday morning
# (docs/simulator.md).
CURVES: dict[str, Floats] = {
    "office": _week(
        {
            "weekday": {
                range(7, 9): 0.35,
                range(9, 12): 1.0,
                range(12, 13): 0.55,
                range(13, 17): 0.95,
                range(17, 19): 0.3,
            },
            "saturday": {range(9, 13): 0.06},
        }
    ),
    "shop": _week(
        {
            "weekday": {range(9, 12): 0.9, range(12, 16): 0.7, range(16, 19): 1.0},
            "saturday": {range(9, 14): 1.0, range(14, 18): 0.6},
        }
    ),
    "evening": _week(
        {
            "weekday": {range(9, 17): 0.25, range(17, 22): 1.0, range(22, 24): 0.3},
            "saturday": {range(10, 22): 0.7},
            "sunday": {range(10, 22): 0.8},
        }
    ),
    "dialler": _week(
        {
            "weekday": {range(8, 12): 1.0, range(12, 14): 0.8, range(14, 20): 1.0},
            "saturday": {range(9, 15): 0.6},
        },
        floor=0.0005,
    ),
    "reminder": _week(
        {"weekday": {range(9, 12): 1.0, range(14, 18): 0.7}, "sunday": {range(17, 19): 0.4}},
        floor=0.0005,
    ),
    "night": _week(
        {
            kind: {range(5): 1.0, range(5, 7): 0.5, range(20, 22): 0.6, range(22, 24): 1.0}
            for kind in ("weekday", "saturday", "sunday")
        },
        floor=0.04,
    ),
    "round_clock": _week(
        {
            kind: {range(6, 8): 0.5, range(8, 20): 1.0, range(20, 24): 0.5}
            for kind in ("weekday", "saturday", "sunday")
        },
        floor=0.2,
    ),
    "flat": _week({}, floor=1.0),
    "weekend_attack": _weekend_attack(),
}

CURVE_NAMES = tuple(CURVES)


def curve_index(curve: str, zone: Ints) -> Ints:
    """Return the row of :func:`activity` for one curve in each of the zones."""
    return CURVE_NAMES.index(curve) * len(ZONES) + zone


def activity(day: date) -> Floats:
    """Return what each UTC hour of a day holds of a mean day's calls.

    Returns
    -------
    float64 array, shape (curves x zones, 24)
        Rows as given by :func:`curve_index`; a whole week adds up to 7.
    """
    midnight = datetime.combine(day, time(), UTC)
    hours = [midnight + timedelta(hours=h) for h in range(24)]
    local = [[hour.astimezone(ZoneInfo(zone)) for hour in hours] for zone in ZONES]
    weekday = np.array([[at.weekday() for at in row] for row in local])
    hour = np.array([[at.hour for at in row] for row in local])
    return np.concatenate([table[weekday, hour] for table in CURVES.values()])


@lru_cache(maxsize=64)
def _offsets(zone: str, first_ms: int, last_ms: int) -> tuple[Ints, Ints]:
    """Return the instants from which each offset holds, and the offsets, in milliseconds."""
    start = first_ms - first_ms % HOUR_MS
    at = np.arange(start, last_ms + HOUR_MS, HOUR_MS, dtype=np.int64)
    info = ZoneInfo(zone)
    offsets = np.array(
        [_offset_ms(info, int(ms)) for ms in at],
        dtype=np.int64,
    )
    changes = np.flatnonzero(np.diff(offsets, prepend=offsets[0] + 1))
    return at[changes], offsets[changes]


def _offset_ms(info: ZoneInfo, ms: int) -> int:
    offset = datetime.fromtimestamp(ms / 1000, info).utcoffset() or timedelta()
    return int(offset.total_seconds()) * 1000


def to_local_ms(at_ms: Ints, zone: str) -> Ints:
    """Return wall-clock milliseconds since 1970 of UTC instants; both hours of autumn coincide."""
    if zone == "UTC" or len(at_ms) == 0:
        return at_ms
    first, last = int(at_ms.min()), int(at_ms.max())
    starts, offsets = _offsets(zone, first - first % DAY_MS, last - last % DAY_MS + DAY_MS)
    local: Ints = at_ms + offsets[np.searchsorted(starts, at_ms, side="right") - 1]
    return local


def local_midnight_ms(day: date, zone: str) -> int:
    """Return the UTC instant at which a local day begins, in milliseconds since 1970."""
    return round(datetime.combine(day, time(), ZoneInfo(zone)).timestamp() * 1000)
