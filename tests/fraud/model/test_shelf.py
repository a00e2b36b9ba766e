"""Which model scores: promoted, rolled back, refused when it cannot be read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cdr.errors import WrongUse
from fraud.errors import ModelRefused
from fraud.model.comparison import compared_nights
from fraud.model.shelf import champion_id, named, promote, roll_back, shelved
from fraud.model.training import save, train

pytestmark = pytest.mark.slow


NOW = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Give a folder with two models of twelve accounts each."""
    folder = tmp_path_factory.mktemp("models")
    frame = pl.DataFrame({"account_id": [f"a{n}" for n in range(12)], "s": np.arange(12.0)})
    blocked = pl.Series("blocked", np.arange(12) < 4)
    days = (date(2026, 9, 1), date(2026, 9, 2))
    made = [train(frame, blocked, trained_as_of=day, feature_set="f", seed=1) for day in days]
    return folder, [save(model, folder) for model in made]


@pytest.fixture
def folder(shelf: tuple[Path, list[str]]) -> Path:
    """Give the folder without a champion."""
    (shelf[0] / "champion.json").unlink(missing_ok=True)
    return shelf[0]


def test_the_newest_stands_first(folder: Path, shelf: tuple[Path, list[str]]) -> None:
    assert [one.model_id for one in shelved(folder)] == shelf[1][::-1]
    assert [(one.blocked_count, one.good_count) for one in shelved(folder)] == [(4, 8)] * 2


def test_each_step_back_is_one_promotion(folder: Path, shelf: tuple[Path, list[str]]) -> None:
    first, second = shelf[1]
    for model_id in (first, second, None):
        promote(folder, model_id, now=NOW)
    assert champion_id(folder) is None
    assert [roll_back(folder), roll_back(folder), roll_back(folder)] == [second, first, None]
    with pytest.raises(WrongUse, match="ever promoted"):
        roll_back(folder)


def test_a_model_that_cannot_be_read_is_not_promoted(
    folder: Path, shelf: tuple[Path, list[str]]
) -> None:
    promote(folder, shelf[1][0], now=NOW)
    with pytest.raises(ModelRefused):
        promote(folder, "0" * 32, now=NOW)
    assert champion_id(folder) == shelf[1][0]


def test_a_model_is_named_by_its_first_digits(folder: Path, shelf: tuple[Path, list[str]]) -> None:
    assert named(folder, shelf[1][0][:12]) == shelf[1][0]
    with pytest.raises(WrongUse, match="2 models begin"):
        named(folder, "")


class Night:
    """Scores of three accounts."""

    def __init__(self, *scores: float | None) -> None:
        self.scores = pl.DataFrame(
            {"account_id": ["a", "b", "c"], "score": scores}, schema_overrides={"score": pl.Float64}
        )


def test_two_models_are_compared_where_both_know() -> None:
    found = compared_nights(Night(0.9, 0.5, 0.1), Night(0.2, 0.6, None), capacity=1)
    assert (found.accounts, found.rank_correlation, found.shared_at_capacity) == (2, -1.0, 0)
    assert (found.only_champion, found.only_challenger) == (("a",), ("b",))


def test_equal_scores_have_no_correlation() -> None:
    found = compared_nights(Night(0.5, 0.5, 0.5), Night(0.2, 0.6, 0.1), capacity=3)
    assert (found.rank_correlation, found.shared_at_capacity) == (None, 3)
