"""From which value on a day of an account is unusual for its plan and age.

A quantile of the days before of accounts of the same plan and age; where there are too
few of these, of the plan; where these are too few, of all; where these are too few,
nothing is known and only the floor counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

import polars as pl

from cdr.scoring_settings import RulesSettings

PEER_DAYS = 30
"""Days before the day that say what is usual: the signals' longest window."""

NEW_DAYS, YOUNG_DAYS = 30, 180
"""Ages that part new, young and old accounts. Ours: the signals' longest window, and how long
accounts of subscription fraud are left to age at most in the cases we read of."""

_GROUPS: Sequence[Sequence[str]] = (("plan", "tenure"), ("plan",), ())


def with_tenure(accounts: pl.DataFrame, day: date) -> pl.DataFrame:
    """Add `age_days` and `tenure` (`new`, `young` or `old`) as of the end of a UTC day."""
    begins = datetime(day.year, day.month, day.day, tzinfo=UTC)
    age = (pl.lit(begins) - pl.col("created_at")).dt.total_days().clip(0)
    return accounts.with_columns(age.alias("age_days"), pl.col("plan").fill_null("")).with_columns(
        pl.when(pl.col("age_days") < NEW_DAYS)
        .then(pl.lit("new"))
        .when(pl.col("age_days") < YOUNG_DAYS)
        .then(pl.lit("young"))
        .otherwise(pl.lit("old"))
        .alias("tenure")
    )


def with_threshold(
    days: pl.DataFrame,
    peers: pl.DataFrame,
    column: str,
    settings: RulesSettings,
    *,
    at_least: float | None = None,
) -> pl.DataFrame:
    """Add `threshold`: above it, a day is unusual among those of its peers.

    Parameters
    ----------
    days, peers : DataFrame
        Days of accounts with `plan`, `tenure` and ``column``.
    column : str
        What is measured.
    settings : RulesSettings
        The quantile, and how many days it needs.
    at_least : float, optional
        The threshold is never below; None leaves it null where nothing is known.
    """
    found = days
    names = []
    for number, group in enumerate(_GROUPS):
        enough = pl.len() >= settings.min_peer_days
        value = pl.when(enough).then(pl.col(column).quantile(settings.quantile, "higher"))
        names.append(f"_of_{number}")
        usual = value.cast(pl.Float64).alias(names[-1])
        if group:
            of_group = peers.group_by(group).agg(usual)
            found = found.join(of_group, on=group, how="left", maintain_order="left")
        else:
            found = found.with_columns(
                pl.lit(peers.select(usual).item(), pl.Float64).alias(names[-1])
            )
    threshold = pl.coalesce(names)
    if at_least is not None:
        threshold = pl.max_horizontal(threshold, pl.lit(at_least, pl.Float64))
    return found.with_columns(threshold.alias("threshold")).drop(names)
