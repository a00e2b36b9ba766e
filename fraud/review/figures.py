"""How the team works, in figures for leads: age, lateness, overrides, care.

Reads the queue's database. What the figures are for: a decision that staff merely wave
through counts as an automated one (Court of Justice, C-634/21), so what shows whether
review is real is shown: overrides, time with the evidence, decisions within seconds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from django.db.models import Case as When_
from django.db.models import Count, IntegerField, Value, When

from fraud.candidates import BANDS
from fraud.review import models
from fraud.review.cases import UNDECIDED, Status
from fraud.review.decisions import Action
from fraud.review.missed import Missed, missed
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
    late: int
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
class Figures:
    """All of the leads' page."""

    ages: Sequence[tuple[str, Sequence[int]]]
    late: int
    open_count: int
    people: Sequence[Person]
    bands: Sequence[BandAgreement]
    override_share: float | None
    decided_count: int
    decided_late: int
    missed: Missed


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision of a person, with what the figures ask of it."""

    by: str
    action: str
    band: str | None
    looked_s: float | None
    sampled: bool
    night: date | None
    late: bool


def figures(
    *,
    now: datetime,
    staff: models.Staff,
    below: Callable[[Collection[date]], float | None],
) -> Figures:
    """Return the figures of a person's scope as of now; decisions of the last 30 days.

    Parameters
    ----------
    now : datetime
        UTC instant.
    staff : Staff
        Only cases of this person's countries and plans count.
    below : callable
        Says how many accounts of the scope lay below the threshold on some nights; see
        :func:`fraud.review.missed.below_threshold`.
    """
    cases = models.Case.objects.in_scope(staff)
    waiting = cases.filter(status__in=UNDECIDED)
    awake = waiting.exclude(status__in=(Status.WAITING, Status.SUSPENDED))
    decided = _decided(cases, now)
    final = [one for one in decided if one.action in FINAL]
    against = sum(against_score(one.action, one.band) for one in final)
    sample = [one for one in final if one.sampled]
    nights = {one.night for one in sample if one.night is not None}
    return Figures(
        ages=_ages(waiting, now),
        late=awake.filter(due_at__lt=now).count(),
        open_count=waiting.count(),
        people=_people(decided),
        bands=_bands(final),
        override_share=against / len(final) if final else None,
        decided_count=len(decided),
        decided_late=sum(one.late for one in decided),
        missed=missed(
            decided=len(sample),
            confirmed=_confirmed(sample),
            caught=_confirmed(final) - _confirmed(sample),
            below=below(nights) if nights else None,
        ),
    )


def _confirmed(decided: Sequence[Decided]) -> int:
    return sum(one.action == Action.CONFIRM_BLOCK for one in decided)


def _decided(cases: models.CaseRows, now: datetime) -> list[Decided]:
    rows = models.CaseEvent.objects.filter(
        at__gte=now - LOOK_BACK, action__in=sorted(DECISIONS), case__in=cases
    ).exclude(pk__in=_taken_back(now))
    columns = (
        "by", "action", "evidence__band", "looked_s", "case__sampled", "evidence__as_of_date",
        "at", "due_at",
    )  # fmt: skip
    return [
        Decided(by, action, band, looked_s, sampled, night, due_at is not None and at > due_at)
        for by, action, band, looked_s, sampled, night, at, due_at in rows.values_list(*columns)
    ]


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


def _people(decided: Sequence[Decided]) -> list[Person]:
    by_name = defaultdict(list)
    for one in decided:
        by_name[one.by].append(one)
    people = []
    for name, theirs in sorted(by_name.items()):
        actions = Counter(one.action for one in theirs)
        looked = [one.looked_s for one in theirs if one.looked_s is not None]
        people.append(
            Person(
                name,
                decisions=len(theirs),
                cleared=actions[Action.CLEAR],
                suspended=actions[Action.SUSPEND] + actions[Action.CONFIRM_BLOCK],
                against_score=sum(
                    against_score(one.action, one.band) for one in theirs if one.action in FINAL
                ),
                late=sum(one.late for one in theirs),
                looked_median_s=median(looked) if looked else None,
                hasty=sum(1 for one in theirs if one.looked_s is None or one.looked_s < HASTY_S),
            )
        )
    return people


def _bands(final: Sequence[Decided]) -> list[BandAgreement]:
    found = []
    for band in reversed(BANDS):
        of_band = [one for one in final if one.band == band]
        confirmed = _confirmed(of_band)
        share = confirmed / len(of_band) if of_band else None
        found.append(BandAgreement(band, len(of_band), confirmed, share))
    return found
