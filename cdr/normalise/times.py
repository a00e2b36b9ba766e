"""Times as switches write them become instants, or a reason why they cannot.

Local times are placed by the source's zone. An hour that occurs twice is placed
only where the record proves which one it was; an hour that never was is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from zoneinfo import ZoneInfo

import polars as pl

from cdr.errors import SettingsError

TIME_AMBIGUOUS = "time_ambiguous"
TIME_NEVER_EXISTED = "time_never_existed"
TIME_NOT_UNDERSTOOD = "time_not_understood"

PROOF_TOLERANCE_S = 1800
"""How far a proving epoch second may lie from the start it proves: less than half of the hour
that the two readings are apart."""

_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000}


def zone_check(zone: str) -> str:
    """Return ``zone`` where it is an IANA time zone.

    Raises
    ------
    SettingsError
        If it is not.
    """
    try:
        ZoneInfo(zone)
    except Exception:
        raise SettingsError(
            "zone", ["not an IANA time zone; use a name such as Europe/Berlin"]
        ) from None
    return zone


def local_to_utc(
    text: pl.Expr,
    *,
    formats: Sequence[str],
    zone: str,
    proof_epoch_s: pl.Expr | None = None,
) -> pl.Expr:
    """Place wall-clock times of a zone.

    Parameters
    ----------
    text : Expr of String
        Wall-clock time; null and empty mean that none was written.
    formats : sequence of str
        `strftime` layouts, tried in turn.
    zone : str
        IANA zone of the clock.
    proof_epoch_s : Expr of String, optional
        Epoch second near the time; decides in the hour that occurs twice.

    Returns
    -------
    Expr of Struct
        `at` (Datetime[us, UTC] or null) and `reason` (null, or why `at` is).

    Raises
    ------
    SettingsError
        If the zone is unknown.
    """
    zone_check(zone)
    wall = pl.coalesce(
        text.str.to_datetime(layout, time_unit="us", strict=False, exact=True) for layout in formats
    )
    earliest = _placed(wall, zone, "earliest")
    latest = _placed(wall, zone, "latest")
    twice = earliest != latest
    at = pl.when(twice).then(_proved(earliest, latest, proof_epoch_s)).otherwise(earliest)
    reason = (
        pl.when(_absent(text))
        .then(None)
        .when(wall.is_null())
        .then(pl.lit(TIME_NOT_UNDERSTOOD))
        .when(earliest.is_null())
        .then(pl.lit(TIME_NEVER_EXISTED))
        .when(at.is_null())
        .then(pl.lit(TIME_AMBIGUOUS))
    )
    return pl.struct(at.alias("at"), reason.alias("reason"))


def _placed(wall: pl.Expr, zone: str, ambiguous: Literal["earliest", "latest"]) -> pl.Expr:
    return wall.dt.replace_time_zone(
        zone, ambiguous=ambiguous, non_existent="null"
    ).dt.convert_time_zone("UTC")


def _proved(earliest: pl.Expr, latest: pl.Expr, proof_epoch_s: pl.Expr | None) -> pl.Expr:
    if proof_epoch_s is None:
        return pl.lit(None, pl.Datetime("us", "UTC"))
    proof = proof_epoch_s.cast(pl.Float64, strict=False)

    def near(reading: pl.Expr) -> pl.Expr:
        return (reading.dt.timestamp("ms") / 1000 - proof).abs() <= PROOF_TOLERANCE_S

    return pl.when(near(earliest)).then(earliest).when(near(latest)).then(latest)


def offset_to_utc(text: pl.Expr, *, formats: Sequence[str]) -> pl.Expr:
    """Read times that carry their offset from UTC; layouts hold `%z`.

    Returns
    -------
    Expr of Struct
        As :func:`local_to_utc`.
    """
    at = pl.coalesce(
        text.str.to_datetime(layout, time_unit="us", time_zone="UTC", strict=False)
        for layout in formats
    )
    return _with_reason(text, at)


def epoch_to_utc(text: pl.Expr, *, unit: Literal["s", "ms", "us"]) -> pl.Expr:
    """Read a count since 1970 UTC; 0, empty and null mean that none was written.

    Returns
    -------
    Expr of Struct
        As :func:`local_to_utc`.
    """
    written = pl.when(~text.str.strip_chars().str.contains(r"^0*(\.0*)?$")).then(text)
    count = written.str.strip_chars().cast(pl.Decimal(26, 6), strict=False)
    micros = (count * (1_000_000 // _PER_SECOND[unit])).cast(pl.Int64, strict=False)
    at = micros.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return _with_reason(written, at)


def utc_offset_s(at: pl.Expr, *, zone: str) -> pl.Expr:
    """Return local time less UTC at an instant, in seconds."""
    local = at.dt.convert_time_zone(zone)
    offset = local.dt.base_utc_offset() + local.dt.dst_offset()
    return offset.dt.total_seconds().cast(pl.Int32)


def _with_reason(text: pl.Expr, at: pl.Expr) -> pl.Expr:
    missed = ~_absent(text) & at.is_null()
    reason = pl.when(missed).then(pl.lit(TIME_NOT_UNDERSTOOD))
    return pl.struct(at.alias("at"), reason.alias("reason"))


def _absent(text: pl.Expr) -> pl.Expr:
    return text.is_null() | (text.str.strip_chars() == "")
