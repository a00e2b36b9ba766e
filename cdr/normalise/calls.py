"""Records as text become calls, or are set aside with every reason.

Joins what the other modules of this package know: times, numbers, addresses,
owners. Pure: frames in, frames out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import polars as pl

from cdr.codes import failed
from cdr.formats.record import Clock, Times
from cdr.keys import content_64, leg_16
from cdr.normalise.addresses import normalise_ip
from cdr.normalise.numbers import NUMBERING_VERSION, Validity
from cdr.normalise.outside_line import read_end
from cdr.normalise.owners import NO_ACCOUNT, OWN_WAY, with_account
from cdr.normalise.times import (
    ROUNDING_S,
    epoch_to_utc,
    local_to_utc,
    offset_to_utc,
    utc_offset_s,
)
from cdr.schema import CALLS, CODES, INSTANT, Outcome
from cdr.settings import SourceSettings

CONTENT = (
    "call_id",
    "account_code",
    "direction",
    "caller",
    "callee",
    "caller_ip",
    "callee_ip",
    "forwarded_to",
    "started",
    "answered",
    "ended",
    "duration",
    "elapsed",
    "outcome",
    "cause_code",
)
"""What a record says: two records with the same key and the same of these are duplicates.

Text as read, so that newer numbering metadata never makes a correction.
"""

CLOCK_SKEW = timedelta(minutes=5)
"""How far a switch's clock may be ahead of ours. Ours: more than NTP ever leaves."""

TOO_FAR_AHEAD = timedelta(days=1)
"""A start later than this after the arrival is no clock skew but a wrong date."""

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""Start before this is a wrong date. Ours: no switch of that age writes files."""

DURATION_TOLERANCE_MS = 2_000
"""Answer to release may differ from the given length: switches round either to seconds."""


CUT_TOLERANCE_MS = 1_000
"""A call cut at the switch's maximum may be this much shorter: switches round to seconds."""

_MANY_SECONDS = 10**12
"""No length has so many; what is beyond is read the careful way, which refuses it."""

OFFSET_CONTRADICTED = "offset_contradicted"
"""Flag of a call whose record proves another offset from UTC than the source's zone has."""

OFFSET_TOLERANCE_S = 1800
"""How far a proving epoch second may lie from the start. Ours: a call waits less than this
before its record begins."""

OFFSET_STEP_S = 900
"""What all offsets in use are multiples of: Kathmandu is a quarter of an hour from India, Lord Howe
half an hour from Sydney in winter. A start that is so far from its proof contradicts it too."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What is written on every row of one file."""

    source: str
    file: str
    ingest_id: str
    ingested_at: datetime


def to_calls(
    records: pl.DataFrame,
    *,
    source: SourceSettings,
    times: Times,
    owners: pl.DataFrame,
    stamp: Stamp,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split records into calls and rejects.

    Parameters
    ----------
    records : DataFrame
        With the columns of `cdr.formats.record.RECORD`.
    source : SourceSettings
        Zone, country and the way to the account.
    times : Times
        How the format writes times.
    owners : DataFrame
        `account_id`, `number` (E.164), `valid_from`, `valid_to` (UTC instants,
        half-open; null is unbounded).
    stamp : Stamp
        Source, file and arrival.

    Returns
    -------
    calls : DataFrame
        With the columns of `cdr.schema.CALLS`.
    rejects : DataFrame
        With the columns of `cdr.schema.REJECTS`; `reasons` is never empty. Each
        record is in exactly one of the two.
    """
    placed = _place_times(records, times.declared_by(source), source.zone)
    reasons = failed(placed, _reasons(placed, stamp.ingested_at), besides="faults")
    refused = reasons.list.len() > 0
    good, bad = placed, placed.clear()
    if refused.any():
        good = placed.filter(~refused)
        bad = placed.with_columns(reasons.alias("reasons")).filter(refused)
    else:
        bad = bad.with_columns(reasons.clear().alias("reasons"))
    rejects = bad.select(
        pl.lit(stamp.ingest_id).alias("ingest_id"),
        pl.lit(stamp.source).alias("source"),
        pl.lit(stamp.file).alias("file"),
        "line",
        "source_rows",
        "reasons",
        "raw",
        "source_record_id",
        pl.col("started_at").alias("at"),
        pl.lit(stamp.ingested_at, INSTANT).alias("ingested_at"),
        pl.lit(None, INSTANT).alias("explained_at"),
    )
    return _calls(good, source, owners, stamp), rejects


def _place_times(records: pl.DataFrame, times: Times, zone: str) -> pl.DataFrame:
    """Add `started_at` and `started_reason`, the same of the others, `given_ms`, `elapsed_ms`."""
    moments = ("started", "answered", "ended")
    placed = records.with_columns(
        *(_placed(name, times, zone).alias(f"{name}_placed") for name in moments),
        _milliseconds(pl.col("duration")).alias("given_ms"),
        _milliseconds(pl.col("elapsed")).alias("elapsed_ms"),
    )
    fields = (
        pl.col(f"{name}_placed").struct.field(field).alias(f"{name}_{field}")
        for name in moments
        for field in ("at", "reason")
    )
    placed = placed.with_columns(fields).drop(f"{name}_placed" for name in moments)
    if placed["elapsed_ms"].is_null().all():
        return placed
    release = pl.col("started_at") + pl.duration(milliseconds="elapsed_ms")
    return placed.with_columns(pl.coalesce("ended_at", release).alias("ended_at"))


def _placed(name: str, times: Times, zone: str) -> pl.Expr:
    text = pl.col(name)
    if times.clock is Clock.LOCAL:
        return local_to_utc(
            text,
            formats=times.layouts,
            zone=zone,
            proof_epoch_s=pl.col("proof_epoch_s"),
            after_proof_s=pl.col("duration") if name == "ended" else None,
        )
    if times.clock is Clock.OFFSET:
        return offset_to_utc(text, formats=times.layouts)
    units: dict[Clock, Literal["s", "ms", "us"]] = {
        Clock.EPOCH_S: "s",
        Clock.EPOCH_MS: "ms",
        Clock.EPOCH_US: "us",
    }
    return epoch_to_utc(text, unit=units[times.clock])


def _milliseconds(seconds: pl.Expr) -> pl.Expr:
    """Read seconds, with or without decimals, as whole milliseconds; null where it is no number."""
    return seconds.map_batches(_read_seconds, return_dtype=pl.Int64, is_elementwise=True)


def _read_seconds(text: pl.Series) -> pl.Series:
    whole = text.cast(pl.Int64, strict=False)
    usual = whole.is_between(-_MANY_SECONDS, _MANY_SECONDS)
    found = whole.set(~usual, None) * 1000
    if found.null_count() == text.null_count():
        return found
    left = (found.is_null() & text.is_not_null()).arg_true()
    others = text.gather(left).str.strip_chars().cast(pl.Decimal(18, 6), strict=False)
    return found.scatter(left, (others * 1000).round(0).cast(pl.Int64))


def _reasons(placed: pl.DataFrame, ingested_at: datetime) -> dict[str, pl.Expr]:
    """Return every reason why a record may be no call, and when it holds."""
    started, answered, ended = pl.col("started_at"), pl.col("answered_at"), pl.col("ended_at")
    without_fault = pl.col("faults").list.len() == 0
    answered_call = pl.col("outcome") == Outcome.ANSWERED.value
    no_length = pl.col("given_ms").is_null() & (answered.is_null() | ended.is_null())
    open_ended = _unseen_end(placed)
    given, elapsed = pl.col("given_ms"), pl.col("elapsed_ms")
    return {
        **{
            f"{name}_{reason}": pl.col(f"{name}_reason") == reason
            for name in ("started", "answered", "ended")
            for reason in placed[f"{name}_reason"].drop_nulls().unique().sort()
        },
        "no_start_time": without_fault & started.is_null() & pl.col("started_reason").is_null(),
        "outcome_not_understood": without_fault & pl.col("outcome").is_null(),
        "duration_not_a_number": pl.col("duration").is_not_null() & given.is_null(),
        "duration_negative": given < 0,
        "elapsed_not_a_number": pl.col("elapsed").is_not_null() & elapsed.is_null(),
        "duration_beyond_elapsed": given > elapsed + DURATION_TOLERANCE_MS,
        "end_before_start": ended < started,
        "answer_before_start": answered < started,
        "end_before_answer": ended < answered,
        "no_length": answered_call & no_length & ~open_ended,
        "start_in_the_future": started > ingested_at + TOO_FAR_AHEAD,
        "start_too_long_ago": started < EARLIEST,
    }


def _calls(
    records: pl.DataFrame, source: SourceSettings, owners: pl.DataFrame, stamp: Stamp
) -> pl.DataFrame:
    named = records.with_columns(
        _party("caller", source),
        _party("callee", source),
        _party("forwarded_to", source),
        content_64(records, CONTENT),
        _address("caller"),
        _address("callee"),
        (pl.col("outcome") == Outcome.ANSWERED.value).alias("was_answered"),
    )
    named = named.drop("caller_ip", "callee_ip").unnest(
        "caller_end", "callee_end", "forwarded_to_end", "caller_address", "callee_address"
    )
    owned = with_account(_with_lengths(named), source, owners)
    keyed = owned.with_columns(_source_record_id(owned), pl.col("leg").fill_null(0))
    return CALLS.conform(
        keyed.with_columns(
            leg_16(
                stamp.source,
                keyed["source_record_id"],
                keyed["leg"],
                keyed["started_at"].to_physical(),
            ),
            _constant(stamp.source).alias("source"),
            pl.col("caller").alias("caller_raw"),
            pl.col("callee").alias("callee_raw"),
            pl.coalesce("forwarded_to_number", "forwarded_to_party", "forwarded_to").alias(
                "forwarded_to"
            ),
            pl.col("media").fill_null("voice").cast(CODES),
            pl.col("direction", "outcome").cast(CODES),
            pl.col("call_id").fill_null(pl.col("source_record_id")),
            utc_offset_s(pl.col("started_at"), zone=source.zone).alias("utc_offset_s"),
            failed(keyed, _flags(keyed, source, stamp.ingested_at), besides="flags").alias("flags"),
            pl.lit(stamp.ingested_at, INSTANT).alias("ingested_at"),
            _constant(stamp.ingest_id).alias("ingest_id"),
            _constant(NUMBERING_VERSION).alias("numbering_version"),
            _constant(None).alias("kept_for"),
            pl.col("started_at").dt.date().alias("call_date"),
        ).select(CALLS.polars_schema.names())
    )


def _constant(text: str | None) -> pl.Expr:
    return pl.lit(text, CODES)


def _source_record_id(calls: pl.DataFrame) -> pl.Series:
    """Return the source's own ids; the hash of the content stands for one it did not give."""
    ids = calls["source_record_id"]
    if not (ids.is_null() | (ids == "")).any():
        return ids
    content = pl.format("content:{}", pl.col("content_hash").reinterpret(signed=False))
    own = pl.when(pl.col("source_record_id") != "").then(pl.col("source_record_id"))
    return calls.select(own.otherwise(content).alias("source_record_id")).to_series()


def _party(name: str, source: SourceSettings) -> pl.Expr:
    end = read_end(pl.col(name), source, dialled=name != "caller")
    return end.name.prefix_fields(f"{name}_").alias(f"{name}_end")


def _address(name: str) -> pl.Expr:
    found = normalise_ip(pl.col(f"{name}_ip"))
    return found.name.prefix_fields(f"{name}_").alias(f"{name}_address")


def _with_lengths(calls: pl.DataFrame) -> pl.DataFrame:
    """Add `duration_ms` and `ring_ms`, and the instants that follow from them."""
    answered, ended, given = pl.col("answered_at"), pl.col("ended_at"), pl.col("given_ms")
    measured = (ended - answered).dt.total_milliseconds()
    was_answered = pl.col("was_answered")
    return (
        calls.with_columns(
            pl.when(was_answered).then(pl.coalesce(given, measured)).alias("duration_ms"),
            measured.alias("measured_ms"),
        )
        .with_columns(
            pl.when(was_answered).then(
                pl.coalesce(answered, ended - pl.duration(milliseconds="duration_ms"))
            ).alias("answered_at"),
        )
        .with_columns(
            pl.coalesce(
                ended, pl.col("answered_at") + pl.duration(milliseconds="duration_ms")
            ).alias("ended_at")
        )
        .with_columns(
            (pl.coalesce("answered_at", "ended_at") - pl.col("started_at"))
            .dt.total_milliseconds()
            .alias("ring_ms")
        )
    )  # fmt: skip


def _flags(
    calls: pl.DataFrame, source: SourceSettings, ingested_at: datetime
) -> dict[str, pl.Expr]:
    """Return what may be doubtful about a call that was understood, and when it is.

    A length is suspect where the switch cut the call, and where nobody saw its end.
    """
    started, duration = pl.col("started_at"), pl.col("duration_ms")
    unseen_end = _unseen_end(calls)
    return {
        "suspect_duration": (duration >= source.max_call_s * 1000 - CUT_TOLERANCE_MS)
        | (duration.is_not_null() & unseen_end),
        OFFSET_CONTRADICTED: _contradicts(started),
        "duration_differs": (duration - pl.col("measured_ms")).abs() > DURATION_TOLERANCE_MS,
        "clock_skew": started > ingested_at + CLOCK_SKEW,
        "unallocated_callee": pl.col("callee_validity") == Validity.UNALLOCATED.value,
        "no_callee": pl.col("callee").fill_null("") == "",
        NO_ACCOUNT: pl.col("account_id").is_null(),
        OWN_WAY: pl.col("account_id").is_null() & pl.col("says_direction"),
    }


def _unseen_end(rows: pl.DataFrame) -> pl.Expr:
    """Tell whose end the reader did not find; most files have none."""
    if not rows["flags"].list.len().sum():
        return pl.lit(value=False)
    return pl.col("flags").list.contains("missing_bye")


def _contradicts(started: pl.Expr) -> pl.Expr:
    """Tell where a start is as far from what its record proves as another offset would put it."""
    away_s = (started - _proof()).dt.total_milliseconds().abs() / 1000
    beside_s = (away_s + ROUNDING_S) % OFFSET_STEP_S
    other_offset = (away_s > ROUNDING_S) & (beside_s <= 2 * ROUNDING_S)
    return other_offset | (away_s > OFFSET_TOLERANCE_S)


def _proof() -> pl.Expr:
    """Return the instant that the record itself proves; null where it proves none."""
    second = pl.col("proof_epoch_s").cast(pl.Int64, strict=False)
    return pl.from_epoch(second, time_unit="s").dt.replace_time_zone("UTC")
