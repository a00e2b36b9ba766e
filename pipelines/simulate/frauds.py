"""Who defrauds, when it starts, and when the operator notices.

Behaviour is in :mod:`.profiles`; here is the calendar. Most fraudsters are caught
after some days, a part is not caught before the range ends: those are what
scoring should find.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from pipelines.simulate.draws import Ints
from pipelines.simulate.fraud_profiles import FRAUD_KINDS
from pipelines.simulate.hours import DAY_MS, HOUR_MS

NEVER = 2**62
"""An instant after everything, in milliseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How often a kind of fraud occurs and how it comes to light.

    Attributes
    ----------
    share : float
        Share of accounts, 0..1.
    floor : int
        Fewest accounts, whatever the size of the operator.
    caught_share : float
        Share 0..1 that the fraud team recognises in the end.
    delay_d : float
        Median days from the first fraudulent call to the block.
    fresh_share : float
        Share 0..1 that signed up a few days before; the others are sleepers.
    weekend_share : float
        Share 0..1 that begins on a Friday evening.
    office : bool
        Whether it begins on a working day, as its calls follow office hours.
    reason : str
        ``status_reason`` of the blocked account.
    """

    share: float
    floor: int
    caught_share: float
    delay_d: float
    fresh_share: float
    weekend_share: float = 0.0
    office: bool = False
    reason: str = "fraud"


# Together 1.4 % of accounts. Ours: CFCA 2023 gives losses (2.5 % of revenues), not accounts.
# Their order follows CFCA 2023 (application fraud and credit mules, PBX, take-over first)
# with more of the kinds a cloud operator's own customers commit. Delays are ours: IRSF
# shows in cost within a day, careful fraud in a week.
KINDS: dict[str, Kind] = {
    "irsf": Kind(0.0018, 3, 0.85, 0.8, 0.7, weekend_share=0.8),
    "irsf_evasive": Kind(0.0012, 3, 0.5, 6.0, 0.6, office=True),
    "wangiri": Kind(0.0010, 3, 0.7, 2.0, 0.8, office=True, reason="misuse"),
    "robocall": Kind(0.0018, 3, 0.7, 3.0, 0.7, office=True, reason="misuse"),
    "simbox": Kind(0.0012, 3, 0.6, 6.0, 0.6),
    "pbx_hacking": Kind(0.0016, 3, 0.75, 2.5, 0.0, weekend_share=1.0),
    "takeover": Kind(0.0016, 3, 0.75, 2.0, 0.0),
    "subscription_ring": Kind(0.0026, 4, 0.6, 5.0, 1.0),
    "returning": Kind(0.0014, 4, 0.55, 7.0, 0.5),
}
VICTIMS = ("pbx_hacking", "takeover")


@dataclass(frozen=True, slots=True)
class FraudPlan:
    """The calendar of every fraudulent account; arrays have one entry for each.

    Attributes
    ----------
    kind : int64 array
        Position in ``FRAUD_KINDS``.
    from_ms, blocked_ms, created_ms : int64 array
        First fraud, block (``NEVER`` when not caught), sign-up (-1 for an
        existing customer whose account is abused).
    group : int64 array
        Number of the ring or pair; -1 for those who act alone.
    predecessor : int64 array
        Position in this plan of the blocked account whose contacts are kept, or -1.
    """

    kind: Ints
    from_ms: Ints
    blocked_ms: Ints
    created_ms: Ints
    group: Ints
    predecessor: Ints


@dataclass(slots=True)
class _Rows:
    """Columns of the plan while it grows."""

    kind: list[int] = field(default_factory=list)
    from_ms: list[int] = field(default_factory=list)
    blocked_ms: list[int] = field(default_factory=list)
    created_ms: list[int] = field(default_factory=list)
    group: list[int] = field(default_factory=list)
    predecessor: list[int] = field(default_factory=list)

    def add(
        self, kind: str, start: int, blocked: int, created: int, group: int = -1, before: int = -1
    ) -> int:
        self.kind.append(FRAUD_KINDS.index(kind))
        self.from_ms.append(start)
        self.blocked_ms.append(blocked)
        self.created_ms.append(created)
        self.group.append(group)
        self.predecessor.append(before)
        return len(self.kind) - 1


def count_of(kind: str, accounts: int) -> int:
    """Return how many accounts of a kind an operator of that size has."""
    count = max(KINDS[kind].floor, round(accounts * KINDS[kind].share))
    return count + count % 2 if kind == "returning" else count


def plan_frauds(
    accounts: int, first_ms: int, last_ms: int, zone: str, rng: np.random.Generator
) -> FraudPlan:
    """Draw the calendar of all fraud in the half-open range of instants.

    Parameters
    ----------
    accounts : int
    first_ms, last_ms : int
        Range in milliseconds since 1970, UTC.
    zone : str
        IANA zone in which weekends are found.
    rng : numpy.random.Generator
    """
    span = _Span(first_ms, last_ms, zone)
    rows = _Rows()
    for kind in FRAUD_KINDS:
        if kind == "subscription_ring":
            _add_rings(rows, count_of(kind, accounts), span, rng)
        elif kind == "returning":
            _add_pairs(rows, count_of(kind, accounts) // 2, span, rng)
        else:
            _add_single(rows, kind, count_of(kind, accounts), span, rng)
    return FraudPlan(
        *(
            np.array(column, dtype=np.int64)
            for column in (
                rows.kind,
                rows.from_ms,
                rows.blocked_ms,
                rows.created_ms,
                rows.group,
                rows.predecessor,
            )
        )
    )


@dataclass(frozen=True, slots=True)
class _Span:
    first_ms: int
    last_ms: int
    zone: str

    def at(self, share: float) -> int:
        """Return the instant at a share 0..1 of the range."""
        return self.first_ms + round(share * (self.last_ms - self.first_ms))

    def fridays(self) -> list[int]:
        """Return Friday evenings, 20:00 local, with a night or more of the range after them."""
        info = ZoneInfo(self.zone)
        day = datetime.fromtimestamp(self.first_ms / 1000, UTC).astimezone(info).date()
        found = []
        for _ in range((self.last_ms - self.first_ms) // DAY_MS + 1):
            if day.weekday() == 4:
                local = datetime(day.year, day.month, day.day, 20, tzinfo=info)
                at = round(local.timestamp() * 1000)
                if self.first_ms <= at < self.last_ms - 12 * HOUR_MS:
                    found.append(at)
            day += timedelta(days=1)
        return found

    def working_morning(self, at: int) -> int:
        """Return 9:00 local of that day, or of the last working day before it in the range."""
        info = ZoneInfo(self.zone)
        local = datetime.fromtimestamp(at / 1000, info).replace(
            hour=9, minute=0, second=0, microsecond=0
        )
        while local.weekday() > 4:
            local -= timedelta(days=1)
        morning = round(local.timestamp()) * 1000
        return morning if morning >= self.first_ms else at


def _share_of_range(member: int, span: _Span, rng: np.random.Generator) -> float:
    """Where in the range a fraud starts: the first early, the second late, the rest anywhere."""
    days = max(1.0, (span.last_ms - span.first_ms) / DAY_MS)
    draw = float(rng.random())
    if member == 0:
        return 0.15 + 0.2 * draw
    if member == 1:
        return 1 - min(0.5, (2.0 + 4.0 * draw) / days)
    return 0.05 + 0.9 * draw


def _blocked(kind: str, start: int, member: int, span: _Span, rng: np.random.Generator) -> int:
    """Return the instant of the block; the first of a kind is caught, the second is not."""
    rules = KINDS[kind]
    delay_d = rules.delay_d * float(np.exp(rng.normal(0.0, 0.6)))
    caught = float(rng.random()) < rules.caught_share
    if member == 0:
        return min(start + round(delay_d * DAY_MS), start + (span.last_ms - start) // 2)
    blocked = start + round(delay_d * DAY_MS)
    return blocked if caught and member != 1 and blocked < span.last_ms else NEVER


def _created(kind: str, start: int, rng: np.random.Generator) -> int:
    """Return the sign-up of a fraudster, or -1 where an existing customer is abused."""
    if kind in VICTIMS:
        return -1
    fresh = float(rng.random()) < KINDS[kind].fresh_share
    days = float(rng.uniform(0.6, 6.0)) if fresh else float(rng.uniform(20.0, 250.0))
    return start - round(days * DAY_MS)


def _add_single(rows: _Rows, kind: str, count: int, span: _Span, rng: np.random.Generator) -> None:
    fridays = span.fridays()
    for member in range(count):
        start = span.at(_share_of_range(member, span, rng))
        if fridays and float(rng.random()) < KINDS[kind].weekend_share:
            pick = {0: 0, 1: len(fridays) - 1}.get(member, int(rng.integers(len(fridays))))
            start = fridays[pick] + round(float(rng.uniform(0, 5)) * HOUR_MS)
        if KINDS[kind].office:
            start = span.working_morning(start)
        rows.add(kind, start, _blocked(kind, start, member, span, rng), _created(kind, start, rng))


def _add_rings(rows: _Rows, count: int, span: _Span, rng: np.random.Generator) -> None:
    """Rings of three to six; members sign up one after the other, the later ones uncaught."""
    kind = "subscription_ring"
    sizes = _ring_sizes(count, rng)
    for ring, size in enumerate(sizes):
        reach = span.last_ms - DAY_MS
        start = span.at(0.1 + (0.15 if ring == 0 else 0.6) * float(rng.random()))
        for member in range(size):
            start = min(start, reach)
            blocked = _blocked(kind, start, member if ring == 0 else 2, span, rng)
            rows.add(kind, start, blocked, _created(kind, start, rng), group=ring)
            start += round(float(rng.uniform(0.5, 5.0)) * DAY_MS)


def _ring_sizes(count: int, rng: np.random.Generator) -> list[int]:
    sizes: list[int] = []
    while count > 0:
        size = count if count <= 6 else min(int(rng.integers(3, 7)), count - 3)
        sizes.append(size)
        count -= size
    return sizes


def _add_pairs(rows: _Rows, pairs: int, span: _Span, rng: np.random.Generator) -> None:
    """Add a blocked debtor, and the same person under another name some days later."""
    kind = "returning"
    for pair in range(pairs):
        start = span.at(0.02 + 0.2 * float(rng.random()))
        first_block = start + round(float(rng.uniform(0.15, 0.4)) * (span.last_ms - start))
        created = start - round(float(rng.uniform(25.0, 120.0)) * DAY_MS)
        group = 1_000_000 + pair
        before = rows.add(kind, start, first_block, created, group=group)
        back = first_block + round(float(rng.uniform(0.3, 3.0)) * DAY_MS)
        back = min(back, span.last_ms - DAY_MS)
        again = _blocked(kind, back, 1 if pair == 0 else 2, span, rng)
        rows.add(kind, back, again, back - HOUR_MS, group=group, before=before)
