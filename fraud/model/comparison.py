"""Two models on the same midnight: how far they agree, before one takes the other's place."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far two models agree.

    Parameters
    ----------
    accounts : int
        Accounts that both gave a score.
    rank_correlation : float or None
        Spearman's, -1..1; None where one gave every account the same score.
    capacity : int
        Accounts the team can work in a day.
    shared_at_capacity : int
        Accounts among the first of both.
    only_champion, only_challenger : tuple of str
        Accounts among the first of one and not of the other, best first.
    """

    accounts: int
    rank_correlation: float | None
    capacity: int
    shared_at_capacity: int
    only_champion: tuple[str, ...]
    only_challenger: tuple[str, ...]


def compared_nights(
    champion: pl.DataFrame, challenger: pl.DataFrame, *, capacity: int
) -> Comparison:
    """Compare what two models say of the same accounts.

    Parameters
    ----------
    champion, challenger : DataFrame
        `account_id` and `score` (0..1, null: unknown), one row an account.
    capacity : int
        Accounts the team can work in a day.
    """
    columns = ("account_id", "score")
    both = champion.select(columns).join(
        challenger.select(columns), on="account_id", suffix="_challenger"
    )
    both = both.drop_nulls(["score", "score_challenger"])
    correlation = both.select(pl.corr("score", "score_challenger", method="spearman")).item()
    first, second = (first_of(both, by, capacity) for by in ("score", "score_challenger"))
    return Comparison(
        accounts=both.height,
        rank_correlation=None if correlation is None or correlation != correlation else correlation,
        capacity=capacity,
        shared_at_capacity=len(set(first) & set(second)),
        only_champion=tuple(one for one in first if one not in second),
        only_challenger=tuple(one for one in second if one not in first),
    )


def first_of(scores: pl.DataFrame, by: str, capacity: int) -> list[str]:
    """Return the accounts with the highest values of a column, best first."""
    best = scores.sort(by, "account_id", descending=[True, False]).head(capacity)
    return best["account_id"].to_list()
