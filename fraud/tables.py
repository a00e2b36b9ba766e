"""The tables that fraud scoring writes beside the store's, made known to it."""

from __future__ import annotations

import polars as pl

from cdr.schema import FOR_RIGHTS, FRAUD, INDIRECT, SCORES, Field, Kept, Purpose, Table, register
from fraud.features.account_days import ACCOUNT_DAY_KEYS, ACCOUNT_DAYS
from fraud.features.signals import SIGNALS

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

__all__ = ["ACCOUNT_DAYS", "ACCOUNT_DAY_KEYS", "FEATURES", "SCORES"]

register(ACCOUNT_DAYS, ACCOUNT_DAY_KEYS, FEATURES)
