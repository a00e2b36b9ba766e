"""Which model scores: promoted, rolled back, refused when it cannot be read."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cdr.errors import WrongUse
from fraud.errors import ModelRefused
from fraud.model.comparison import compared_nights
from fraud.model.forgetting import forget
from fraud.model.shelf import (
    challenge,
    challenger_id,
    champion_id,
    named,
    promote,
    roll_back,
    shelved,
)
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
    for before in (second, first, None):
        assert roll_back(folder) == ()
        assert champion_id(folder) == before
    with pytest.raises(WrongUse, match="ever promoted"):
        roll_back(folder)


def test_a_model_that_cannot_be_read_is_not_promoted(
    folder: Path, shelf: tuple[Path, list[str]]
) -> None:
    promote(folder, shelf[1][0], now=NOW)
    with pytest.raises(ModelRefused):
        promote(folder, "0" * 32, now=NOW)
    assert champion_id(folder) == shelf[1][0]


def test_going_back_passes_over_models_that_cannot_be_read(
    folder: Path, shelf: tuple[Path, list[str]], tmp_path: Path
) -> None:
    first, second = shelf[1]
    copied = tmp_path / "models"
    shutil.copytree(folder, copied)
    for promoted in (first, second, first):
        promote(copied, promoted, now=NOW)
    (copied / second / "model.skops").write_bytes(b"damaged")
    assert roll_back(copied) == (second,)
    assert champion_id(copied) == first
    (copied / first / "model.skops").unlink()
    promote(copied, None, now=NOW)
    assert roll_back(copied) == (first,)
    assert champion_id(copied) is None


def test_a_model_is_named_by_its_first_digits(folder: Path, shelf: tuple[Path, list[str]]) -> None:
    assert named(folder, shelf[1][0][:12]) == shelf[1][0]
    with pytest.raises(WrongUse, match="2 models begin"):
        named(folder, "")


def test_a_challenger_stands_beside_the_champion_until_it_is_promoted(
    folder: Path, shelf: tuple[Path, list[str]]
) -> None:
    first, second = shelf[1]
    challenge(folder, second)
    promote(folder, first, now=NOW)
    assert [(one.is_champion, one.is_challenger) for one in shelved(folder)] == [
        (False, True), (True, False),
    ]  # fmt: skip
    with pytest.raises(WrongUse, match="is the champion"):
        challenge(folder, first)
    promote(folder, second, now=NOW)
    assert (champion_id(folder), challenger_id(folder)) == (second, None)


def test_who_comes_back_by_a_step_back_challenges_no_longer(
    folder: Path, shelf: tuple[Path, list[str]]
) -> None:
    first, second = shelf[1]
    promote(folder, first, now=NOW)
    promote(folder, second, now=NOW)
    challenge(folder, first)
    roll_back(folder)
    assert (champion_id(folder), challenger_id(folder)) == (first, None)


def test_a_model_that_cannot_be_read_challenges_nobody(
    folder: Path, shelf: tuple[Path, list[str]]
) -> None:
    challenge(folder, shelf[1][0])
    with pytest.raises(ModelRefused):
        challenge(folder, "0" * 32)
    assert challenger_id(folder) == shelf[1][0]
    challenge(folder, None)
    assert challenger_id(folder) is None


def test_a_challenger_that_knew_an_erased_account_goes(
    folder: Path, shelf: tuple[Path, list[str]], tmp_path: Path
) -> None:
    copied = tmp_path / "models"
    shutil.copytree(folder, copied)
    challenge(copied, shelf[1][0])
    forget(copied, "a3", now=NOW)
    assert challenger_id(copied) is None


def scores(*values: float | None) -> pl.DataFrame:
    """Give scores of three accounts."""
    frame = {"account_id": ["a", "b", "c"], "score": values}
    return pl.DataFrame(frame, schema_overrides={"score": pl.Float64})


def test_two_models_are_compared_where_both_know() -> None:
    found = compared_nights(scores(0.9, 0.5, 0.1), scores(0.2, 0.6, None), capacity=1)
    assert (found.accounts, found.rank_correlation, found.shared_at_capacity) == (2, -1.0, 0)
    assert (found.only_champion, found.only_challenger) == (("a",), ("b",))


def test_equal_scores_have_no_correlation() -> None:
    found = compared_nights(scores(0.5, 0.5, 0.5), scores(0.2, 0.6, 0.1), capacity=3)
    assert (found.rank_correlation, found.shared_at_capacity) == (None, 3)
