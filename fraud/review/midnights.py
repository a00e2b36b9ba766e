"""What takes all accounts to know, as of a midnight: who is like a blocked one, who shares what.

Worked out once for all cases of the midnight. Not here: what single accounts did (`slices`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from cdr.lake import Lake
from cdr.privacy.restrictions import left_alone
from cdr.query import Query, run, session
from fraud.features.statements import MASS_ACCOUNTS
from fraud.identity.overlap import Compared, compare_accounts
from fraud.identity.parameters import parameters_of_night

LOOK_BACK_DAYS = 30
"""Days that pictures show: the longest window of a signal."""

RUNG_DAYS = 7
"""Days in which numbers ring many accounts, as ``mass_ringers.sql`` of the signals has it."""

SHARED = 60
"""Values and their other holders that a page shows at most. Ours: what a picture can show."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Midnight:
    """What takes all accounts to know, as of one midnight.

    Parameters
    ----------
    compared : Compared
        All accounts beside the blocked ones.
    held, holders : pl.DataFrame
        Columns of ``held.sql`` and ``holders.sql``.
    ringers : frozenset of str
        Keys of numbers that rang many accounts in the last week.
    left_out : frozenset of str
        Accounts that nobody may be compared with.
    """

    compared: Compared
    held: pl.DataFrame
    holders: pl.DataFrame
    ringers: frozenset[str]
    left_out: frozenset[str]


def at_midnight(lake: Lake, views: Mapping[str, Any], as_of: date) -> Midnight:
    """Compare all accounts as of a midnight.

    Parameters
    ----------
    lake : Lake
        For its settings, and for who is left alone.
    views : mapping
        Its tables, as they stood when the pages were opened.
    as_of : date
        The midnight that begins this UTC day.

    Raises
    ------
    QueryFailed
        If DuckDB refuses.
    """
    at = instant(as_of)
    left_out = left_alone(lake, as_of=at)
    read = ("accounts", "account_events", "account_numbers", "account_day_keys")
    asked = {name: views[name] for name in read}
    con = session(asked, store=lake.settings.store, spill=lake.home.spill)
    try:
        compared = compare_accounts(
            con,
            as_of=at,
            left_out=left_out,
            parameters=parameters_of_night(lake, as_of),
            seed=lake.settings.scoring.seed,
            store=lake.settings.store,
        )
        since_date = as_of - timedelta(days=LOOK_BACK_DAYS)
        held = run(con, query("held", as_of=at, since_date=since_date, until_date=as_of))
        holders = run(con, query("holders", as_of=at))
        ringers = run(
            con,
            query(
                "ringers",
                since_date=as_of - timedelta(days=RUNG_DAYS), until_date=as_of,
                left_out=sorted(left_out), most=MASS_ACCOUNTS,
            ),
        )  # fmt: skip
    finally:
        con.close()
    return Midnight(compared, held, holders, frozenset(ringers["key"]), left_out)


def shared_values(whole: Midnight, own: Sequence[str]) -> dict[str, list[Row]]:
    """Return what accounts have, and who else has it: blocked ones first, strangers last.

    Returns
    -------
    dict
        Rows of each account: `kind`, `value`, `other_id`, `other_status`; :data:`SHARED` at most.
        Accounts that nobody may be compared with are nobody's other.
    """
    held = whole.held
    theirs = held.filter(pl.col("account_id").is_in(list(own)))
    keys = theirs.select("kind", "value").unique()
    others = (
        held.join(keys, on=["kind", "value"], how="semi")
        .filter(~pl.col("account_id").is_in(list(whole.left_out)))
        .select("kind", "value", other_id="account_id", other_status="status")
        .sort(pl.col("other_status") != "blocked", "other_id")
        .group_by("kind", "value", maintain_order=True)
        .head(SHARED)
    )
    found = (
        theirs.select("account_id", "kind", "value")
        .join(others, on=["kind", "value"], how="left")
        .with_columns(
            pl.when(pl.col("other_id") != pl.col("account_id")).then(pl.col(name)).alias(name)
            for name in ("other_id", "other_status")
        )
        .unique()
    )
    # where others have a value, the row that says its owner has it too goes
    alone = pl.col("other_id").is_null().all().over("account_id", "kind", "value")
    ordered = (
        found.filter(pl.col("other_id").is_not_null() | alone)
        .sort(
            "account_id", pl.col("other_id").is_null(), pl.col("other_status") != "blocked",
            "kind", "value", "other_id",
        )
        .group_by("account_id", maintain_order=True)
        .head(SHARED)
    )  # fmt: skip
    return by_account(ordered)


def calls_between(
    whole: Midnight, parties: pl.DataFrame, own: Sequence[str]
) -> dict[str, list[Row]]:
    """Return the other accounts that accounts called, or were called by.

    Parameters
    ----------
    whole : Midnight
        Says who holds which number.
    parties : pl.DataFrame
        Columns of ``parties.sql``.
    own : sequence of str
        The accounts that are asked about.

    Returns
    -------
    dict
        Rows of each account: `kind` (``number called`` or ``number that called``), `value` (E.164),
        `other_id`, `other_status`, `call_count`; blocked accounts first, :data:`SHARED` at most.
        Accounts that nobody may be compared with are nobody's other.
    """
    kinds = {"callee": "number called", "caller": "number that called"}
    found = (
        parties.join(whole.holders.rename({"account_id": "other_id"}), on="key")
        .filter(
            pl.col("account_id").is_in(list(own))
            & (pl.col("other_id") != pl.col("account_id"))
            & ~pl.col("other_id").is_in(list(whole.left_out))
        )
        .select(
            "account_id", "other_id", "call_count", pl.col("kind").replace_strict(kinds),
            value="number", other_status="status",
        )
        .sort(
            pl.col("other_status") != "blocked", -pl.col("call_count"), "other_id", "value", "kind",
            nulls_last=True,
        )
        .group_by("account_id", maintain_order=True)
        .head(SHARED)
    )  # fmt: skip
    return by_account(found)


def by_account(rows: pl.DataFrame) -> dict[str, list[Row]]:
    """Return the rows of each account, in their order."""
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows.iter_rows(named=True):
        found[row["account_id"]].append(row)
    return found


def instant(day: date) -> datetime:
    """Return the midnight UTC that begins a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def query(name: str, **params: object) -> Query:
    """Return a statement of the review, with its values."""
    return Query.from_file("fraud.review", f"sql/{name}", **params)
