"""Plain rows of named columns become records; for CSV, JSON lines and Parquet alike.

What the columns are called and what their words mean stands here, or in the source's
`columns` and `outcomes`. How a file holds the rows is the business of the dialects.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import polars as pl

from cdr.errors import FormatError, SettingsError, shown
from cdr.formats.assemble import records, when, with_columns
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


def check_columns(file: Path, names: Collection[str]) -> None:
    """Refuse a file that cannot say how long a call was, or how it ended.

    Raises
    ------
    FormatError
        Naming what is missing.
    """
    lacking = {"duration_s", "answered_at", "ended_at"}.difference(names)
    if "duration_s" in lacking and len(lacking) > 1:
        raise FormatError(
            shown(file), "the header has neither duration_s nor answered_at and ended_at"
        )
    if not {"outcome", "disposition"}.intersection(names):
        raise FormatError(shown(file), "the header has neither outcome nor disposition")


def theirs(source: SourceSettings) -> dict[str, str]:
    """Return what the source calls each of our columns.

    Raises
    ------
    SettingsError
        If the source maps a column that there is not.
    """
    wrong = [name for name in source.columns if name not in COLUMNS]
    if wrong:
        known = ", ".join(COLUMNS)
        raise SettingsError("columns", [f"{name} is not one of {known}" for name in wrong])
    return {ours: source.columns.get(ours, ours) for ours in COLUMNS}


def plain_records(rows: pl.DataFrame, source: SourceSettings) -> pl.DataFrame:
    """Make records of rows with `line`, `raw`, `fault` and any of `COLUMNS` as text."""
    rows = with_columns(rows, COLUMNS)
    said = pl.coalesce("outcome", "disposition")
    own = {_word(theirs): ours for theirs, ours in source.outcomes.items()}
    columns = {ours: pl.col(theirs) for theirs, ours in COLUMNS.items()}
    columns |= {
        "direction": _translated(pl.col("direction"), _DIRECTIONS),
        "media": pl.col("media").str.to_lowercase(),
        "outcome": _translated(said, _OUTCOMES | own),
    }
    return records(
        rows,
        columns,
        faults=(
            when(pl.col("started").is_null(), "no_start_time"),
            when(pl.col("outcome").is_null(), "unknown_outcome"),
        ),
    )


def _word(text: str) -> str:
    return text.strip().lower().replace(" ", "_").replace("-", "_")


def _translated(text: pl.Expr, words: Mapping[str, str]) -> pl.Expr:
    return text.map_batches(
        lambda texts: _translate(texts, words), return_dtype=pl.String, is_elementwise=True
    )


def _translate(texts: pl.Series, words: Mapping[str, str]) -> pl.Series:
    """Translate each distinct text once; they are few."""
    distinct = texts.drop_nulls().unique().to_list()
    meant = [words.get(_word(text)) for text in distinct]
    return texts.replace_strict(distinct, meant, default=None, return_dtype=pl.String)
