"""Two models on the same midnight: how far they agree, before one takes the other's place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import polars as pl


class Scored(Protocol):
    """What is compared: `account_id` and `score` (0..1, null: unknown), one row an account."""

    @property
    def scores(self) -> pl.DataFrame:
        """The scores."""


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


def compared_nights(champion: Scored, challenger: Scored, *, capacity: int) -> Comparison:
    """Compare what two models say of the same accounts."""
    both = champion.scores.join(challenger.scores, on="account_id", suffix="_challenger")
    both = both.drop_nulls(["score", "score_challenger"])
    correlation = both.select(pl.corr("score", "score_challenger", method="spearman")).item()
    first, second = _first(both, "score", capacity), _first(both, "score_challenger", capacity)
    return Comparison(
        accounts=both.height,
        rank_correlation=None if correlation is None or correlation != correlation else correlation,
        capacity=capacity,
        shared_at_capacity=len(set(first) & set(second)),
        only_champion=tuple(one for one in first if one not in second),
        only_challenger=tuple(one for one in second if one not in first),
    )


def _first(both: pl.DataFrame, by: str, capacity: int) -> list[str]:
    best = both.sort(by, "account_id", descending=[True, False]).head(capacity)
    return best["account_id"].to_list()
