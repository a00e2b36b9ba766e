"""What a trained model promises: its numbers, its versions, and that nobody changed it."""

from __future__ import annotations

import copy
import hashlib
import json
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import skops.io

from cdr.scoring_settings import ScoringSettings
from fraud.champion import Known, champion_of
from fraud.errors import ModelRefused
from fraud.model.shelf import promote
from fraud.model.training import NOTHING_LEARNED, Model, load, on_threads, save, train
from fraud.signal_set import signal_set

pytestmark = pytest.mark.slow


BLOCKED, GOOD, HIDDEN = 20, 2_000, 20


def accounts() -> tuple[pl.DataFrame, pl.Series]:
    """Return 20 blocked accounts, 20 of their kind that nobody caught, and 1,980 good ones."""
    rng = np.random.default_rng(7)
    fraud = np.arange(GOOD + BLOCKED) < BLOCKED + HIDDEN
    columns = {f"signal_{n}": rng.normal(np.where(fraud, 2.5, 0.0), 1.0).round(3) for n in range(4)}
    names = [f"a{n:04d}" for n in range(GOOD + BLOCKED)]
    frame = pl.DataFrame({"account_id": names, **columns}).with_columns(
        signal_3=pl.when(pl.int_range(pl.len()) % 5 > 0).then("signal_3")  # unknown for a fifth
    )
    return frame, pl.Series("blocked", np.arange(GOOD + BLOCKED) < BLOCKED)


@pytest.fixture(scope="module")
def trained() -> tuple[Model, pl.DataFrame]:
    features, blocked = accounts()
    model = train(features, blocked, trained_as_of=date(2026, 9, 30), feature_set="f", seed=1)
    return model, features


def test_every_account_is_scored_by_trees_that_did_not_see_it(
    trained: tuple[Model, pl.DataFrame],
) -> None:
    model, features = trained
    own = np.arange(features.height)
    assert not np.isnan(model.estimator.likeness(model.matrix(features), own)).any()


def test_fraud_that_was_not_caught_scores_like_what_was(
    trained: tuple[Model, pl.DataFrame],
) -> None:
    model, features = trained
    score = model.score(features)
    hidden, good = score[BLOCKED : BLOCKED + HIDDEN], score[BLOCKED + HIDDEN :]
    assert (hidden > 0.4).mean() >= 0.8
    assert (good > 0.4).mean() <= 0.005
    assert model.card.caught_share == pytest.approx(BLOCKED / (BLOCKED + HIDDEN), abs=0.15)


def test_where_signals_say_nothing_nobody_is_taken_for_fraud() -> None:
    rng = np.random.default_rng(3)
    noise = {f"signal_{n}": rng.normal(size=800) for n in range(4)}
    features = pl.DataFrame({"account_id": [f"a{n:03d}" for n in range(800)], **noise})
    blocked = pl.Series("blocked", np.arange(800) < 20)
    model = train(features, blocked, trained_as_of=date(2026, 9, 30), feature_set="f", seed=1)
    assert model.score(features).max() < 0.3


def test_more_likeness_is_never_less_score(trained: tuple[Model, pl.DataFrame]) -> None:
    likeness = np.linspace(0, 1, 101)
    score = trained[0].score(pl.DataFrame(), likeness=likeness)
    assert (np.diff(score) >= 0).all()
    assert 0 <= score[0] < score[-1] <= 1


def test_the_same_seed_gives_the_same_scores(trained: tuple[Model, pl.DataFrame]) -> None:
    features, blocked = accounts()
    again = train(features, blocked, trained_as_of=date(2026, 9, 30), feature_set="f", seed=1)
    assert again.score(features).tolist() == trained[0].score(features).tolist()


def test_on_several_threads_the_same_model_comes_out(
    trained: tuple[Model, pl.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    features, blocked = accounts()
    monkeypatch.setattr("fraud.model.training.THREADS_FROM", features.height)
    with on_threads(features.height, 2):
        again = train(features, blocked, trained_as_of=date(2026, 9, 30), feature_set="f", seed=1)
        score = again.score(features)
    assert score.tolist() == trained[0].score(features).tolist()
    assert again.estimator.n_jobs is None


def test_a_model_comes_back_from_disk_as_it_was(
    trained: tuple[Model, pl.DataFrame], tmp_path: Path
) -> None:
    model, features = trained
    model_id = save(model, tmp_path)
    back = load(tmp_path, model_id)
    assert save(back, tmp_path) == model_id
    assert (back.card, back.identity) == (model.card, model.identity)
    assert back.card.identity_parameters == back.identity.version
    assert back.score(features).tolist() == model.score(features).tolist()


@pytest.mark.parametrize("file", ["model.skops", "card.json", "identity.json"])
def test_a_model_that_was_changed_is_refused(
    trained: tuple[Model, pl.DataFrame], tmp_path: Path, file: str
) -> None:
    model_id = save(trained[0], tmp_path)
    with (tmp_path / model_id / file).open("ab") as content:
        content.write(b" ")
    with pytest.raises(ModelRefused, match="changed after training"):
        load(tmp_path, model_id)


def test_a_missing_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="files are missing"):
        load(tmp_path, "0" * 32)


def test_a_model_of_another_scikit_learn_is_refused(
    trained: tuple[Model, pl.DataFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_id = save(trained[0], tmp_path)
    monkeypatch.setattr("sklearn.__version__", "99.0")
    with pytest.raises(ModelRefused, match=r"99\.0 is installed; train again"):
        load(tmp_path, model_id)


def as_if_made(folder: Path, content: bytes, card: dict[str, object]) -> str:
    """Put a model on the shelf whose hash is right, whoever made it."""
    files = {
        "model.skops": content,
        "card.json": json.dumps(card).encode(),
        "identity.json": NOTHING_LEARNED.as_text(),
    }
    model_id = hashlib.sha256(b"".join(files.values())).hexdigest()[:32]
    (folder / model_id).mkdir()
    for name, text in files.items():
        (folder / model_id / name).write_bytes(text)
    return model_id


def test_a_model_of_an_earlier_build_is_refused(
    trained: tuple[Model, pl.DataFrame], tmp_path: Path
) -> None:
    model = trained[0]
    card = asdict(model.card)
    parts = {"estimator": copy.copy(model.estimator), "calibrator": model.calibrator}
    shorter = {name: value for name, value in card.items() if name != "medians"}
    of_other_card = as_if_made(tmp_path, skops.io.dumps(parts), shorter)
    parts["estimator"].balances = (0.5,)
    of_other_settings = as_if_made(tmp_path, skops.io.dumps(parts), card)
    del parts["estimator"].balances
    of_fewer_settings = as_if_made(tmp_path, skops.io.dumps(parts), card)
    parts["estimator"].balances = model.estimator.balances
    del parts["estimator"].curve_
    of_other_parts = as_if_made(tmp_path, skops.io.dumps(parts), card)
    of_other_names = as_if_made(tmp_path, skops.io.dumps({"forest": model.calibrator}), card)
    of_other_build = of_other_card, of_other_settings, of_fewer_settings, of_other_parts
    for model_id in (*of_other_build, of_other_names):
        with pytest.raises(ModelRefused, match="another version of Callsieve made it; train again"):
            load(tmp_path, model_id)


def test_a_model_of_other_types_is_refused(
    trained: tuple[Model, pl.DataFrame], tmp_path: Path
) -> None:
    parts = {"estimator": trained[0].card, "calibrator": trained[0].calibrator}
    model_id = as_if_made(tmp_path, skops.io.dumps(parts), asdict(trained[0].card))
    with pytest.raises(ModelRefused, match="not on the list of trusted ones"):
        load(tmp_path, model_id)


def test_a_night_learns_anew_where_its_champion_cannot_be_read(
    trained: tuple[Model, pl.DataFrame], tmp_path: Path
) -> None:
    model_id = save(trained[0], tmp_path)
    promote(tmp_path, model_id, now=datetime(2026, 10, 1, tzinfo=UTC))
    (tmp_path / model_id / "card.json").write_bytes(b"{}")
    known = Known(datetime(2026, 10, 1, tzinfo=UTC), signal_set([]), pl.Series(["a"]), [])
    model, note = champion_of(tmp_path, known)
    assert model is None
    assert note == "the champion was not used: its files were changed after training; train again"


def test_the_card_holds_no_value_of_an_account(
    trained: tuple[Model, pl.DataFrame], tmp_path: Path
) -> None:
    model_id = save(trained[0], tmp_path)
    card = json.loads((tmp_path / model_id / "card.json").read_bytes())
    assert (card["blocked_count"], card["good_count"]) == (BLOCKED, GOOD)
    assert card["signals"] == ["signal_0", "signal_1", "signal_2", "signal_3"]


def test_the_curve_is_fitted_to_later_accounts_where_there_are_enough() -> None:
    rng = np.random.default_rng(5)
    labels = np.arange(900) < 150
    frame = pl.DataFrame({"account_id": [f"a{n}" for n in range(900)], "s": rng.normal(labels * 2)})
    known_at = pl.Series([date(2026, 1, 1)] * 110 + [date(2026, 6, 1)] * 40)
    blocked = pl.Series(labels)
    of = {"trained_as_of": date(2026, 9, 1), "feature_set": "f", "seed": 1}
    assert train(frame, blocked, **of, known_at=known_at).card.calibrated_on == "later accounts"
    assert train(frame, blocked, **of).card.calibrated_on == "left-out accounts"


TRAVELS = ("networks_count_7d", "known_callee_share_7d", "outbound_calls_count_7d")


def rows(*groups: tuple[str, int, tuple[float, float, float]]) -> pl.DataFrame:
    """Return accounts of groups: name, how many, usual values; each value strays by a tenth."""
    rng = np.random.default_rng(6)
    values = np.concatenate([np.tile(usual, (count, 1)) for _, count, usual in groups])
    values *= rng.normal(1.0, 0.1, values.shape)
    names = [f"{name}{n}" for name, count, _ in groups for n in range(count)]
    return pl.DataFrame({"account_id": names}).with_columns(
        pl.Series(signal, column) for signal, column in zip(TRAVELS, values.T, strict=True)
    )


def test_a_traveller_stays_below_a_takeover_abroad_and_home_again() -> None:
    """Both call from twice as many networks; the traveller calls whom it knew, at its usual pace.

    Six travellers are among the good accounts; of the twelve blocked, four were taken over.
    """
    reference = rows(
        ("takeover", 4, (6, 0.2, 200)),
        ("dialler", 8, (2, 0.05, 900)),
        ("traveller", 6, (6, 0.6, 50)),
        ("office", 400, (3, 0.8, 30)),
    )
    model = train(
        reference,
        pl.Series([True] * 12 + [False] * 406),
        trained_as_of=date(2026, 9, 25),
        feature_set="test",
        seed=1,
    )
    asked = pl.DataFrame(
        [("abroad", 6, 0.6, 50), ("home again", 5, 0.7, 35), ("taken over", 6, 0.2, 200)],
        schema=["account_id", *TRAVELS],
        orient="row",
    )
    abroad, home_again, taken_over = model.score(asked)
    candidate_from = ScoringSettings().medium_from
    assert max(abroad, home_again) < candidate_from < taken_over
