"""Plain rows of named columns become records; for CSV, JSON lines and Parquet alike.

What the columns are called and what their words mean stands here, or in the source's
`columns` and `outcomes`. How a file holds the rows is the business of the dialects.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

import polars as pl

from cdr.errors import FormatError, SettingsError, shown
from cdr.formats.assemble import records, when, with_columns
from cdr.memory import Memory
from cdr.schema import Outcome
from cdr.settings import SourceSettings

COLUMNS: dict[str, str] = {
    "record_id": "source_record_id",
    "call_id": "call_id",
    "account_id": "account_code",
    "trunk": "trunk",
    "direction": "direction",
    "media": "media",
    "caller": "caller",
    "callee": "callee",
    "caller_ip": "caller_ip",
    "callee_ip": "callee_ip",
    "forwarded_to": "forwarded_to",
    "started_at": "started",
    "answered_at": "answered",
    "ended_at": "ended",
    "duration_s": "duration",
    "elapsed_s": "elapsed",
    "outcome": "outcome",
    "disposition": "outcome",
    "cause_code": "cause_code",
}
"""Our name of each column, and what of a record it is. `outcome` and `disposition` are
two names for one thing; the first counts where a file has both."""

_PARTIES = ("caller", "callee", "forwarded_to")
_TIMES = ("started_at", "answered_at", "ended_at")
_NEVER = r"^(?:0000-00-00|0001-01-01)"
"""How MySQL, and .NET and Go, write the time of what never happened."""

NEEDED = ("caller", "callee", "started_at")

_OUTCOMES = {
    **{outcome.value: outcome.value for outcome in Outcome},
    "answer": Outcome.ANSWERED.value,
    "connected": Outcome.ANSWERED.value,
    "completed": Outcome.ANSWERED.value,
    "ok": Outcome.ANSWERED.value,
    "noanswer": Outcome.NO_ANSWER.value,
    "unanswered": Outcome.NO_ANSWER.value,
    "not_answered": Outcome.NO_ANSWER.value,
    "missed": Outcome.NO_ANSWER.value,
    "user_busy": Outcome.BUSY.value,
    "declined": Outcome.REJECTED.value,
    "call_rejected": Outcome.REJECTED.value,
    "congestion": Outcome.FAILED.value,
    "error": Outcome.FAILED.value,
    "chanunavail": Outcome.FAILED.value,
    "canceled": Outcome.CANCELLED.value,
    "cancel": Outcome.CANCELLED.value,
    "originator_cancel": Outcome.CANCELLED.value,
}
"""In lower case, with `_` for space and hyphen. The synonyms are those of Asterisk's
`disposition` and `DIALSTATUS`, FreeSWITCH's causes and common reports."""

_DIRECTIONS = {
    "outbound": "outbound",
    "out": "outbound",
    "outgoing": "outbound",
    "inbound": "inbound",
    "in": "inbound",
    "incoming": "inbound",
    "internal": "internal",
    "local": "internal",
}

_MEDIA = {"voice": "voice", "audio": "voice", "speech": "voice", "video": "video"}

_UNKNOWN = "?"  # stands for a word that nobody declared

_PART = re.compile(r"\{([^{}]+)\}")


def check_columns(file: Path, found: Collection[str], source: SourceSettings) -> None:
    """Refuse a file that cannot say how long a call was, or how it ended.

    Raises
    ------
    FormatError
        Naming what is missing.
    """
    names = {*found, *joined_of(source), *source.constants}
    if source.outcome_from_length:
        names.add("outcome")
    lacking = {"duration_s", "answered_at", "ended_at"}.difference(names)
    if "duration_s" in lacking and len(lacking) > 1:
        raise FormatError(
            shown(file), "the header has neither duration_s nor answered_at and ended_at"
        )
    if not {"outcome", "disposition"}.intersection(names):
        raise FormatError(
            shown(file),
            "the header has neither outcome nor disposition; name one under `columns`, or set "
            "`outcome_from_length` of the source",
        )


def joined_of(source: SourceSettings) -> dict[str, list[str]]:
    """Return our columns that are made of several of the file's, and which these are."""
    return {
        ours: parts for ours, written in source.columns.items() if (parts := _PART.findall(written))
    }


def theirs(source: SourceSettings) -> dict[str, str]:
    """Return what the source calls each of our columns, and each part of one, as `{part}`.

    Raises
    ------
    SettingsError
        If the source maps a column that there is not.
    """
    for setting in ("columns", "constants"):
        wrong = [name for name in getattr(source, setting) if name not in COLUMNS]
        if wrong:
            known = ", ".join(COLUMNS)
            raise SettingsError(setting, [f"{name} is not one of {known}" for name in wrong])
    joined = joined_of(source)
    direct = {ours: source.columns.get(ours, ours) for ours in COLUMNS if ours not in joined}
    return direct | {f"{{{part}}}": part for parts in joined.values() for part in parts}


def needed_of(source: SourceSettings) -> list[str]:
    """Return what of `theirs` a file must have."""
    joined = joined_of(source)
    direct = [name for name in NEEDED if name not in joined and name not in source.constants]
    return direct + [f"{{{part}}}" for parts in joined.values() for part in parts]


def plain_records(rows: pl.DataFrame, source: SourceSettings) -> pl.DataFrame:
    """Make records of rows with `line`, `raw`, `fault` and any of `theirs` as text."""
    rows = rows.with_columns(
        _joined(source.columns[ours], parts).alias(ours)
        for ours, parts in joined_of(source).items()
    )
    rows = _without_never(_without_decimals(with_columns(rows, COLUMNS))).with_columns(
        pl.when(pl.col("fault").is_null()).then(pl.coalesce(ours, pl.lit(said))).alias(ours)
        for ours, said in source.constants.items()
    )
    if source.length_unit != "s":
        rows = rows.with_columns(
            _seconds(pl.col(name), source.length_unit).alias(name)
            for name in ("duration_s", "elapsed_s")
        )
    words = {
        "direction": _DIRECTIONS | _words(source.directions),
        "media": _MEDIA | _words(source.media),
    }
    rows = rows.with_columns(
        _translated(pl.col(name), meant, unknown=_UNKNOWN).alias(name)
        for name, meant in words.items()
    )
    known = {name: pl.col(name) != _UNKNOWN for name in words}
    said = pl.coalesce("outcome", "disposition")
    outcome = _translated(said, _OUTCOMES | _words(source.outcomes))
    if source.outcome_from_length:
        by_length = pl.when(pl.col("fault").is_null()).then(_by_length())
        outcome = pl.when(said.is_null()).then(by_length).otherwise(outcome)
    columns = {ours: pl.col(theirs) for theirs, ours in COLUMNS.items()}
    columns |= {name: pl.when(said_known).then(name) for name, said_known in known.items()}
    columns |= {f"known_{name}": said_known for name, said_known in known.items()}
    columns |= {"outcome": outcome}
    return records(
        rows,
        columns,
        faults=(
            when(pl.col("started").is_null(), "no_start_time"),
            when(pl.col("outcome").is_null(), "unknown_outcome"),
            when(~pl.col("known_direction"), "unknown_direction"),
            when(~pl.col("known_media"), "unknown_media"),
        ),
    )


def _without_decimals(rows: pl.DataFrame) -> pl.DataFrame:
    """Read `4930901820.0` as the number it is: so a column of numbers with gaps is exported."""
    ending = [name for name in _PARTIES if rows[name].str.ends_with(".0").any()]
    return rows.with_columns(without_decimals(pl.col(ending)))


def _without_never(rows: pl.DataFrame) -> pl.DataFrame:
    """Leave times of what never happened out, as that of the answer that nobody gave."""
    some = [name for name in _TIMES if rows[name].str.starts_with("000").any()]  # a quarter as dear
    return rows.with_columns(
        pl.when(~pl.col(name).str.contains(_NEVER)).then(name) for name in some
    )


def without_decimals(party: pl.Expr) -> pl.Expr:
    """Take the `.0` off a phone number that was kept as a float."""
    return party.str.replace(r"^(\+?[0-9]{3,})\.0$", "${1}")


def _joined(written: str, parts: list[str]) -> pl.Expr:
    """Fill the parts into their text; null where one of them is."""
    texts = [pl.lit(text) for text in _PART.split(written)[::2]]
    filled = [pl.col(f"{{{part}}}") for part in parts]
    pieces = [piece for pair in zip(texts, [*filled, pl.lit("")], strict=True) for piece in pair]
    return pl.concat_str(pieces)


def _seconds(text: pl.Expr, unit: str) -> pl.Expr:
    """Write a length in seconds; what is none stays as it is, to be set aside."""
    if unit == "clock":
        parts = text.str.extract_groups(r"^(?:(\d{1,6}):)?(\d{1,6}):(\d{1,2}(?:\.\d{1,6})?)$")
        hours, minutes, seconds = (
            parts.struct.field(place).cast(pl.Decimal(18, 6), strict=False) for place in "123"
        )
        length = hours.fill_null(0) * 3600 + minutes * 60 + seconds
    else:
        number = text.str.strip_chars().cast(pl.Decimal(18, 6), strict=False)
        length = number / 1000 if unit == "ms" else number * 60
    return pl.coalesce(length.cast(pl.String), text)


def _by_length() -> pl.Expr:
    """Tell the outcome of a row without a word for it."""
    length = pl.col("duration_s").str.strip_chars().cast(pl.Decimal(18, 6), strict=False)
    answered = (length > 0).fill_null(value=False) | (
        pl.col("duration_s").is_null() & pl.col("answered_at").is_not_null()
    )
    said = pl.when(answered).then(pl.lit(Outcome.ANSWERED.value))
    return said.otherwise(pl.lit(Outcome.NO_ANSWER.value))


def _words(own: Mapping[str, str]) -> dict[str, str]:
    return {_word(theirs): ours for theirs, ours in own.items()}


def _word(text: str) -> str:
    return text.strip().lower().replace(" ", "_").replace("-", "_")


def _translated(text: pl.Expr, words: Mapping[str, str], *, unknown: str | None = None) -> pl.Expr:
    def meant(text: str | None) -> str | None:
        return words.get(word, unknown) if text and (word := _word(text)) else None

    def read(texts: pl.Series) -> pl.Series:
        return pl.Series([meant(text) for text in texts], dtype=pl.String)

    return text.map_batches(Memory(read).of, return_dtype=pl.String, is_elementwise=True)
