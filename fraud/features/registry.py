"""What a signal is: one number about one account as of one midnight.

Here: the shape of a signal and the words its SQL is written in. Not here: the
signals themselves (one module a family), how they are computed
(:mod:`fraud.features.window`) or put into words (:mod:`fraud.features.words`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

WINDOWS = (1, 7, 30)
"""Days a signal looks back, from the midnight; product design, "The behavioural signals"."""


class Unit(StrEnum):
    """What a signal is measured in; the last word of its name before the window."""

    SHARE = "share 0..1"
    SECONDS = "s"
    COUNT = "count"
    USD = "USD"
    RATIO = "ratio"
    DAYS = "days"
    NATS = "nats"

    @property
    def suffix(self) -> str:
        """Return how a name ends that is measured in this."""
        return {Unit.SHARE: "share", Unit.USD: "usd"}.get(self, self.value)


class Direction(StrEnum):
    """On which side a value is suspicious."""

    HIGHER = "higher"
    LOWER = "lower"


class Relation(StrEnum):
    """What a signal's expressions aggregate; ``sql/<value>.sql`` says what its rows are."""

    SUBJECTS = "subjects"
    DAYS = "days"
    CONTACTS = "contacts"
    PLACES = "places"
    HOURS = "hours"
    WEEK_HOURS = "week_hours"
    EVENTS = "events"
    EVENT_PLACES = "event_places"
    EVENT_STEPS = "event_steps"
    MESSAGES = "messages"
    NUMBERS = "numbers"
    ASSOCIATES = "associates"
    SENT_TEMPLATES = "sent_templates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One number about one account as of one midnight; null means unknown, never 0.

    Parameters
    ----------
    name : str
        Ends with its unit and window: ``answer_seizure_share_7d``.
    family : str
        Module it stands in.
    relation : Relation
        What ``sql`` and ``count_sql`` aggregate.
    unit : Unit
        Of the value.
    window_days : int
        1, 7 or 30: rows of that many UTC days before the midnight are seen. What
        a signal compares its window with may reach back 30 days.
    sql : str
        Aggregate expression of the value.
    count_sql : str
        Aggregate expression of how much the value rests on.
    minimum_count : int
        Below it the value is null.
    meaning : str
        Words of a reason, with ``{value}`` and, for what it is a part of, ``{n}``.
    source : str
        Published reference, or "ours, because ...".
    direction : Direction, optional
        On which side it is suspicious; None where either or neither is.
    threshold : float, optional
        Published value from which it is suspicious, in ``unit``.
    counted : str, optional
        Signal that holds ``{n}``.
    """

    name: str
    family: str
    relation: Relation
    unit: Unit
    window_days: int
    sql: str
    count_sql: str
    minimum_count: int
    meaning: str
    source: str
    direction: Direction | None = None
    threshold: float | None = None
    counted: str | None = None


def total(column: str, days: int) -> str:
    """Return SQL for the sum of a column of days or hours over the window; null without rows."""
    return f"SUM({column}){_within(days)}"


def earlier(column: str, days: int) -> str:
    """Return SQL for the sum of a column over the days before the window; null without rows."""
    return f"SUM({column}) FILTER (WHERE window_days > {days})"


def largest(column: str, days: int) -> str:
    """Return SQL for the largest value of a column over the window; null without rows."""
    return f"MAX({column}){_within(days)}"


def rows(days: int, condition: str = "TRUE") -> str:
    """Return SQL for the number of events within the window that meet ``condition``."""
    return f"COUNT(*) FILTER (WHERE days_ago <= {days} AND {condition})"


def _within(days: int) -> str:
    """Return the filter of a window; the longest one sees all rows."""
    return "" if days == max(WINDOWS) else f" FILTER (WHERE window_days <= {days})"
