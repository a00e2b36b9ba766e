"""Times as switches write them become instants, or a reason why they cannot.

Local times are placed by the source's zone. An hour that occurs twice is placed
only where the record proves which one it was; an hour that never was is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeVar
from zoneinfo import ZoneInfo

import polars as pl

from cdr.errors import SettingsError
from cdr.normalise.offsets import NEVER, Microseconds, local_offsets, utc_offsets

TIME_AMBIGUOUS = "time_ambiguous"
TIME_NEVER_EXISTED = "time_never_existed"
TIME_NOT_UNDERSTOOD = "time_not_understood"

PROOF_REACHES_S = 1800
"""How far from a proving epoch second the time it proves may lie: the shortest span that any zone
has twice (Lord Howe's half hour), so that never both readings are within."""

ROUNDING_S = 5
"""Of that, before the proof. Ours: a call is not answered, nor ends, before its record began, but
switches round each to seconds."""

_MANY_MICROSECONDS = 10**17
"""What a usual count stays below; ours: the year 5138, and far from the end of 64 bits."""

_PLACED = pl.Struct({"at": pl.Datetime("us", "UTC"), "reason": pl.String()})
_Text = TypeVar("_Text", pl.Expr, pl.Series)

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
    after_proof_s: pl.Expr | None = None,
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
        Epoch second shortly before the time; decides in the hour that occurs twice.
    after_proof_s : Expr of String, optional
        Seconds from there until shortly before the time; null is none.

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
    proof = [column for column in (proof_epoch_s, after_proof_s) if column is not None]
    return pl.map_batches(
        [text, *proof],
        lambda columns: _local(columns[0], columns[1:], formats, zone),
        return_dtype=_PLACED,
        is_elementwise=True,
    )


def _local(
    text: pl.Series, proof: Sequence[pl.Series], formats: Sequence[str], zone: str
) -> pl.Series:
    wall = _parsed(text, formats)
    micros = _microseconds(wall)
    earliest, latest = local_offsets(micros, zone)
    missing, never = wall.is_null(), pl.Series(earliest == NEVER)
    at = _instants(micros - earliest, missing | never)
    reason = pl.Series("reason", [None], dtype=pl.String).new_from_index(0, len(text))
    if wall.null_count() > text.null_count():
        reason = reason.set(missing & ~_absent(text), TIME_NOT_UNDERSTOOD)
    if never.any():
        reason = reason.set(~missing & never, TIME_NEVER_EXISTED)
    twice = pl.Series(earliest != latest) & ~missing
    if twice.any():
        second = _instants(micros - latest, missing | never)
        at = _proved(at, second, proof).zip_with(twice, at)
        reason = reason.set(twice & at.is_null(), TIME_AMBIGUOUS)
    return pl.DataFrame([at.alias("at"), reason]).to_struct(text.name)


def _parsed(text: pl.Series, formats: Sequence[str]) -> pl.Series:
    """Read wall-clock times; most are in the first layout and have no decimals."""
    usual = formats[0].removesuffix("%.f")
    wall = text.str.to_datetime(usual, time_unit="us", strict=False, cache=False)
    for layout in formats:
        if wall.null_count() == text.null_count():
            break
        left = (wall.is_null() & text.is_not_null()).arg_true()
        bare = text.gather(left).str.strip_chars()
        others = bare.str.to_datetime(layout, time_unit="us", strict=False)
        wall = wall.scatter(left, others)
    return wall


def _microseconds(times: pl.Series) -> Microseconds:
    """Count microseconds since 1970; a time among the others stands for one that is not there."""
    count = pl.first().fill_null(strategy="max").to_physical().fill_null(0)
    return times.to_frame().select(count).to_series().to_numpy()


def _instants(micros: Microseconds, missing: pl.Series) -> pl.Series:
    at = pl.Series("at", micros).cast(pl.Datetime("us", "UTC"))
    return at.set(missing, None) if missing.any() else at


def _proved(earliest: pl.Series, latest: pl.Series, proofs: Sequence[pl.Series]) -> pl.Series:
    """Take the reading that a proof is shortly before; null where it is before neither."""
    nothing = earliest.clear(len(earliest))
    if not proofs:
        return nothing
    epoch_s, *after_s = (column.cast(pl.Float64, strict=False) for column in proofs)
    proof = epoch_s + after_s[0].fill_null(0) if after_s else epoch_s

    def proved(reading: pl.Series) -> pl.Series:
        away = reading.dt.timestamp("ms") / 1000 - proof + ROUNDING_S
        return away.is_between(0, PROOF_REACHES_S, closed="left").fill_null(value=False)

    return earliest.zip_with(proved(earliest), latest.zip_with(proved(latest), nothing))


def offset_to_utc(text: pl.Expr, *, formats: Sequence[str]) -> pl.Expr:
    """Read times that carry their offset from UTC; layouts hold `%z`.

    Returns
    -------
    Expr of Struct
        As :func:`local_to_utc`.
    """
    bare = text.str.strip_chars()
    at = pl.coalesce(
        bare.str.to_datetime(layout, time_unit="us", time_zone="UTC", strict=False)
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
    return text.map_batches(
        lambda texts: _epochs(texts, unit), return_dtype=_PLACED, is_elementwise=True
    )


def _epochs(text: pl.Series, unit: Literal["s", "ms", "us"]) -> pl.Series:
    """Read counts; those that are no whole number of a usual size are read one by one."""
    scale = 1_000_000 // _PER_SECOND[unit]
    whole = text.cast(pl.Int64, strict=False)
    usual = (whole > 0) & (whole < _MANY_MICROSECONDS // scale)
    left = (~usual.fill_null(value=False) & text.is_not_null()).arg_true()
    at = (whole.set(~usual, None) * scale).cast(pl.Datetime("us", "UTC"))
    reason = pl.Series("reason", [None], dtype=pl.String).new_from_index(0, len(text))
    if len(left):
        frame = pl.DataFrame({"text": text.gather(left)})
        others = frame.select(_epoch(pl.col("text"), scale).alias("end")).unnest("end")
        at, reason = at.scatter(left, others["at"]), reason.scatter(left, others["reason"])
    return pl.DataFrame([at.alias("at"), reason]).to_struct(text.name)


def _epoch(text: pl.Expr, scale: int) -> pl.Expr:
    written = pl.when(~text.str.strip_chars().str.contains(r"^0*(\.0*)?$")).then(text)
    count = written.str.strip_chars().cast(pl.Decimal(26, 6), strict=False)
    micros = (count * scale).cast(pl.Int64, strict=False)
    at = micros.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return _with_reason(written, at)


def utc_offset_s(at: pl.Expr, *, zone: str) -> pl.Expr:
    """Return local time less UTC at an instant, in seconds."""
    return at.map_batches(
        lambda instants: _offsets(instants, zone), return_dtype=pl.Int32, is_elementwise=True
    )


def _offsets(at: pl.Series, zone: str) -> pl.Series:
    micros = _microseconds(at)
    seconds = pl.Series(at.name, utc_offsets(micros, zone) // 1_000_000).cast(pl.Int32)
    return seconds.set(at.is_null(), None) if at.null_count() else seconds


def _with_reason(text: pl.Expr, at: pl.Expr) -> pl.Expr:
    missed = ~_absent(text) & at.is_null()
    reason = pl.when(missed).then(pl.lit(TIME_NOT_UNDERSTOOD))
    return pl.struct(at.alias("at"), reason.alias("reason"))


def _absent(text: _Text) -> _Text:
    return text.is_null() | (text.str.strip_chars() == "")
