"""Reasons are few, distinct, add up, and name only what a person can see."""

from __future__ import annotations

import numpy as np
import pytest

from fraud.reasons import Vocabulary, reasons_of
from fraud.signal_set import signal_set

ALL = signal_set(()).by_name
NAMES = (
    "abroad_share_7d",
    "abroad_share_30d",
    "answer_seizure_share_7d",
    "outbound_calls_count_7d",
    "identity_evidence_bits",
)
GOOD = {
    "abroad_share_7d": 0.02,
    "abroad_share_30d": 0.02,
    "answer_seizure_share_7d": 0.6,
    "outbound_calls_count_7d": 38.0,
    "identity_evidence_bits": 0.0,
}
WORDS = Vocabulary({name: ALL[name] for name in NAMES}, GOOD)


def reasons(parts: list[float], *values: float | None, shared: str | None = None) -> list[tuple]:
    found = reasons_of(dict(zip(NAMES, values, strict=True)), np.array(parts), WORDS, shared)
    return [(reason.signal, round(reason.share, 3), reason.text) for reason in found]


def test_a_family_speaks_once_through_its_strongest_member() -> None:
    found = reasons([0.1, 0.2, 0.0, 0.1, 0.0], 0.9, 0.8, 0.6, 400.0, None)
    assert found == [
        (
            "abroad_share_30d",
            0.75,
            "80 % of its calls went to other countries than its own in the last 30 days "
            "(good accounts: 2.0 %)",
        ),
        ("outbound_calls_count_7d", 0.25, "400 calls made in the last 7 days (good accounts: 38)"),
    ]


def test_what_speaks_against_is_no_reason_but_counts_in_the_whole() -> None:
    found = reasons([0.3, 0.0, -0.1, 0.0, 0.0], 0.9, 0.9, 0.9, 38.0, None)
    assert [(signal, share) for signal, share, _ in found] == [("abroad_share_7d", 0.75)]


@pytest.mark.parametrize("value", [None, 38.4], ids=["unknown", "as good accounts"])
def test_what_shows_no_difference_is_no_reason(value: float | None) -> None:
    assert reasons([0.0, 0.0, 0.0, 0.3, 0.0], 0.02, 0.02, 0.6, value, None) == []


def test_what_is_shared_with_a_blocked_account_is_said_in_its_words() -> None:
    found = reasons([0.0, 0.0, 0.0, 0.0, 0.3], 0.0, 0.0, 0.6, 38.0, 13.0, shared="shares a device")
    assert found == [("identity_evidence_bits", 1.0, "shares a device")]
