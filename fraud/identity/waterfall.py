"""The waterfall of some accounts for those who ask from a notebook: what agrees with whom.

Not here: how it is weighed (`overlap`, `weigh`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from cdr.lake import Lake
from fraud.identity.overlap import compare_accounts, identity_matches


def identity_waterfall(
    lake: Lake, *, as_of: datetime, accounts: Sequence[str], nearest: int = 1
) -> pl.DataFrame:
    """Compare accounts' details with those of blocked ones, and say what weighs how much.

    Parameters
    ----------
    lake : Lake
        With `accounts`.
    as_of : datetime
        UTC midnight; details and blocks count as they stood then.
    accounts : sequence of str
        Which accounts.
    nearest : int, default=1
        Blocked accounts beside each at most, the nearest first.

    Returns
    -------
    pl.DataFrame
        One row per detail of a pair, `fraud.identity.overlap.MATCHES`: `bits` add up to the
        evidence, 1 bit doubles the odds; values of details are not in it. No rows for an
        account that shares no rare value with a blocked one.

    Raises
    ------
    QueryFailed
        If DuckDB refuses.
    """
    settings = lake.settings
    with lake.connect_raw("fraud") as con:
        compared = compare_accounts(
            con, as_of=as_of, seed=settings.scoring.seed, store=settings.store
        )
    return identity_matches(compared, accounts=accounts, nearest=nearest)
