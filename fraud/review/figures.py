"""How the team works, in figures for leads: age, lateness, overrides, care.

Reads the queue's database. What the figures are for: a decision that staff merely wave
through counts as an automated one (Court of Justice, C-634/21), so what shows whether
review is real is shown: overrides, time with the evidence, decisions within seconds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt
from statistics import median

from django.db.models import Case as When_
from django.db.models import Count, IntegerField, Value, When

from fraud.candidates import BANDS
from fraud.review import models
from fraud.review.cases import UNDECIDED, Status
from fraud.review.decisions import Action
from fraud.review.outbox import DECISIONS

LOOK_BACK = timedelta(days=30)
HASTY_S = 10.0
"""Seconds within which nobody reads a case. Ours: its reasons alone take longer to read."""

AGES = (
    ("under 1 day", timedelta(days=1)),
    ("1 to 3 days", timedelta(days=3)),
    ("3 to 7 days", timedelta(days=7)),
    ("7 days and more", None),
)

FINAL = (Action.CLEAR, Action.CONFIRM_BLOCK)


@dataclass(frozen=True, slots=True)
class Person:
    """What one person decided in the last 30 days; seconds are None without a look."""

    name: str
    decisions: int
    cleared: int
    suspended: int
    against_score: int
    looked_median_s: float | None
    hasty: int


@dataclass(frozen=True, slots=True)
class BandAgreement:
    """Final decisions on cases of one band, and the share in 0..1 that confirmed fraud."""

    band: str
    decided: int
    confirmed: int
    confirmed_share: float | None


@dataclass(frozen=True, slots=True)
class Missed:
    """Fraud among the random sample below the threshold, with its 95 % interval (Wilson)."""

    decided: int
    confirmed: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """All of the leads' page."""

    ages: Sequence[tuple[str, Sequence[int]]]
    late: int
    open_count: int
    people: Sequence[Person]
    bands: Sequence[BandAgreement]
    override_share: float | None
    missed: Missed


def figures(*, now: datetime) -> Figures:
    """Return the figures as of now; decisions of the last 30 days."""
    waiting = models.Case.objects.filter(status__in=UNDECIDED)
    awake = waiting.exclude(status__in=(Status.WAITING, Status.SUSPENDED))
    events = list(
        models.CaseEvent.objects.filter(at__gte=now - LOOK_BACK, action__in=sorted(DECISIONS))
        .exclude(pk__in=_taken_back(now))
        .values_list("by", "action", "evidence__band", "looked_s", "case__sampled")
    )
    final = [e for e in events if e[1] in FINAL]
    against = sum(against_score(action, band) for _, action, band, _, _ in final)
    return Figures(
        ages=_ages(waiting, now),
        late=awake.filter(due_at__lt=now).count(),
        open_count=waiting.count(),
        people=_people(events),
        bands=_bands(final),
        override_share=against / len(final) if final else None,
        missed=_missed(final),
    )


def _taken_back(now: datetime) -> list[int]:
    """Return the decisions that were taken back: the last one before each undo."""
    found = []
    undone = models.CaseEvent.objects.filter(at__gte=now - LOOK_BACK, action=Action.UNDO)
    for case_id, pk in undone.values_list("case_id", "pk"):
        earlier = models.CaseEvent.objects.filter(
            case_id=case_id, pk__lt=pk, action__in=sorted(DECISIONS)
        )
        found += list(earlier.order_by("-pk").values_list("pk", flat=True)[:1])
    return found


def against_score(action: str, band: str | None) -> bool:
    """Say whether a final decision goes against the score.

    Examples
    --------
    >>> against_score("clear", "high"), against_score("confirm_block", "low")
    (True, True)
    >>> against_score("clear", "low"), against_score("clear", "medium")
    (False, False)
    """
    if action == Action.CLEAR:
        return band == "high"
    return band in {"low", "unknown"}


def _ages(waiting: models.CaseRows, now: datetime) -> list[tuple[str, list[int]]]:
    steps = [
        When(opened_at__gt=now - longest, then=Value(place))
        for place, (_, longest) in enumerate(AGES)
        if longest is not None
    ]
    age = When_(*steps, default=Value(len(AGES) - 1), output_field=IntegerField())
    counted = waiting.annotate(age=age).values_list("band", "age").annotate(n=Count("pk"))
    cells = {(band, age): n for band, age, n in counted}
    return [
        (band, [cells.get((band, place), 0) for place in range(len(AGES))])
        for band in reversed(BANDS)
    ]


def _people(events: Sequence[tuple[str, str, str | None, float | None, bool]]) -> list[Person]:
    by_name = defaultdict(list)
    for event in events:
        by_name[event[0]].append(event)
    people = []
    for name, theirs in sorted(by_name.items()):
        actions = Counter(action for _, action, _, _, _ in theirs)
        looked = [s for _, _, _, s, _ in theirs if s is not None]
        people.append(
            Person(
                name,
                decisions=len(theirs),
                cleared=actions[Action.CLEAR],
                suspended=actions[Action.SUSPEND] + actions[Action.CONFIRM_BLOCK],
                against_score=sum(against_score(a, b) for _, a, b, _, _ in theirs if a in FINAL),
                looked_median_s=median(looked) if looked else None,
                hasty=sum(1 for _, _, _, s, _ in theirs if s is None or s < HASTY_S),
            )
        )
    return people


def _bands(
    final: Sequence[tuple[str, str, str | None, float | None, bool]],
) -> list[BandAgreement]:
    found = []
    for band in reversed(BANDS):
        actions = [action for _, action, of, _, _ in final if of == band]
        confirmed = actions.count(Action.CONFIRM_BLOCK)
        share = confirmed / len(actions) if actions else None
        found.append(BandAgreement(band, len(actions), confirmed, share))
    return found


def _missed(final: Sequence[tuple[str, str, str | None, float | None, bool]]) -> Missed:
    actions = [action for _, action, _, _, sampled in final if sampled]
    confirmed = actions.count(Action.CONFIRM_BLOCK)
    if not actions:
        return Missed(0, 0, None, None, None)
    low, high = wilson(confirmed, len(actions))
    return Missed(len(actions), confirmed, confirmed / len(actions), low, high)


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share by Wilson's score method (JASA 22, 1927).

    Examples
    --------
    >>> [round(end, 3) for end in wilson(1, 10)]
    [0.018, 0.404]
    """
    z = 1.959963985
    share, wide = hits / n, z * z / n
    middle = (share + wide / 2) / (1 + wide)
    half = z * sqrt(share * (1 - share) / n + wide / (4 * n)) / (1 + wide)
    return max(0.0, middle - half), min(1.0, middle + half)
