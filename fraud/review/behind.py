"""What is behind a number of a case: which rows, in words, and how the number comes from them.

Here: the shape, and which kind of rows a signal is made from. Not here: the conditions
(`calls_behind`, `events_behind`, `others_behind`), reading (`slices`), pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from fraud.features.registry import Relation, Signal


class Rows(StrEnum):
    """Kinds of rows that a number can be made from; a page lists one of them."""

    CALLS = "calls"
    EVENTS = "events"
    TEXTS = "texts"
    NUMBERS = "numbers"
    TIES = "ties"


ROWS_OF = {
    Relation.DAYS: Rows.CALLS,
    Relation.CONTACTS: Rows.CALLS,
    Relation.PLACES: Rows.CALLS,
    Relation.HOURS: Rows.CALLS,
    Relation.WEEK_HOURS: Rows.CALLS,
    Relation.EVENTS: Rows.EVENTS,
    Relation.EVENT_PLACES: Rows.EVENTS,
    Relation.EVENT_STEPS: Rows.EVENTS,
    Relation.MESSAGES: Rows.TEXTS,
    Relation.SENT_TEMPLATES: Rows.TEXTS,
    Relation.NUMBERS: Rows.NUMBERS,
    Relation.ASSOCIATES: Rows.TIES,
}
"""Rows behind the signals of a relation; those of the account itself rest on its details."""


class Figure(StrEnum):
    """How a number comes from the rows that are listed."""

    COUNT = "count"
    """It is their number."""
    SHARE = "share"
    """It is their number, divided by that of all rows looked at."""
    THINGS = "things"
    """It is the number of different values in a column of theirs."""
    SHARE_OF_THINGS = "share_of_things"
    """It is that number, divided by the same of all rows looked at."""
    THINGS_EACH = "things_each"
    """It is that number, divided by the number of rows."""
    SHARE_OF_TIME = "share_of_time"
    """It is their talking time, divided by that of all rows looked at."""
    RESTS_ON = "rests_on"
    """It is worked out from them: a mean, a sum, a longest, a growth."""


@dataclass(frozen=True, slots=True)
class Behind:
    """Rows behind a number.

    Parameters
    ----------
    words : str
        What is listed: ``answered calls made of 6 s at most``.
    listed : pl.Expr
        Which of the account's rows; over all of the 30 days before the midnight.
    figure : Figure
        How the number comes from them.
    of_words : str
        What it is a share of: ``answered calls made``; empty where it is none.
    of : pl.Expr, optional
        Which rows these are.
    thing, thing_words : str
        Column whose different values are counted, and what these are; empty where none is.
    weight, of_weight : str
        Column that says how often a row counts, and a row of all; empty for once.
    """

    words: str
    listed: pl.Expr
    figure: Figure = Figure.COUNT
    of_words: str = ""
    of: pl.Expr | None = None
    thing: str = ""
    thing_words: str = ""
    weight: str = ""
    of_weight: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """The rows behind a number, and what they come to.

    Parameters
    ----------
    rows : pl.DataFrame
        Those listed, the newest first.
    count : int
        How many, each as often as it counts.
    of_count : int, optional
        The same of all that was looked at.
    things, of_things : int, optional
        Different values among them, and among all.
    time_ms, of_time_ms : int, optional
        Talking time of them, and of all.
    """

    rows: pl.DataFrame
    count: int
    of_count: int | None = None
    things: int | None = None
    of_things: int | None = None
    time_ms: int | None = None
    of_time_ms: int | None = None

    def value(self, figure: Figure) -> float | None:
        """Return the number that they make; None where that takes more than counting."""
        match figure:
            case Figure.COUNT:
                return float(self.count)
            case Figure.THINGS:
                return self.things
            case Figure.SHARE:
                return _part(self.count, self.of_count)
            case Figure.SHARE_OF_THINGS:
                return _part(self.things, self.of_things)
            case Figure.THINGS_EACH:
                return _part(self.things, self.count)
            case Figure.SHARE_OF_TIME:
                return _part(self.time_ms, self.of_time_ms)
            case Figure.RESTS_ON:
                return None


def _part(some: int | None, whole: int | None) -> float | None:
    return some / whole if some is not None and whole else None


def pick(rows: pl.DataFrame, wanted: Behind) -> Found:
    """Pick the rows behind a number out of all that an account has.

    Parameters
    ----------
    rows : pl.DataFrame
        All rows of the kind within 30 days before the midnight, the newest first.
    wanted : Behind
        Which.

    Returns
    -------
    Found
        Rows with an unknown condition are not listed.
    """
    listed = rows.filter(wanted.listed)
    whole = None if wanted.of is None else rows.filter(wanted.of)
    return Found(
        listed,
        _count(listed, wanted.weight),
        None if whole is None else _count(whole, wanted.of_weight),
        listed[wanted.thing].n_unique() if wanted.thing else None,
        whole[wanted.thing].n_unique() if wanted.thing and whole is not None else None,
        *(
            _time_ms(some) if wanted.figure is Figure.SHARE_OF_TIME else None
            for some in (listed, whole)
        ),
    )


def _time_ms(rows: pl.DataFrame | None) -> int | None:
    return None if rows is None else int(rows["duration_ms"].sum())


def _count(rows: pl.DataFrame, weight: str) -> int:
    return int(rows[weight].sum()) if weight else rows.height


def span(days: int) -> str:
    """Say how far a window looks back.

    Examples
    --------
    >>> span(1), span(7)
    ('on the last day', 'in the last 7 days')
    """
    return "on the last day" if days == 1 else f"in the last {days} days"


def stem(signal: Signal) -> str:
    """Return the name of a signal without its unit and window.

    Examples
    --------
    >>> from fraud.features.signals import SIGNALS
    >>> sorted({stem(signal) for signal in SIGNALS if signal.family == "durations"})[:2]
    ['call_duration_max', 'call_duration_mean']
    """
    return signal.name.rpartition("_")[0].removesuffix(f"_{signal.unit.suffix}")
