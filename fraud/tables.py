"""The tables that fraud scoring writes beside the store's, made known to it."""

from __future__ import annotations

import polars as pl

from cdr.schema import (
    FOR_RIGHTS,
    FRAUD,
    INDIRECT,
    INSTANT,
    NONE,
    SCORES,
    Field,
    Kept,
    Purpose,
    Table,
    register,
)
from fraud.features.account_days import ACCOUNT_DAY_KEYS, ACCOUNT_DAYS, REDUCED_DAYS
from fraud.features.signals import SIGNALS
from fraud.features.traces import BLOCKED_TRACES

FEATURES = Table(
    "features",
    "account and midnight",
    (
        Field("as_of_date", pl.Date(), "UTC day", "The midnight that begins this day."),
        Field("account_id", pl.String(), "text", "The account.", False, INDIRECT, FRAUD),
        *(
            Field(s.name, pl.Float64(), s.unit.value, s.meaning, True, INDIRECT, FRAUD)
            for s in SIGNALS
        ),
    ),
    partition_by=("as_of_date",),
    derived=True,
    kept=(Kept(Purpose.FRAUD, ("feature_days",)), FOR_RIGHTS),
)

RULE_HITS = Table(
    "rule_hits",
    "account, UTC day and rule",
    (
        Field("call_date", pl.Date(), "UTC day", "Day of the calls; the partition."),
        Field("account_id", pl.String(), "text", "The account.", False, INDIRECT, FRAUD),
        Field("rule", pl.String(), "code", "Name of the rule in the settings.", False, NONE, FRAUD),
        Field("signal", pl.String(), "code", "The signal it looks at.", False, NONE, FRAUD),
        Field("value", pl.Float64(), "of the signal", "What was found.", False, INDIRECT, FRAUD),
        Field("threshold", pl.Float64(), "of the signal", "From where on.", False, NONE, FRAUD),
        Field("band", pl.String(), "code", "`high` or `medium`.", False, NONE, FRAUD),
        Field("text", pl.String(), "text", "The reason in words.", False, INDIRECT, FRAUD),
        Field(
            "report_only", pl.Boolean(), "flag", "Whether it opened no case.", False, NONE, FRAUD
        ),
        Field("first_hit_at", INSTANT, "UTC", "The run that saw it first.", False, NONE, FRAUD),
    ),
    partition_by=("call_date",),
    kept=(Kept(Purpose.FRAUD, ("score_days",)), FOR_RIGHTS),
)

SHADOW_SCORES = Table(
    "shadow_scores",
    "account, midnight and challenger",
    (
        Field("as_of_date", pl.Date(), "UTC day", "The midnight that begins this day."),
        Field("account_id", pl.String(), "text", "The account.", False, INDIRECT, FRAUD),
        Field(
            "score", pl.Float64(), "0..1", "By the challenger; opens no case.", True, INDIRECT,
            FRAUD,
        ),
        Field("band", pl.String(), "code", "As in `scores`.", False, NONE, FRAUD),
        Field("model_id", pl.String(), "hex", "The challenger.", False, NONE, FRAUD),
        Field("feature_set", pl.String(), "hex", "Hash of the registry.", False, NONE, FRAUD),
        Field("data_version", pl.String(), "text", "As in `scores`.", False, NONE, FRAUD),
        Field("numbering_version", pl.String(), "text", "Numbering metadata.", False, NONE, FRAUD),
        Field("scored_at", INSTANT, "UTC", "When it was made.", False, NONE, FRAUD),
    ),
    partition_by=("as_of_date",),
    kept=(Kept(Purpose.FRAUD, ("score_days",)), FOR_RIGHTS),
)  # fmt: skip

__all__ = [
    "ACCOUNT_DAYS",
    "ACCOUNT_DAY_KEYS",
    "BLOCKED_TRACES",
    "FEATURES",
    "REDUCED_DAYS",
    "RULE_HITS",
    "SCORES",
    "SHADOW_SCORES",
]

register(
    ACCOUNT_DAYS,
    ACCOUNT_DAY_KEYS,
    BLOCKED_TRACES,
    FEATURES,
    REDUCED_DAYS,
    RULE_HITS,
    SHADOW_SCORES,
)
