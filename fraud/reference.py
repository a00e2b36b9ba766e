"""Who teaches a midnight's model: accounts blocked before it, and open ones.

Status is read as it stood at the midnight. Accounts that closed for another reason, or
are suspended while somebody looks, are neither blocked nor good. Accounts under a
restriction or an objection are neither, and are not open either.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

from cdr.lake import Lake
from cdr.privacy.restrictions import left_alone
from cdr.schema import ACCOUNTS, INSTANT

PATTERN_REASONS = ("fraud", "misuse")
"""Reasons of a block that make an account a pattern to compare with (docs/promises.md)."""

NO_LABELS = pl.DataFrame(
    schema={"account_id": pl.String(), "label": pl.Int8(), "known_at": INSTANT}
)
"""What reviewers decided where nobody decided anything."""

GOOD_FOR_EACH_BLOCKED = 5
GOOD_AT_LEAST = 10_000
"""Open accounts that a model learns from: five for each blocked one, and no fewer than ten
thousand where there are as many. Ours: with more, likeness no longer moves and a night of a
million accounts would spend its time on learning."""


def accounts_as_of(lake: Lake, as_of: datetime, *, told_by: datetime | None = None) -> pl.DataFrame:
    """Return each account as it stood at a midnight.

    Parameters
    ----------
    lake : Lake
        With `accounts`.
    as_of : datetime
        Midnight UTC; what we were told later is not seen.
    told_by : datetime, optional
        UTC instant of a run after the midnight: whoever we were told by then had been blocked,
        suspended or closed before the midnight is not `open`. Nobody works on such a case.

    Returns
    -------
    DataFrame
        `account_id`, `created_at`, `plan`, `status_since` (UTC), `pattern` (blocked for
        fraud or misuse), `open` (active, or its change of status was still to come).
    """
    alone = pl.Series(sorted(left_alone(lake, as_of=as_of)), dtype=pl.String)
    gone = _gone(lake, as_of, told_by or as_of)
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
            & ~pl.col("account_id").is_in(alone.implode())
        )
        .select(
            "account_id",
            "created_at",
            "plan",
            "status_since",
            pattern.fill_null(value=False).alias("pattern"),
            ((status == "active") & ~pl.col("account_id").is_in(gone.implode())).alias("open"),
        )
        .collect()
    )


def _gone(lake: Lake, as_of: datetime, told_by: datetime) -> pl.Series:
    """Return accounts of which we were told after a midnight that they had left before it."""
    told = (pl.col("valid_from") > as_of) & (pl.col("valid_from") <= told_by)
    stands = pl.col("valid_to").is_null() | (pl.col("valid_to") > told_by)
    left = (pl.col("status") != "active") & (pl.col("status_since") < as_of)
    return lake.scan(ACCOUNTS).filter(told & stands & left).collect()["account_id"]


def with_decisions(accounts: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Let reviewers' decisions count: confirmed is a pattern, cleared is good for certain.

    Parameters
    ----------
    accounts : DataFrame
        As `accounts_as_of` returns them.
    labels : DataFrame
        `account_id`, `label` (1 confirmed, 0 cleared), `known_at`: decisions known by the
        same midnight.

    Returns
    -------
    DataFrame
        The same accounts with `cleared`. Of a decision and a change of status the later
        one counts; a confirmed account is a pattern from the earlier one on.
    """
    later = pl.col("known_at") > pl.col("status_since")
    overrules = pl.col("label").is_not_null() & (~pl.col("pattern") | later.fill_null(value=True))
    confirmed = overrules & (pl.col("label") == 1)
    cleared = overrules & (pl.col("label") == 0)
    since = pl.when(confirmed & ~pl.col("pattern")).then("known_at").otherwise("status_since")
    return (
        accounts.join(labels, on="account_id", how="left", maintain_order="left")
        .with_columns(
            since.alias("status_since"),
            ((pl.col("pattern") | confirmed) & ~cleared).fill_null(value=False).alias("pattern"),
            cleared.fill_null(value=False).alias("cleared"),
        )
        .drop("label", "known_at")
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


def good_sample(open_accounts: pl.DataFrame, accounts: pl.DataFrame, *, seed: int) -> pl.DataFrame:
    """Return the open accounts that a model learns from, the same for the same seed.

    Parameters
    ----------
    open_accounts : DataFrame
        `account_id` and signals of open accounts.
    accounts : DataFrame
        As `with_decisions` returns them; who was cleared is always among the sample, who is
        a pattern never.
    seed : int
        Of the draw.
    """
    wanted = max(GOOD_AT_LEAST, GOOD_FOR_EACH_BLOCKED * int(accounts["pattern"].sum()))
    good = open_accounts.join(accounts.filter("pattern"), on="account_id", how="anti")
    if good.height <= wanted:
        return good.sort("account_id")
    cleared = good.join(accounts.filter("cleared"), on="account_id", how="semi")
    others = good.join(accounts.filter("cleared"), on="account_id", how="anti")
    drawn = others.sort("account_id").sample(min(wanted, others.height), seed=seed)
    return pl.concat([cleared, drawn]).sort("account_id")
