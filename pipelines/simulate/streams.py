"""Streams of calls: which account behaves by which profile from when until when.

An ordinary account is one stream. A fraudster has its cover and, from the first
fraud to the block, what it came for; a hacked customer goes on with its own
calls beside the intruder's. Calls are drawn from streams in :mod:`.traffic`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from pipelines.simulate.destinations import Destinations
from pipelines.simulate.draws import Flags, Floats, Ints, Keys, Part, generator, hashed
from pipelines.simulate.fraud_profiles import COVER, FRAUD_KINDS, FRAUDS
from pipelines.simulate.frauds import VICTIMS
from pipelines.simulate.hours import DAY_MS, HOUR_MS, curve_index
from pipelines.simulate.places import FAMILY_ABROAD, HIGH_RISK, HOMES, HOSTING_NETWORKS
from pipelines.simulate.population import Population
from pipelines.simulate.profiles import HOLIDAY_AWAY, LOOKALIKE_KINDS, LOOKALIKES, ORDINARY, Profile

_KEPT_BY_RETURNING = 0.75
_KEPT_BY_RING = 0.3
_FRAUD_SALT = 1  # tests share it with the attack, so that they reach the same numbers
_SCAN_SALT = 2


@dataclass(frozen=True, slots=True)
class Streams:
    """Parameters of every stream, one array entry each; see ``Profile`` for their units.

    ``account`` is a position in the population, ``curve`` a row of
    ``hours.activity``, ``mix`` a row of ``Destinations``; ``key`` and ``old_key``
    name the contacts, of which the share ``kept`` is the old ones; ``network``
    is the upper half of the caller's address; ``tests`` are the calls that try a range
    before an attack; ``fraudulent`` is for the truth.
    """

    account: Ints
    rate: Floats
    curve: Ints
    from_ms: Ints
    until_ms: Ints
    mix: Ints
    key: Keys
    old_key: Keys
    kept: Floats
    contacts: Ints
    new_share: Floats
    inbound_share: Floats
    internal_share: Floats
    answered_share: Floats
    inbound_answered_share: Floats
    talk_log: Floats
    talk_spread: Floats
    talk_max_s: Floats
    short_share: Floats
    ring_log: Floats
    choice: Ints
    run: Ints
    attempts: Floats
    anonymous_share: Floats
    network: Ints
    tests: Flags
    fraudulent: Flags

    def __len__(self) -> int:
        return len(self.account)

    def during(self, first_ms: int, last_ms: int) -> Streams:
        """Return the streams that are active somewhere in the half-open range."""
        active = (self.from_ms < last_ms) & (self.until_ms > first_ms)
        return Streams(*(getattr(self, f.name)[active] for f in fields(self)))


class _Builder:
    """Adds the streams of one profile after the other."""

    def __init__(self, people: Population, destinations: Destinations, seed: int) -> None:
        self.people = people
        self.destinations = destinations
        self.rng = generator(seed, Part.STREAMS)
        self.parts: list[Streams] = []
        networks = [home.network for home in HOMES]
        self.home_network = np.array([_upper_half(network) for network in networks])
        self.hosting = np.array([_upper_half(network) for network in HOSTING_NETWORKS])

    def add(
        self, profile: Profile, accounts: Ints, from_ms: Ints, until_ms: Ints, *,
        scale: float = 1.0, fraudulent: bool = False, salt: int = 0, hosted: bool = False,
        old_key: Keys | None = None, kept: float = 0.0, tests: bool = False,
    ) -> None:  # fmt: skip
        """Add one stream for each account; equal ``salt`` means equal contacts."""
        count, rng = len(accounts), self.rng
        key = hashed(self.people.key[accounts], np.full(count, salt))
        if hosted:
            network = rng.choice(self.hosting, count)
        else:
            network = self.home_network[self.people.home[accounts]]

        def same(value: float) -> Floats:
            return np.full(count, value)

        def around(value: float, spread: float) -> Floats:
            return value * np.exp(rng.normal(0.0, spread, count))

        def share(value: float) -> Floats:
            return np.clip(around(value, 0.15), 0.0, max(value, 0.97))

        self.parts.append(
            Streams(
                account=accounts,
                rate=scale * around(profile.calls_per_day, profile.spread),
                curve=curve_index(profile.curve, self.people.zone[accounts]),
                from_ms=from_ms, until_ms=until_ms,
                mix=self._mixes(profile.mix, accounts, key),
                key=key,
                old_key=key if old_key is None else old_key,
                kept=same(kept),
                contacts=np.maximum(3, around(profile.contacts, 0.4)).astype(np.int64),
                new_share=share(profile.new_share),
                inbound_share=share(profile.inbound_share),
                internal_share=share(profile.internal_share),
                answered_share=share(profile.answered_share),
                inbound_answered_share=share(profile.inbound_answered_share),
                talk_log=np.log(around(profile.talk_s, 0.2)),
                talk_spread=same(profile.talk_spread),
                talk_max_s=same(profile.talk_max_s),
                short_share=share(profile.short_share),
                ring_log=np.log(around(profile.ring_s, 0.15)),
                choice=np.full(count, int(profile.choice)),
                run=np.full(count, profile.run),
                attempts=same(profile.attempts),
                anonymous_share=same(profile.anonymous_share),
                network=network,
                tests=np.full(count, tests),
                fraudulent=np.full(count, fraudulent),
            )
        )  # fmt: skip

    def _mixes(self, template: str, accounts: Ints, key: Keys) -> Ints:
        """Fill in each account's home and its one destination, chosen by its key."""
        rows = []
        row_of = {name: row for row, name in enumerate(self.destinations.mixes)}
        for home, pick in zip(self.people.home[accounts], key, strict=True):
            code = HOMES[home].code
            turn = int(pick >> np.uint64(40))
            others = [h.code for h in HOMES if h.code != code]
            family = FAMILY_ABROAD[code]
            one = str(turn % len(family)) if template.startswith("family") else ""
            if template.startswith("one_family"):
                one = family[turn % len(family)]
            elif template.startswith("one"):
                one = HIGH_RISK[turn % len(HIGH_RISK)]
            name = template.replace("one_family", "one").format(
                home=code, other=others[turn % len(others)], one=one
            )
            rows.append(row_of[name])
        return np.array(rows, dtype=np.int64)

    def built(self) -> Streams:
        """Return everything added so far as one."""
        names = [f.name for f in fields(Streams)]
        return Streams(
            *(np.concatenate([getattr(part, name) for part in self.parts]) for name in names)
        )


def _upper_half(network: str) -> int:
    high, low = network.split(".")
    return int(high) * 256 + int(low)


def build_streams(
    people: Population, destinations: Destinations, first_ms: int, last_ms: int, seed: int,
    calls_per_account_day: float | None,
) -> Streams:  # fmt: skip
    """Lay out every stream of the range.

    Parameters
    ----------
    calls_per_account_day : float or None
        Mean over the accounts that commit no fraud; None leaves the profiles as they are.
    """
    scale = 1.0
    if calls_per_account_day is not None:
        scale = calls_per_account_day / _mean_rate(people)
    builder = _Builder(people, destinations, seed)
    _add_ordinary(builder, scale)
    _add_lookalikes(builder, scale, first_ms, last_ms)
    for kind in FRAUD_KINDS:
        _add_fraud(builder, kind)
    return builder.built()


def _mean_rate(people: Population) -> float:
    """Return the mean calls a day that the profiles of innocent accounts add up to."""

    def mean(profile: Profile) -> float:
        return profile.calls_per_day * float(np.exp(profile.spread**2 / 2))

    ordinary = np.array([mean(profile) for profile in ORDINARY])[people.segment]
    special = np.array([mean(profile) for profile in LOOKALIKES.values()])[people.lookalike]
    rates = np.where(people.lookalike >= 0, special, ordinary)
    return float(rates[people.fraud == -1].mean())


def _add_ordinary(builder: _Builder, scale: float) -> None:
    people = builder.people
    victims = np.isin(people.fraud, [FRAUD_KINDS.index(kind) for kind in VICTIMS])
    plain = ((people.fraud == -1) & (people.lookalike == -1)) | victims
    for segment, profile in enumerate(ORDINARY):
        chosen = np.flatnonzero(plain & (people.segment == segment))
        builder.add(profile, chosen, people.created_ms[chosen], people.end_ms[chosen], scale=scale)


def _add_lookalikes(builder: _Builder, scale: float, first_ms: int, last_ms: int) -> None:
    people = builder.people
    for kind, profile in LOOKALIKES.items():
        chosen = np.flatnonzero(people.lookalike == LOOKALIKE_KINDS.index(kind))
        start, end = people.created_ms[chosen], people.end_ms[chosen]
        if kind != "holiday":
            builder.add(profile, chosen, start, end, scale=scale)
            continue
        leave = first_ms + (builder.rng.uniform(0.35, 0.7, len(chosen)) * (last_ms - first_ms))
        away = np.minimum(np.maximum(leave.astype(np.int64), start), end)
        back = np.minimum(away + 10 * DAY_MS, end)
        builder.add(profile, chosen, start, away, scale=scale)
        builder.add(HOLIDAY_AWAY, chosen, away, back, scale=scale, hosted=True)
        builder.add(profile, chosen, back, end, scale=scale)


def _add_fraud(builder: _Builder, kind: str) -> None:
    people, rng = builder.people, builder.rng
    chosen = np.flatnonzero(people.fraud == FRAUD_KINDS.index(kind))
    start, end = people.fraud_from_ms[chosen], people.blocked_ms[chosen]
    if kind not in VICTIMS:
        builder.add(COVER, chosen, people.created_ms[chosen], end)
    if kind in ("irsf", "pbx_hacking"):
        _add_tests(builder, kind, chosen, start)
    old_key, kept = _inherited(people, kind, chosen)
    builder.add(
        FRAUDS[kind], chosen, start, end, fraudulent=True, salt=_FRAUD_SALT,
        hosted=kind in (*VICTIMS, "irsf"), old_key=old_key, kept=kept,
    )  # fmt: skip
    if kind == "pbx_hacking":
        before = start - rng.integers(2 * HOUR_MS, 5 * HOUR_MS, len(chosen))
        builder.add(
            FRAUDS["pbx_scan"], chosen, before, before + 2 * HOUR_MS, fraudulent=True,
            salt=_SCAN_SALT, hosted=True,
        )  # fmt: skip


def _add_tests(builder: _Builder, kind: str, chosen: Ints, start: Ints) -> None:
    """Add a short window of test calls, half an hour to a day before the first attack."""
    ahead = builder.rng.integers(HOUR_MS // 2, 24 * HOUR_MS, len(chosen))
    at = np.maximum(start - ahead, builder.people.created_ms[chosen])
    tests = replace(FRAUDS["irsf_test"], mix=FRAUDS[kind].mix)
    builder.add(
        tests, chosen, at, np.minimum(at + HOUR_MS, start), fraudulent=True, salt=_FRAUD_SALT,
        hosted=True, tests=True,
    )  # fmt: skip


def _inherited(people: Population, kind: str, chosen: Ints) -> tuple[Keys | None, float]:
    """Return whose contacts are kept: a returning person's own, a ring's common ones."""
    if kind == "returning":
        before = people.predecessor[chosen]
        source = np.where(before >= 0, before, chosen)
        return hashed(people.key[source], np.full(len(chosen), _FRAUD_SALT)), _KEPT_BY_RETURNING
    if kind == "subscription_ring":
        return hashed(people.group[chosen].astype(np.uint64), people.home[chosen]), _KEPT_BY_RING
    return None, 0.0
