"""Numbers of rules that no signal has: said like signals, so that a case can show what is behind.

Here: what they are. Not here: how rules find them (`hits`).
"""

from __future__ import annotations

from dataclasses import replace

from fraud.features.registry import Signal
from fraud.features.signals import SIGNALS

TEST_NUMBER_DAYS = 2
"""UTC days in which a call to a test number counts: attacks follow by 30 min to 24 h (product
design, "test-number hit"), so that one before midnight is about the day after too."""

_ONE_DAY = next(one for one in SIGNALS if one.name == "test_number_calls_count_1d")

TEST_NUMBER_CALLS = replace(
    _ONE_DAY, name="test_number_calls_count_2d", window_days=TEST_NUMBER_DAYS
)

NUMBERS: tuple[Signal, ...] = (TEST_NUMBER_CALLS,)
"""All of them. Their `sql` is not run: the night does not measure them for every account."""
