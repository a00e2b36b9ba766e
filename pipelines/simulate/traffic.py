"""Calls of one UTC day, drawn from the streams that are active on it.

The result is columns of numbers, one row a leg, without text; how a switch
writes them down belongs to the modules named after the switches.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np

from pipelines.simulate.destinations import Destinations
from pipelines.simulate.draws import Flags, Floats, Ints, Keys, hashed, unit
from pipelines.simulate.hours import DAY_MS, HOUR_MS
from pipelines.simulate.population import Population
from pipelines.simulate.profiles import Choice
from pipelines.simulate.streams import Streams

OVERDISPERSION = 3.0
"""Shape of the gamma factor on each account's day; the value is ours. Counts of calls vary
more than Poisson: Brown et al., "Multifactor Poisson and gamma-Poisson models", 2004."""

SHORT_CODE_SHARE = 0.002
ANSWERED_SHARES_OF_FAILURE = (0.55, 0.20, 0.14, 0.04, 0.07)
"""Unanswered calls: no answer, busy, cancelled, rejected, failed; ours."""

_CANCELLED_BELOW_MS = 4000


class Direction(IntEnum):
    """Which side of the call the account is on."""

    OUTBOUND = 0
    INBOUND = 1
    INTERNAL = 2


class Outcome(IntEnum):
    """How a leg ended; the names are those of the table ``calls``."""

    ANSWERED = 0
    NO_ANSWER = 1
    BUSY = 2
    CANCELLED = 3
    REJECTED = 4
    FAILED = 5


@dataclass(frozen=True, slots=True)
class Legs:
    """Legs of calls, one array entry each.

    Attributes
    ----------
    call : int64 array
        Number of the call in the day; legs of one call share it.
    leg : int64 array
        0 for the leg that decided the call, 1, 2, … for other attempts.
    account, direction, outcome : int64 array
    start_ms, ring_ms, talk_ms : int64 array
        UTC milliseconds since 1970; milliseconds; talk 0 when not answered.
    own, other : int64 array
        E.164 without plus; extensions for internal calls; 0 where the caller's
        number is withheld; ``other`` negative for a short code.
    other_pool : int64 array
        Pool of ``other``; -1 for own, withheld and short numbers.
    address : int64 array
        IPv4 address of the account's side.
    bits : uint64 array
        Hashed name of the call, from which switches make their identifiers.
    fraudulent : bool array
    """

    call: Ints
    leg: Ints
    account: Ints
    direction: Ints
    outcome: Ints
    start_ms: Ints
    ring_ms: Ints
    talk_ms: Ints
    own: Ints
    other: Ints
    other_pool: Ints
    address: Ints
    bits: Keys
    fraudulent: Flags

    def __len__(self) -> int:
        return len(self.call)

    def where(self, chosen: Flags | Ints) -> Legs:
        """Return the chosen rows."""
        return Legs(*(getattr(self, f.name)[chosen] for f in fields(self)))


def legs_of_day(
    streams: Streams, people: Population, destinations: Destinations, weights: Floats,
    day: int, midnight_ms: int, rng: np.random.Generator,
) -> Legs:  # fmt: skip
    """Draw the calls that start in one UTC day.

    Parameters
    ----------
    streams : Streams
    weights : float64 array, shape (curves, 24)
        ``hours.activity`` of the day.
    day : int
        Days since the first simulated one.
    midnight_ms : int
        Beginning of the day.
    """
    today = streams.during(midnight_ms, midnight_ms + DAY_MS)
    stream, start_ms = _starts(today, weights, midnight_ms, rng)
    count = len(stream)
    draw = rng.random(count)
    direction = np.where(draw < today.inbound_share[stream], Direction.INBOUND, Direction.OUTBOUND)
    inside = draw > 1 - today.internal_share[stream]
    direction = np.where(inside, Direction.INTERNAL, direction).astype(np.int64)
    account = today.account[stream]
    other, other_pool = _others(today, stream, direction, destinations, day, rng)
    outcome, ring_ms, talk_ms = _courses(today, stream, direction, rng)
    legs = Legs(
        call=np.arange(count), leg=np.zeros(count, dtype=np.int64), account=account,
        direction=direction, outcome=outcome, start_ms=start_ms, ring_ms=ring_ms,
        talk_ms=talk_ms, own=_owns(today, stream, people, direction, rng), other=other,
        other_pool=other_pool, address=_addresses(today, stream, rng),
        bits=hashed(rng.integers(0, 2**62, count), np.arange(count)),
        fraudulent=today.fraudulent[stream],
    )  # fmt: skip
    return _with_failed_attempts(legs, today.attempts[stream], rng)


def _starts(
    today: Streams, weights: Floats, midnight_ms: int, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Return the stream and the start of each call, by stream and time."""
    mean = today.rate * weights[today.curve].sum(axis=1)
    lasting = today.until_ms - today.from_ms > DAY_MS  # shorter ones have no days to vary over
    mean *= np.where(lasting, rng.gamma(OVERDISPERSION, 1 / OVERDISPERSION, len(mean)), 1.0)
    stream = np.repeat(np.arange(len(mean)), rng.poisson(mean))
    upto = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    curve, draw = today.curve[stream], rng.random(len(stream))
    hour = np.zeros(len(stream), dtype=np.int64)
    for h in range(23):
        hour += draw >= upto[curve, h]
    start_ms = midnight_ms + hour * HOUR_MS + rng.integers(0, HOUR_MS, len(stream))
    within = (start_ms >= today.from_ms[stream]) & (start_ms < today.until_ms[stream])
    stream, start_ms = stream[within], start_ms[within]
    order = np.lexsort((start_ms, stream))
    return stream[order], start_ms[order]


def _others(
    today: Streams, stream: Ints, direction: Ints, destinations: Destinations, day: int,
    rng: np.random.Generator,
) -> tuple[Ints, Ints]:  # fmt: skip
    """Return the other end of each call and its pool."""
    rank = _ranks(today, stream, direction, day, rng)
    key, old_key = today.key[stream], today.old_key[stream]
    kept = unit(hashed(old_key, rank ^ np.int64(0x5EED))) < today.kept[stream]
    key = np.where(kept, old_key, key)
    other, pool = destinations.contacts(key, rank, today.mix[stream], today.run[stream])
    inside = direction == Direction.INTERNAL
    other = np.where(inside, 200 + rank % 40, other)
    draw = rng.random(len(stream))
    hidden = (direction == Direction.INBOUND) & (draw < today.anonymous_share[stream])
    short = (direction == Direction.OUTBOUND) & (draw > 1 - SHORT_CODE_SHARE)
    short &= today.choice[stream] == Choice.HABIT
    other = np.where(hidden, 0, np.where(short, -1 - rank % 4, other))
    return other, np.where(inside | hidden | short, -1, pool)


def _ranks(
    today: Streams, stream: Ints, direction: Ints, day: int, rng: np.random.Generator
) -> Ints:
    """Return which contact each call is with.

    Habit draws ranks with weight near 1/rank (Zipf), by inverting its
    continuous form. Who calls a scanner back was scanned earlier that day.
    """
    count, contacts = len(stream), today.contacts[stream]
    draw = rng.random(count)
    habit = np.exp(draw * np.log(contacts + 1.0)).astype(np.int64) - 1
    listed = (draw * contacts).astype(np.int64)
    choice = today.choice[stream]
    rank = np.where(choice == Choice.HABIT, habit, listed)
    new = (rng.random(count) < today.new_share[stream]) & (choice == Choice.HABIT)
    strangers = contacts + rng.integers(0, 2**31, count)
    scanning = choice == Choice.SCAN
    if scanning.any():
        first = np.searchsorted(stream, stream, side="left")
        place = np.arange(count) - first
        place = np.where(direction == Direction.INBOUND, (draw * place).astype(np.int64), place)
        rank = np.where(scanning, day * 100_000 + place, rank)
    ranks: Ints = np.where(new, strangers, rank)
    return ranks


def _courses(
    today: Streams, stream: Ints, direction: Ints, rng: np.random.Generator
) -> tuple[Ints, Ints, Ints]:
    """Return outcome, ring time and talk time of each call."""
    count = len(stream)
    inbound = direction == Direction.INBOUND
    share = np.where(inbound, today.inbound_answered_share[stream], today.answered_share[stream])
    share = np.where(direction == Direction.INTERNAL, 0.75, share)
    answered = rng.random(count) < share
    upto = np.cumsum(ANSWERED_SHARES_OF_FAILURE)
    unanswered = 1 + np.searchsorted(upto[:-1], rng.random(count), side="right")
    outcome = np.where(answered, int(Outcome.ANSWERED), unanswered)
    ring_s = np.exp(today.ring_log[stream] + rng.normal(0.0, 0.5, count))
    waits = (outcome == Outcome.NO_ANSWER) & (today.ring_log[stream] > np.log(4.0))
    ring_s = np.where(waits, ring_s + 18.0, ring_s)
    ring_ms = (np.clip(ring_s, 0.2, 120.0) * 1000).astype(np.int64)
    given_up = (outcome == Outcome.NO_ANSWER) & (ring_ms < _CANCELLED_BELOW_MS)
    outcome = np.where(given_up, int(Outcome.CANCELLED), outcome)
    talk_s = np.exp(today.talk_log[stream] + today.talk_spread[stream] * rng.normal(size=count))
    talk_s = np.where(
        rng.random(count) < today.short_share[stream], rng.uniform(1.0, 6.0, count), talk_s
    )
    talk_s = np.clip(talk_s, 0.5, today.talk_max_s[stream])
    talk_ms = np.where(answered, (talk_s * 1000).astype(np.int64), 0)
    return outcome, ring_ms, talk_ms


def _owns(
    today: Streams, stream: Ints, people: Population, direction: Ints, rng: np.random.Generator
) -> Ints:
    """Return the account's own number in each call; the first is used most, some withhold it."""
    account = today.account[stream]
    draw = rng.random(len(account))
    owned = people.own_count[account]
    place = people.own_first[account] + (draw**1.5 * owned).astype(np.int64)
    extension = 200 + (draw * 40).astype(np.int64)
    withheld = rng.random(len(account)) < today.anonymous_share[stream]
    withheld &= direction == Direction.OUTBOUND
    number = np.where(withheld, 0, people.own_numbers[place])
    own: Ints = np.where(direction == Direction.INTERNAL, extension, number)
    return own


def _addresses(today: Streams, stream: Ints, rng: np.random.Generator) -> Ints:
    """Return the account's address in each call; one is usual, two others occur."""
    usual = np.minimum((rng.random(len(stream)) ** 4 * 3).astype(np.int64), 2)
    host = hashed(today.key[stream], usual + 7_000_000)
    address: Ints = today.network[stream] * 65_536 + (host % np.uint64(65_534)).astype(np.int64) + 1
    return address


def _with_failed_attempts(legs: Legs, mean: Floats, rng: np.random.Generator) -> Legs:
    """Put failed legs before the outbound calls of accounts whose routes fail over."""
    tries = np.where(legs.direction == Direction.OUTBOUND, rng.poisson(mean), 0)
    failed = legs.where(np.repeat(np.arange(len(legs)), tries))
    first = np.repeat(np.cumsum(tries) - tries, tries)
    leg = np.arange(len(failed)) - first + 1
    names = [f.name for f in fields(Legs)]
    changed = {
        "leg": leg,
        "outcome": np.full(len(failed), int(Outcome.FAILED)),
        "start_ms": failed.start_ms - 1500 * leg,
        "ring_ms": np.full(len(failed), 900),
        "talk_ms": np.zeros(len(failed), dtype=np.int64),
    }
    return Legs(
        *(
            np.concatenate([getattr(legs, name), changed.get(name, getattr(failed, name))])
            for name in names
        )
    )
