"""Champion and challenger side by side: what both said on the nights that both scored.

Here: the rows of `shadow_scores`, and what they come to. Not here: which model challenges
(:mod:`fraud.model.shelf`), and two models on one midnight (:mod:`fraud.model.comparison`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from cdr.lake import Lake
from cdr.schema import SCORES
from fraud.candidates import Versions
from fraud.model.comparison import Comparison, compared_nights, first_of
from fraud.scoring import Shadow
from fraud.tables import SHADOW_SCORES


@dataclass(frozen=True, slots=True)
class Worked:
    """The accounts that one of the two would have put before the team, over all the nights.

    ``turned_out`` of the ``accounts`` are blocked or confirmed since. Only the champion's
    were worked, so of the challenger's alone fewer can have been found out.
    """

    accounts: int
    turned_out: int


@dataclass(frozen=True, slots=True)
class InShadow:
    """How a challenger did beside what scored.

    Parameters
    ----------
    challenger : str
        Its id.
    nights : tuple of (str, Comparison)
        Midnights that both scored, ISO date, the last one last.
    champion_worked, challenger_worked : Worked
        Among the first of each night.
    """

    challenger: str
    nights: tuple[tuple[str, Comparison], ...]
    champion_worked: Worked
    challenger_worked: Worked

    def as_json(self) -> dict[str, Any]:
        """Return the object that ``model compare --json`` prints."""
        nights = [{"as_of": day, **asdict(found)} for day, found in self.nights]
        return {**asdict(self), "nights": nights}


def shadow_rows(
    shadow: Shadow, *, as_of: date, scored_at: datetime, versions: Versions
) -> pl.DataFrame:
    """Return the rows of `shadow_scores` of one night.

    Parameters
    ----------
    shadow : Shadow
        What the challenger said.
    as_of : date
        UTC day that the midnight begins.
    scored_at : datetime
        UTC instant.
    versions : Versions
        Of the data that the night read.
    """
    if shadow.scores.is_empty():
        return SHADOW_SCORES.empty()
    return SHADOW_SCORES.conform(
        shadow.scores.with_columns(
            as_of_date=pl.lit(as_of),
            model_id=pl.lit(shadow.model_id),
            feature_set=pl.lit(shadow.feature_set),
            data_version=pl.lit(versions.data_version),
            numbering_version=pl.lit(versions.numbering_version),
            scored_at=pl.lit(scored_at),
        )
    )


def in_shadow(lake: Lake, challenger: str, patterns: pl.Series) -> InShadow:
    """Compare what the challenger said with what scored, on each night that both did.

    Parameters
    ----------
    lake : Lake
        Where both tables are.
    challenger : str
        Its id.
    patterns : Series of str
        Accounts that are blocked for fraud or misuse, or confirmed, by now.
    """
    shadow = lake.scan(SHADOW_SCORES).filter(pl.col("model_id") == challenger).collect()
    days = shadow["as_of_date"].unique().sort()
    champion = lake.scan(SCORES, dates=days.to_list()).filter(method="similarity").collect()
    capacity = lake.settings.scoring.daily_capacity
    nights, first = [], {"champion": set[str](), "challenger": set[str]()}
    for day in days:
        both = [frame.filter(pl.col("as_of_date") == day) for frame in (champion, shadow)]
        if any(frame.is_empty() for frame in both):
            continue
        nights.append((day.isoformat(), compared_nights(*both, capacity=capacity)))
        for name, frame in zip(first, both, strict=True):
            first[name].update(first_of(frame.drop_nulls("score"), "score", capacity))
    worked = [Worked(len(of_one), len(of_one.intersection(patterns))) for of_one in first.values()]
    return InShadow(challenger, tuple(nights), *worked)
