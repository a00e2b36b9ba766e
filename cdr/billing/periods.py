"""Billing periods: calendar months by the clock of the operator's zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from cdr.errors import WrongUse


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A calendar month; periods compare as they follow each other."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``2026-10``.

        Raises
        ------
        WrongUse
            If it is not a year and a month.
        """
        if not re.fullmatch(r"(19|20|21)\d\d-(0[1-9]|1[0-2])", text, re.ASCII):
            raise WrongUse("a period is a year and a month, such as 2026-10")
        return cls(int(text[:4]), int(text[5:]))

    def __str__(self) -> str:
        """Return ``2026-10``."""
        return f"{self.year:04d}-{self.month:02d}"

    def next(self) -> Period:
        """Return the month after."""
        return Period(self.year + self.month // 12, self.month % 12 + 1)

    def bounds(self, zone: str) -> tuple[datetime, datetime]:
        """Return its first instant and the first of the next one, in UTC."""
        after = self.next()
        return (
            day_begins(date(self.year, self.month, 1), zone),
            day_begins(date(after.year, after.month, 1), zone),
        )

    def utc_days(self, zone: str) -> list[date]:
        """List the UTC days that it touches, in order."""
        since, until = self.bounds(zone)
        count = (until - timedelta(microseconds=1)).date() - since.date()
        return [since.date() + timedelta(days=n) for n in range(count.days + 1)]


def day_begins(day: date, zone: str) -> datetime:
    """Return the first instant of a day in a zone, in UTC.

    Where the clocks skip midnight, it is the instant of the jump; where midnight occurs
    twice, the first of the two.
    """
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
