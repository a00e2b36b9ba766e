"""Billing periods by the clock of the operator's zone."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from cdr.billing.periods import Period, day_begins
from cdr.errors import WrongUse


def test_a_month_begins_and_ends_at_midnight_of_the_zone() -> None:
    since, until = Period(2026, 10).bounds("Europe/Berlin")
    assert since == datetime(2026, 9, 30, 22, tzinfo=UTC)  # summer time
    assert until == datetime(2026, 10, 31, 23, tzinfo=UTC)  # winter time


def test_a_day_whose_midnight_was_skipped_begins_at_the_jump() -> None:
    assert day_begins(date(2018, 11, 4), "America/Sao_Paulo") == datetime(
        2018, 11, 4, 3, tzinfo=UTC
    )


def test_days_of_a_period_are_the_utc_days_it_touches() -> None:
    days = Period(2026, 10).utc_days("Europe/Berlin")
    assert (days[0], days[-1], len(days)) == (date(2026, 9, 30), date(2026, 10, 31), 32)
    assert len(Period(2026, 10).utc_days("UTC")) == 31


@pytest.mark.parametrize("text", ["2026-13", "2026-1", "202610", "", "2026-10-01", "\uff12026-10"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(WrongUse, match="2026-10"):
        Period.parse(text)


def test_december_is_followed_by_january() -> None:
    assert str(Period(2026, 12).next()) == "2027-01"
    assert Period(2026, 12) < Period(2027, 1)
