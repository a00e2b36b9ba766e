"""Who teaches a midnight's model: accounts blocked before it, and open ones.

Status is read as it stood at the midnight. Accounts that closed for another reason, or
are suspended while somebody looks, are neither blocked nor good.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

from cdr.lake import Lake
from cdr.schema import ACCOUNTS

PATTERN_REASONS = ("fraud", "misuse")
"""Reasons of a block that make an account a pattern to compare with (product.md, promise 3)."""

GOOD_FOR_EACH_BLOCKED = 5
GOOD_AT_LEAST = 10_000
"""Open accounts that a model learns from: five for each blocked one, and no fewer than ten
thousand where there are as many. Ours: with more, likeness no longer moves and a night of a
million accounts would spend its time on learning."""


def accounts_as_of(lake: Lake, as_of: datetime) -> pl.DataFrame:
    """Return each account as it stood at a midnight.

    Returns
    -------
    DataFrame
        `account_id`, `status_since` (UTC), `pattern` (blocked for fraud or misuse),
        `open` (active, or its change of status was still to come).
    """
    known = pl.col("status_since").is_null() | (pl.col("status_since") < as_of)
    status = pl.when(known).then(pl.col("status")).otherwise(pl.lit("active"))
    pattern = (
        (status == "blocked")
        & pl.col("status_reason").is_in(PATTERN_REASONS)
        & pl.col("status_since").is_not_null()
    )
    return (
        lake.scan(ACCOUNTS)
        .filter(
            (pl.col("created_at") < as_of)
            & (pl.col("valid_from") <= as_of)
            & (pl.col("valid_to").is_null() | (pl.col("valid_to") > as_of))
        )
        .select(
            "account_id",
            "status_since",
            pattern.fill_null(value=False).alias("pattern"),
            (status == "active").alias("open"),
        )
        .collect()
    )


def midnights_of_blocks(blocked: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """Say as of which midnight each blocked account is described: the one after its block.

    Returns
    -------
    DataFrame
        `account_id`, `as_of`; never after the midnight that is asked for.
    """
    after = pl.col("status_since").dt.truncate("1d") + timedelta(days=1)
    return blocked.select("account_id", pl.min_horizontal(after, pl.lit(as_of)).alias("as_of"))


def good_sample(open_accounts: pl.DataFrame, blocked_count: int, *, seed: int) -> pl.DataFrame:
    """Return the open accounts that a model learns from, the same for the same seed."""
    wanted = max(GOOD_AT_LEAST, GOOD_FOR_EACH_BLOCKED * blocked_count)
    if open_accounts.height <= wanted:
        return open_accounts
    return open_accounts.sample(wanted, seed=seed).sort("account_id")
