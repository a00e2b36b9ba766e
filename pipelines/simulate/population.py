"""The accounts: where they are, what they are, when they come and go.

What they are called is in :mod:`.identities`, how they call in :mod:`.streams`.
Nothing an operator would not know may reach its files from here: ``fraud`` and
``lookalike`` go to the truth only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.simulate.destinations import Destinations
from pipelines.simulate.draws import Flags, Floats, Ints, Keys, Part, generator, hashed
from pipelines.simulate.fraud_profiles import FRAUD_KINDS
from pipelines.simulate.frauds import KINDS, NEVER, FraudPlan, plan_frauds
from pipelines.simulate.hours import DAY_MS
from pipelines.simulate.places import HOMES, SWITCHES, ZONES
from pipelines.simulate.profiles import LOOKALIKE_KINDS, ORDINARY, ORDINARY_SHARES

LOOKALIKE_SHARE = 0.007
"""Share of accounts of each look-alike; ours, so that each outnumbers the fraud it resembles."""

LOOKALIKE_FLOOR = 2
_MEAN_AGE_D = 700.0
_MONTHLY_SIGN_UPS = 0.03
_OWN_SWITCH_SHARE = 0.9

STATUSES = ("active", "suspended", "blocked", "closed")


@dataclass(frozen=True, slots=True)
class Population:
    """All accounts, one array entry each; instants in milliseconds since 1970, UTC.

    Attributes
    ----------
    ids : pl.Series of String
        Account identifiers, unrelated to kind and age.
    home, zone, source, segment : int64 array
        Positions in ``HOMES``, ``ZONES``, ``SWITCHES``, ``ORDINARY``.
    fraud, lookalike : int64 array
        Positions in ``FRAUD_KINDS`` and ``LOOKALIKE_KINDS``; -1 for none.
    created_ms : int64 array
    fraud_from_ms, blocked_ms : int64 array
        ``NEVER`` where there is none.
    end_ms : int64 array
        From here on the account makes no calls; ``NEVER`` while it is active.
    status : int64 array
        Position in ``STATUSES`` at the end of the range.
    reason : pl.Series of String
        Why it has that status; null for active accounts.
    group, predecessor : int64 array
        Ring or pair, and the account whose contacts are kept; -1 for none.
    key : uint64 array
        Root of everything hashed for the account.
    own_first, own_count : int64 array
        The account's part of ``own_numbers``.
    own_numbers : int64 array
        E.164 without plus sign, all different.
    """

    ids: pl.Series
    home: Ints
    zone: Ints
    source: Ints
    segment: Ints
    fraud: Ints
    lookalike: Ints
    created_ms: Ints
    fraud_from_ms: Ints
    blocked_ms: Ints
    end_ms: Ints
    status: Ints
    reason: pl.Series
    group: Ints
    predecessor: Ints
    key: Keys
    own_first: Ints
    own_count: Ints
    own_numbers: Ints

    def __len__(self) -> int:
        return len(self.home)


def build_population(
    accounts: int, first_ms: int, last_ms: int, seed: int, destinations: Destinations
) -> Population:
    """Draw the accounts of an operator for the half-open range of instants."""
    rng = generator(seed, Part.POPULATION)
    home, zone, source = _places(accounts, rng)
    segment = rng.choice(len(ORDINARY), size=accounts, p=ORDINARY_SHARES)
    plan = plan_frauds(accounts, first_ms, last_ms, "Europe/Berlin", generator(seed, Part.FRAUD))
    order = rng.permutation(accounts)
    bad = order[: len(plan.kind)]
    lookalike = _lookalikes(order[len(plan.kind) :], accounts)
    fraud = _placed(accounts, bad, plan.kind, -1)
    created_ms = _created(accounts, lookalike, first_ms, last_ms, rng)
    created_ms[bad] = np.where(plan.created_ms == -1, created_ms[bad], plan.created_ms)
    victims = bad[plan.created_ms == -1]
    created_ms[victims] = np.minimum(created_ms[victims], first_ms - 30 * DAY_MS)
    blocked_ms = _placed(accounts, bad, plan.blocked_ms, NEVER)
    status, end_ms, reason = _statuses(fraud, blocked_ms, created_ms, first_ms, last_ms, rng)
    home, zone, source = _together(bad, plan, home, zone, source)
    key = hashed(rng.integers(0, 2**62, size=accounts), np.arange(accounts))
    own_count = _own_counts(fraud, lookalike, rng)
    return Population(
        ids=_ids(accounts, rng), home=home, zone=zone, source=source, segment=segment,
        fraud=fraud, lookalike=lookalike, created_ms=created_ms,
        fraud_from_ms=_placed(accounts, bad, plan.from_ms, NEVER), blocked_ms=blocked_ms,
        end_ms=end_ms, status=status, reason=reason,
        group=_placed(accounts, bad, plan.group, -1),
        predecessor=_placed(
            accounts, bad, np.where(plan.predecessor < 0, -1, bad[plan.predecessor]), -1
        ),
        key=key, own_first=np.cumsum(own_count) - own_count, own_count=own_count,
        own_numbers=_own_numbers(home, own_count, destinations, rng),
    )  # fmt: skip


def _placed(accounts: int, where: Ints, values: Ints, otherwise: int) -> Ints:
    column = np.full(accounts, otherwise, dtype=np.int64)
    column[where] = values
    return column


def _ids(accounts: int, rng: np.random.Generator) -> pl.Series:
    floor = 10 ** max(6, len(str(accounts)))
    return ("C" + pl.Series("account_id", floor + rng.permutation(accounts)).cast(pl.String)).alias(
        "account_id"
    )


def _places(accounts: int, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    weights: Floats = np.array([home.weight for home in HOMES])
    home = rng.choice(len(HOMES), size=accounts, p=weights / weights.sum())
    zones = [[ZONES.index(zone) for zone in h.zones] for h in HOMES]
    draw = rng.random(accounts)
    zone = np.array([zones[h][int(u * len(zones[h]))] for h, u in zip(home, draw, strict=True)])
    names = [switch.name for switch in SWITCHES]
    usual = np.array([names.index(h.source) for h in HOMES])[home]
    other = rng.integers(0, len(SWITCHES), size=accounts)
    source = np.where(rng.random(accounts) < _OWN_SWITCH_SHARE, usual, other)
    return home, zone, source


def _lookalikes(free: Ints, accounts: int) -> Ints:
    each = max(LOOKALIKE_FLOOR, round(accounts * LOOKALIKE_SHARE))
    column = np.full(accounts, -1, dtype=np.int64)
    for kind in range(len(LOOKALIKE_KINDS)):
        column[free[kind * each : (kind + 1) * each]] = kind
    return column


def _created(
    accounts: int, lookalike: Ints, first_ms: int, last_ms: int, rng: np.random.Generator
) -> Ints:
    span = last_ms - first_ms
    age_d = np.minimum(rng.exponential(_MEAN_AGE_D, accounts), 3000.0) + 1.0
    created = first_ms - (age_d * DAY_MS).astype(np.int64)
    new = rng.random(accounts) < _MONTHLY_SIGN_UPS * span / (30 * DAY_MS)
    new &= (lookalike == -1) | (lookalike == LOOKALIKE_KINDS.index("call_centre"))
    during = first_ms + (rng.random(accounts) * span).astype(np.int64)
    early = first_ms + ((0.15 + 0.5 * rng.random(accounts)) * span).astype(np.int64)
    created = np.where(new, during, created)
    heavy: Flags = lookalike == LOOKALIKE_KINDS.index("new_heavy")
    placed: Ints = np.where(heavy, early, created)
    return placed


def _statuses(
    fraud: Ints, blocked_ms: Ints, created_ms: Ints, first_ms: int, last_ms: int,
    rng: np.random.Generator,
) -> tuple[Ints, Ints, pl.Series]:  # fmt: skip
    """Return status, last instant of traffic, and reason.

    The shares of innocent accounts that are closed, blocked or suspended over
    unpaid bills are ours; a third of them are so before the range begins.
    """
    accounts = len(fraud)
    draw = np.where(fraud == -1, rng.random(accounts), 1.0)
    since = first_ms + ((rng.random(accounts) * 1.5 - 0.5) * (last_ms - first_ms)).astype(np.int64)
    since = np.maximum(since, created_ms + DAY_MS // 8)
    draw = np.where(since < last_ms, draw, 1.0)
    caught = blocked_ms < NEVER
    bounds = {"closed": 0.02, "blocked": 0.028, "suspended": 0.036}
    named = np.searchsorted(np.array(list(bounds.values())), draw, side="right")
    innocent = np.array([3, 2, 1, 0])[named]
    status = np.where(caught, STATUSES.index("blocked"), innocent)
    end_ms = np.where(caught, blocked_ms, np.where(innocent > 0, since, NEVER))
    reasons = np.array(["customer", "payment", "payment", None], dtype=object)[named]
    fraud_reasons = np.array([KINDS[kind].reason for kind in FRAUD_KINDS], dtype=object)
    reasons = np.where(caught, fraud_reasons[fraud], reasons)
    return status, end_ms, pl.Series("status_reason", reasons.tolist(), dtype=pl.String)


def _together(
    bad: Ints, plan: FraudPlan, home: Ints, zone: Ints, source: Ints
) -> tuple[Ints, Ints, Ints]:
    """Give members of a ring and a returning person the country of their first account."""
    home, zone, source = home.copy(), zone.copy(), source.copy()
    for group in np.unique(plan.group[plan.group >= 0]):
        members = bad[plan.group == group]
        home[members], zone[members] = home[members[0]], zone[members[0]]
        source[members] = source[members[0]]
    return home, zone, source


def _own_counts(fraud: Ints, lookalike: Ints, rng: np.random.Generator) -> Ints:
    """Numbers by account: a few for most, dozens for those who show many; ours."""
    accounts = len(fraud)
    counts: Ints = 1 + rng.poisson(1.3, accounts).astype(np.int64)
    many = np.isin(fraud, [FRAUD_KINDS.index(k) for k in ("robocall", "simbox", "wangiri")])
    many |= np.isin(lookalike, [LOOKALIKE_KINDS.index(k) for k in ("call_centre", "new_heavy")])
    return np.where(many, rng.integers(6, 26, accounts), counts)


def _own_numbers(
    home: Ints, own_count: Ints, destinations: Destinations, rng: np.random.Generator
) -> Ints:
    owner_home = np.repeat(home, own_count)
    fixed = np.array([destinations.pools.index(h.code, "fixed") for h in HOMES])
    mobile = np.array([destinations.pools.index(h.code, "mobile") for h in HOMES])
    is_mobile = rng.random(len(owner_home)) < 0.25
    pool = np.where(is_mobile, mobile[owner_home], fixed[owner_home])
    numbers = np.zeros(len(pool), dtype=np.int64)
    again = np.arange(len(pool))
    while len(again):
        bits = hashed(rng.integers(0, 2**62, len(again)), again)
        numbers[again] = destinations.pools.numbers(pool[again], bits)
        _, first = np.unique(numbers, return_index=True)
        again = np.setdiff1d(np.arange(len(pool)), first, assume_unique=True)
    return numbers
