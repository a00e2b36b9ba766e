"""What commands of models say to a person: the numbers, and what comes next."""

from __future__ import annotations

from fraud.model.comparison import Comparison
from fraud.shadow import InShadow, Worked
from pipelines.model_text import compared_text, shadow_text, trained_text

NIGHT = Comparison(3, 0.5, 2, 1, ("a",), ())


def test_who_trained_a_model_is_told_how_to_let_it_score() -> None:
    found = {
        "model_id": "0123456789abcdef",
        "trained_as_of": "2026-10-01",
        "blocked_count": 1,
        "good_count": 2_000,
        "left_out_auc": None,
        "card": "card.html",
    }
    assert trained_text(found).splitlines() == [
        "0123456789abcdef  as of 2026-10-01, 1 blocked account, 2,000 good",
        "area under the curve on accounts left out: unknown",
        "card: card.html",
        "It scores once it is the champion: callsieve model promote 01234567",
    ]


def test_whom_only_one_of_two_models_puts_first_is_named() -> None:
    assert compared_text(NIGHT).splitlines() == [
        "1 of the first 2 are the same, 3 accounts, rank correlation 0.50",
        "only by the first: a",
        "only by the second: none",
    ]


def test_nights_in_shadow_are_told_one_by_one() -> None:
    found = InShadow("81c0", (("2026-10-01", NIGHT),), Worked(2, 1), Worked(2, 0))
    assert shadow_text(found).splitlines() == [
        "81c0 in shadow on 1 night",
        "2026-10-01: 1 of the first 2 are the same, 3 accounts, rank correlation 0.50",
        "champion: 1 of 2 accounts among its first were blocked or confirmed since",
        "challenger: 0 of 2 accounts among its first were blocked or confirmed since",
    ]
