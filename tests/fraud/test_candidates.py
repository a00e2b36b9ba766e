"""A candidate prints as the contract says and cannot hold what JSON cannot."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fraud.candidates import Candidate, Reason, SimilarAccount


def test_a_candidate_prints_the_contracts_keys_in_order() -> None:
    candidate = Candidate(
        account_id="acc-1",
        score=0.75,
        band="medium",
        rank=2,
        method="similarity",
        reasons=(Reason("answer_share", None, "too few calls", 0.25),),
        similar_blocked=(SimilarAccount("acc-8", 0.5),),
        similar_good=(SimilarAccount("acc-9", 0.5),),
    )
    assert json.dumps(candidate.as_json()) == (
        '{"account_id": "acc-1", "score": 0.75, "band": "medium", "rank": 2, "reasons": '
        '[{"signal": "answer_share", "value": null, "text": "too few calls", "share": 0.25}], '
        '"similar_blocked": [{"account_id": "acc-8", "similarity": 0.5}]}'
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"score": float("nan")},
        {"score": 1.01},
        {"score": -0.01},
        {"band": "urgent"},
        {"method": "guess"},
        {"rank": 0},
    ],
    ids=str,
)
def test_a_candidate_outside_its_ranges_is_refused(wrong: dict[str, Any]) -> None:
    right = {"account_id": "a", "score": 0.5, "band": "low", "rank": 1, "method": "behaviour"}
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Candidate(**{**right, **wrong})


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_reason_says_unknown_as_none_only(number: float) -> None:
    with pytest.raises(ValueError, match="value of s must be finite"):
        Reason("s", number, "text", 0.5)
    with pytest.raises(ValueError, match="share of s must be finite"):
        Reason("s", 1.0, "text", number)


@pytest.mark.parametrize("number", [-0.1, 1.1, float("nan")])
def test_a_similarity_lies_in_its_range(number: float) -> None:
    with pytest.raises(ValueError, match="similarity"):
        SimilarAccount("a", number)
