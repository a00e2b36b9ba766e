"""Whom a night looks at beside its candidates, and whom it leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cdr import load_settings, open_lake
from cdr.scoring_settings import ScoringSettings
from fraud.model.shelf import promote
from fraud.model.training import save
from fraud.put_forward import drawn_below, leaned_on_gone
from fraud.scoring import score_night

AS_OF = datetime(2026, 10, 1, tzinfo=UTC)
CONFIG = Path(__file__).parents[2] / "data" / "samples" / "callsieve.toml"
SCORES = pl.DataFrame(
    {
        "account_id": [f"a{n:03}" for n in range(100)],
        "band": ["high"] * 5 + ["medium"] * 5 + ["unknown"] * 10 + ["low"] * 80,
    }
)


def test_the_sample_is_of_low_ones_and_the_same_for_the_same_night() -> None:
    settings = ScoringSettings(sample_size=20)
    drawn = drawn_below(SCORES, settings, AS_OF)
    assert drawn["band"].to_list() == ["low"] * 20
    assert drawn["account_id"].is_unique().all()
    assert drawn_below(SCORES.reverse(), settings, AS_OF).equals(drawn)
    assert not drawn_below(SCORES, settings, AS_OF + timedelta(days=1)).equals(drawn)
    assert not drawn_below(SCORES, ScoringSettings(sample_size=20, seed=1), AS_OF).equals(drawn)


def test_every_low_one_is_drawn_as_often_over_many_nights() -> None:
    settings = ScoringSettings(sample_size=20)
    nights = [drawn_below(SCORES, settings, AS_OF + timedelta(days=n)) for n in range(400)]
    counts = pl.concat(nights)["account_id"].value_counts()["count"]
    assert len(counts) == 80
    assert counts.min() > 65  # 100 expected, 8.7 standard deviation
    assert counts.max() < 140


def test_fewer_low_ones_than_the_sample_are_all_drawn() -> None:
    assert drawn_below(SCORES, ScoringSettings(sample_size=99), AS_OF).height == 80


def test_cases_that_lean_on_who_is_no_pattern_any_more_are_found() -> None:
    leaning = {"a": ["still", "gone"], "b": ["still"], "c": ["gone"], "d": []}
    assert leaned_on_gone(leaning, ["still", "other"]) == ("a", "c")


@pytest.mark.large
def test_whoever_is_left_alone_is_neither_scored_nor_used(
    callsieve: Callable[..., Any], sample_home: Path
) -> None:
    """Two that a champion learned from restrict; a case leaned on one of them."""
    lake = open_lake(load_settings(CONFIG, home=sample_home))
    before = score_night(lake, as_of=AS_OF)
    assert before.model is not None
    near = before.candidates[0]
    blocked = near.similar_blocked[0].account_id
    good = next(
        one for one in before.model.card.reference_ids[before.model.card.blocked_count :]
        if one in set(before.scores.filter(band="low")["account_id"])
    )  # fmt: skip
    low = before.scores.filter((pl.col("band") == "low") & (pl.col("account_id") != good))
    leaning = {low["account_id"][0]: [blocked]}
    model_id = save(before.model, lake.home.models)
    promote(lake.home.models, model_id, now=AS_OF)
    for account in (blocked, good):
        ran = callsieve("--home", sample_home, "--config", CONFIG, "person", "restrict",
                        "--account", account, "--reason", "accuracy contested")  # fmt: skip
        assert ran.code == 0

    after = score_night(lake, as_of=AS_OF, leaning=leaning, challenger=model_id)
    assert after.model is not None
    assert "champion was not used" in str(after.note)
    assert after.shadow is not None
    assert "challenger was not used" in str(after.shadow.note)
    assert after.shadow.scores.is_empty()
    assert {blocked, good}.isdisjoint(after.model.card.reference_ids)
    assert good not in set(after.scores["account_id"])
    named = {
        one.account_id
        for candidate in (*after.candidates, *after.sampled, *after.rescored)
        for one in (*candidate.similar_blocked, *candidate.similar_good)
    }
    assert {blocked, good}.isdisjoint(named)
    assert [one.account_id for one in after.rescored] == list(leaning)
