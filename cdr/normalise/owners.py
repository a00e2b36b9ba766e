"""Whose call it is, and which way it went: asked as it is taken in, and again later."""

from __future__ import annotations

import polars as pl

from cdr.settings import SourceSettings

NO_ACCOUNT = "no_account"
"""Flag of a call that found no account."""

OWN_WAY = "direction_stated"
"""Flag of a call that found no account and says itself which way it went: who is found later
does not change that."""


def with_account(calls: pl.DataFrame, source: SourceSettings, owners: pl.DataFrame) -> pl.DataFrame:
    """Add `account_id`, and `direction` where the record does not say it.

    Of two ends that are numbers of ours, the call is the caller's; what the record calls inbound
    is the callee's, and what it calls outbound the caller's or nobody's. Pure.

    Parameters
    ----------
    calls : DataFrame
        `caller` (as written), `caller_number`, `callee_number` (E.164), `started_at`, and what the
        record says: `direction`, `account_code`, `trunk`; null where it says nothing.
    source : SourceSettings
        The way to the account.
    owners : DataFrame
        `account_id`, `number` (E.164), `valid_from`, `valid_to` (UTC instants, half-open; null is
        unbounded).

    Returns
    -------
    DataFrame
        ``calls`` with `account_id` (null: none of ours), `direction`, and `says_direction`:
        whether the record itself said it.
    """
    calls = calls.with_columns(
        _owner(calls, "caller_number", owners).alias("caller_owner"),
        _owner(calls, "callee_number", owners).alias("callee_owner"),
        pl.col("direction").is_not_null().alias("says_direction"),
    )
    caller_owner, callee_owner = pl.col("caller_owner"), pl.col("callee_owner")
    by_number = (
        pl.when(pl.col("direction") == "inbound")
        .then(callee_owner)
        .when(pl.col("direction") == "outbound")
        .then(caller_owner)
        .otherwise(pl.coalesce(caller_owner, callee_owner))
    )
    account = {
        "code": pl.col("account_code"),
        "number": by_number,
        "sip_user": pl.col("caller").str.extract(r"(?i)^[^<]*<?sips?:([^@;>]+)@", 1),
        "trunk": pl.col("trunk")
        .str.strip_chars()
        .replace_strict(source.trunks, default=None, return_dtype=pl.String),
        "none": pl.lit(None, pl.String),
    }[source.account_from]
    # of columns padded with blanks; `accounts` has none
    calls = calls.with_columns(account.str.strip_chars().alias("account_id"))
    known = pl.when(pl.col("account_id") != "").then("account_id")
    return calls.with_columns(known).with_columns(
        pl.coalesce(
            "direction",
            pl.when(caller_owner.is_not_null() & callee_owner.is_not_null())
            .then(pl.lit("internal"))
            .when(callee_owner.is_not_null() & callee_owner.eq_missing(pl.col("account_id")))
            .then(pl.lit("inbound"))
            .otherwise(pl.lit("outbound")),
        ).alias("direction")
    )


def moved_to(calls: pl.DataFrame, owners: pl.DataFrame) -> pl.Series:
    """Return who held the number by which a call has its account, where that is another one.

    Pure. The number is the callee's of an inbound call, else the caller's.

    Parameters
    ----------
    calls : DataFrame
        `account_id`, `direction`, `caller_number`, `callee_number`, `started_at`.
    owners : DataFrame
        As `with_account` takes them.

    Returns
    -------
    Series of String
        Null where the account held the number, nobody did, or the account is not known ever to
        have had it: then it was not the number that said whose call it is.
    """
    own = pl.when(pl.col("direction") == "inbound").then("callee_number").otherwise("caller_number")
    rows = calls.select(own.alias("number"), "started_at", has="account_id").with_row_index("row")
    ever = rows.join(
        owners, left_on=["number", "has"], right_on=["number", "account_id"], how="semi"
    )
    then = _holders(ever, owners)
    still = then.filter(pl.col("account_id") == pl.col("has"))
    other = then.join(still, on="row", how="anti").unique("row", keep="first", maintain_order=True)
    return rows.join(other, on="row", how="left", maintain_order="left")["account_id"]


def _owner(calls: pl.DataFrame, number: str, owners: pl.DataFrame) -> pl.Series:
    """Return which account held a number when each call started; null: none of ours."""
    if owners.is_empty():
        return pl.Series(number, [None], dtype=pl.String).new_from_index(0, calls.height)
    rows = calls.select(pl.col(number).alias("number"), "started_at").with_row_index("row")
    hits = _holders(rows, owners).unique("row", keep="first", maintain_order=True)
    hits = hits.select("row", "account_id")
    return rows.join(hits, on="row", how="left", maintain_order="left")["account_id"]


def _holders(rows: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    """Add to each row the accounts that held its number when its call started, one row each."""
    return (
        rows.join(owners, on="number", how="inner")
        .filter(
            (pl.col("valid_from").is_null() | (pl.col("valid_from") <= pl.col("started_at")))
            & (pl.col("valid_to").is_null() | (pl.col("started_at") < pl.col("valid_to")))
        )
        .sort("row", "account_id")
    )
