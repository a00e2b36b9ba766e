"""A candidate that a test changes in the one point it is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fraud.candidates import Candidate, Reason, SimilarAccount

PLAIN = Candidate(
    account_id="acc-1",
    score=0.6,
    band="medium",
    rank=1,
    method="similarity",
    reasons=(
        Reason("short_call_share", 0.4, "40 % of answered calls end within 6 s", 0.7),
        Reason("off_hours_share", None, "active hours are not known", 0.3),
    ),
    similar_blocked=(SimilarAccount("acc-8", 0.9),),
    similar_good=(SimilarAccount("acc-9", 0.5),),
)


@pytest.fixture
def candidate() -> Callable[..., Candidate]:
    def make(account_id: str = "acc-1", **changes: Any) -> Candidate:
        return replace(PLAIN, account_id=account_id, **changes)

    return make
