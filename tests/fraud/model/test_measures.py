"""What an evaluation says: chance is told as chance, and a signal that knows the future alarms."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from fraud.backtest import rows_of, summed_up
from fraud.model import measures
from fraud.model.training import train
from fraud.scoring import Night
from fraud.tables import ACCOUNT_DAYS

pytestmark = pytest.mark.slow


MIDNIGHTS = [datetime(2026, 9, day, tzinfo=UTC) for day in (1, 2)]
SINCE = pl.Datetime("us", "UTC")


def night_of(features: pl.DataFrame, known: pl.Series) -> Night:
    """Train on the first half, whose fraud is known, and score the second."""
    half = features.height // 2
    model = train(
        features[:half], known[:half], trained_as_of=date(2026, 9, 1), feature_set="f", seed=1
    )
    rest = features[half:]
    score = pl.Series("score", model.score(rest))
    band = pl.when(score >= 0.4).then(pl.lit("high")).otherwise(pl.lit("low"))
    scores = rest.select("account_id").with_columns(score, band=band)
    return Night(scores, rest, (), "similarity", model, "f", None)


def evaluated(features: pl.DataFrame, fraud: pl.Series):  # type: ignore[no-untyped-def]
    """Put the same people through two nights of the backtest's own machinery."""
    night = night_of(features, fraud)
    outcomes = features.select(
        "account_id",
        fraud=fraud,
        began_at=pl.lit(None, SINCE),
        kind=pl.lit("irsf"),
        lookalike_kind=pl.lit("call_centre"),
    )
    rows = pl.concat([rows_of(at, night.scores, outcomes, 20) for at in MIDNIGHTS])
    return summed_up(
        rows, [night, night], ACCOUNT_DAYS.empty().lazy(), datetime(2026, 9, 20, tzinfo=UTC),
        capacity=20, seed=1, with_truth=True, notes=(),
    )  # fmt: skip


def people(seed: int) -> tuple[pl.DataFrame, pl.Series]:
    rng = np.random.default_rng(seed)
    count = 600
    columns = {f"s{n}": rng.normal(size=count) for n in range(5)}
    frame = pl.DataFrame({"account_id": [f"a{n:04d}" for n in range(count)], **columns})
    return frame, pl.Series("fraud", rng.random(count) < 0.2)


def test_labels_at_random_are_told_as_chance() -> None:
    found = evaluated(*people(1))
    assert found.auc.low < 0.5 < found.auc.high
    assert found.average_precision.low < found.fraud_share < found.average_precision.high
    assert found.leaks == ()


def test_a_signal_that_knows_the_future_raises_the_alarm() -> None:
    frame, fraud = people(2)
    noise = pl.Series(np.random.default_rng(3).normal(0, 0.01, frame.height))
    planted = frame.with_columns((fraud.cast(pl.Float64) + noise).alias("planted"))
    found = evaluated(planted, fraud)
    assert [one.signal for one in found.leaks] == ["planted"]
    assert found.auc.value > 0.95


def test_a_signal_can_leak_by_being_known_at_all() -> None:
    frame, fraud = people(2)
    planted = frame.with_columns(planted=pl.when(fraud).then(1.0))
    assert [one.signal for one in measures.leaks(planted, fraud, ["s0", "planted"])] == ["planted"]


def test_figures_at_capacity_by_hand() -> None:
    rows = pl.DataFrame(
        {
            "account_id": ["a", "b", "c", "a", "b", "c"],
            "worked": [True, True, False, False, False, False],
            "fraud": [True, False, True, True, False, True],
            "score": [0.9, 0.8, 0.1, 0.3, 0.2, 0.1],
        }
    )
    assert measures.precision_at_capacity(rows) == 0.5
    assert measures.recall_at_capacity(rows) == 0.5
    assert measures.calibration(rows)[0] == (pytest.approx(0.1), 1.0, 2)


def test_an_account_that_is_drawn_twice_counts_twice() -> None:
    """Of twenty frauds half were worked; with a row each, recall is the mean of `worked`."""
    rows = pl.DataFrame(
        {
            "account_id": [f"a{n}" for n in range(20)],
            "worked": [n < 10 for n in range(20)],
            "fraud": True,
        }
    )
    recall = measures.measured(rows, measures.recall_at_capacity, seed=4)
    assert recall == measures.measured(
        rows, lambda drawn: float(drawn["worked"].sum() / drawn.height), seed=4
    )


def test_rows_of_an_account_are_drawn_together() -> None:
    """Two accounts with one row or three: a draw has 2, 4 or 6 rows."""
    rows = pl.DataFrame({"account_id": ["a", "b", "b", "b"]})
    seen = []

    def heights(drawn: pl.DataFrame) -> float:
        seen.append(drawn.height)
        return 0.0

    measures.measured(rows, heights, seed=4)
    assert set(seen) == {2, 4, 6}


def test_days_and_money_until_caught_by_hand() -> None:
    outcomes = pl.DataFrame(
        {
            "account_id": ["caught", "missed", "good"],
            "fraud": [True, True, False],
            "began_at": [datetime(2026, 8, 30, 12, tzinfo=UTC), None, None],
            "kind": None,
            "lookalike_kind": None,
        },
        schema_overrides={"began_at": SINCE, "kind": pl.String, "lookalike_kind": pl.String},
    )
    scores = pl.DataFrame(
        {
            "account_id": ["caught", "missed", "good"],
            "score": [0.9, 0.1, 0.2],
            "band": ["high", "low", "low"],
        }
    )
    spent = pl.DataFrame(
        [
            ("caught", date(2026, 8, 29), 1_000),  # before it began
            ("caught", date(2026, 8, 30), 10),
            ("caught", date(2026, 8, 31), 5),
            ("caught", date(2026, 9, 1), 2_000),  # after the night that found it
            ("missed", date(2026, 9, 1), 3),
            ("good", date(2026, 8, 31), 4_000),
        ],
        schema=["account_id", "call_date", "cost_usd"],
        orient="row",
    )
    rows = pl.concat([rows_of(at, scores, outcomes, 1) for at in MIDNIGHTS])
    night = Night(scores, scores.select("account_id"), (), "similarity", None, "f", None)
    found = summed_up(
        rows, [night, night], spent.lazy(), MIDNIGHTS[1],
        capacity=1, seed=1, with_truth=True, notes=(),
    )  # fmt: skip
    # a day and a half to the first midnight; from the first midnight to the last, 1 September
    assert found.days_until_caught == pytest.approx((1.5 + 1) / 2)
    assert found.usd_until_caught == pytest.approx((10 + 5 + 3) / 2)


def test_drift_is_an_effect_and_not_a_matter_of_size() -> None:
    earlier, later = (
        pl.DataFrame({"up": [low, low + 1.0], "same": [1.0, 2.0]}) for low in (0.0, 5.0)
    )
    found = measures.drifts(earlier, later, ["same", "up"])
    assert [(one.signal, one.effect) for one in found] == [("up", 1.0), ("same", 0.0)]
