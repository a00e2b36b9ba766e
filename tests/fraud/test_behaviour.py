"""The ranking of the first nights: whose signals are surprising among the others'."""

from __future__ import annotations

import polars as pl
import pytest

from fraud.behaviour import odd_candidates, odd_scores, oddness
from fraud.signal_set import signal_set

BY_NAME = {signal.name: signal for signal in signal_set(frozenset()).behaviour}
COST_7D, COST_30D = BY_NAME["cost_usd_7d"], BY_NAME["cost_usd_30d"]
ANSWERED = BY_NAME["answer_seizure_share_7d"]


def of_accounts(**signals: list[float | None]) -> pl.DataFrame:
    ids = [f"a{n}" for n in range(len(next(iter(signals.values()))))]
    return pl.DataFrame({"account_id": ids, **signals})


def test_the_farthest_is_first_however_far_the_next_one_is() -> None:
    """A bound above which all are alike would leave the order to the account's name."""
    features = of_accounts(cost_usd_7d=[2000.0, 90000.0, 1.0, 2.0, 1.5, 0.0])
    scores = odd_scores(oddness(features, [COST_7D]), [COST_7D])
    assert scores.arg_sort(descending=True).to_list()[:2] == [1, 0]
    assert scores.to_list()[2:] == [0, pytest.approx(scores[3]), 0, 0]
    assert scores.is_between(0, 1).all()


def test_only_the_suspicious_side_counts() -> None:
    assert (COST_7D.direction, ANSWERED.direction) == ("higher", "lower")
    features = of_accounts(answer_seizure_share_7d=[0.01, 0.6, 0.6, 0.99])
    assert oddness(features, [ANSWERED]).to_series(1).to_list() == [1, 0, 0, 0]


def test_unknown_says_nothing() -> None:
    features = of_accounts(cost_usd_7d=[None, 5.0, 1.0], cost_usd_30d=[None, None, None])
    found = oddness(features.cast({"cost_usd_30d": pl.Float64}), [COST_7D, COST_30D])
    assert found["cost_usd_7d"].to_list()[::2] == [0, 0]
    assert found["cost_usd_30d"].to_list() == [0, 0, 0]


def test_windows_of_one_signal_count_once() -> None:
    values = [9.0, 1.0, 2.0, 1.0]
    signals = [COST_7D, COST_30D]
    both = odd_scores(
        oddness(of_accounts(cost_usd_7d=values, cost_usd_30d=values), signals), signals
    )
    one = odd_scores(oddness(of_accounts(cost_usd_7d=values), [COST_7D]), [COST_7D])
    assert both.to_list() == one.to_list()


def test_reasons_are_the_parts_of_the_score_the_strongest_first() -> None:
    features = of_accounts(
        cost_usd_7d=[9.0, 1.0, 2.0, 1.0], cost_usd_30d=[1.0, 1.0, 1.0, 1.0],
        answer_seizure_share_7d=[0.65, 0.6, 0.3, 0.7], calls_count=[5, 5, 5, 5],
    )  # fmt: skip
    signals = [COST_7D, COST_30D, ANSWERED]
    scores = features.select("account_id").with_columns(
        odd_scores(oddness(features, signals), signals)
    )
    first, second = odd_candidates(
        features, oddness(features, signals), scores, signals, capacity=2
    )
    assert (first.account_id, second.account_id) == ("a2", "a0")
    assert [reason.signal for reason in first.reasons] == ["answer_seizure_share_7d", "cost_usd_7d"]
    assert sum(reason.share for reason in first.reasons) == pytest.approx(1)
    assert (first.band, first.method) == ("unknown", "behaviour")


def test_without_signals_nobody_is_odd() -> None:
    features = of_accounts(cost_usd_7d=[9.0, 1.0])
    scores = features.select("account_id").with_columns(odd_scores(oddness(features, []), []))
    assert odd_candidates(features, oddness(features, []), scores, [], capacity=5) == ()
