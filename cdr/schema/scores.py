"""The table of scores, which `fraud` writes: retention and rights must see it from here."""

from __future__ import annotations

import polars as pl

from cdr.schema.fields import (
    FOR_RIGHTS,
    FRAUD,
    INDIRECT,
    INSTANT,
    NONE,
    Field,
    Kept,
    Purpose,
    Table,
)

SCORES = Table(
    "scores",
    "account and midnight",
    (
        Field("as_of_date", pl.Date(), "UTC day", "The midnight that begins this day."),
        Field("run_id", pl.String(), "text", "The run that made it."),
        Field("account_id", pl.String(), "text", "The account.", False, INDIRECT, FRAUD),
        Field("score", pl.Float64(), "0..1", "See `method`.", True, INDIRECT, FRAUD),
        Field("band", pl.String(), "code", "`high`, `medium`, `low` or `unknown`.", False),
        Field("rank", pl.Int64(), "ordinal", "From 1, the most urgent.", True, NONE, FRAUD),
        Field("method", pl.String(), "code", "`similarity` or `behaviour`.", False, NONE, FRAUD),
        Field(
            "reasons",
            pl.String(),
            "JSON",
            "Signals with value, text and share.",
            True,
            INDIRECT,
            FRAUD,
        ),
        Field("neighbours", pl.String(), "JSON", "Similar accounts.", True, INDIRECT, FRAUD),
        Field(
            "described_as",
            pl.String(),
            "code",
            "Why it has reasons: `candidate`, `sample` (drawn at random below the threshold) or "
            "`rescored` (its open case leaned on an account that is no longer compared with).",
            True,
            NONE,
            FRAUD,
        ),
        Field("model_id", pl.String(), "hex", "The model; null without one.", True, NONE, FRAUD),
        Field("feature_set", pl.String(), "hex", "Hash of the registry.", False, NONE, FRAUD),
        Field(
            "data_version",
            pl.String(),
            "text",
            "Table versions it was made from.",
            False,
            NONE,
            FRAUD,
        ),
        Field("numbering_version", pl.String(), "text", "Numbering metadata.", False, NONE, FRAUD),
        Field("scored_at", INSTANT, "UTC", "When it was made.", False, NONE, FRAUD),
    ),
    partition_by=("as_of_date",),
    kept=(Kept(Purpose.FRAUD, ("score_days",)), FOR_RIGHTS),
)
