"""Account details as customers gave them: the rows of ``accounts.csv`` and ``account_numbers.csv``.

Honest customers share details too: chains of shops have one card and one
office. Members of a fraud ring share one or two of device, card and address and
change the rest; who comes back under another name changes almost everything.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from pipelines.simulate.destinations import Destinations
from pipelines.simulate.dialling import addresses
from pipelines.simulate.draws import Flags, Ints, Part, generator, hashed
from pipelines.simulate.fraud_profiles import FRAUD_KINDS
from pipelines.simulate.frauds import NEVER
from pipelines.simulate.names import DISPOSABLE_DOMAINS, FREE_DOMAINS, NAMES_OF, STREETS
from pipelines.simulate.places import HOMES, HOSTING_NETWORKS
from pipelines.simulate.population import STATUSES, Population

PLANS = ("starter", "business", "pro", "wholesale")
_LEFT_BY_RETURNING = 0.25
_CHAIN_SHARE = 0.04
_CHAIN_SPREAD = 1000  # so many accounts hold one chain in each country: some ten members
_FORWARDING_SHARE = 0.15
_DISPOSABLE_SHARES = {True: 0.22, False: 0.01}
_FREE_MAIL_SHARES = {True: 0.6, False: 0.35}
_HOSTED_SIGN_UP_SHARES = {True: 0.3, False: 0.02}
"""Of fraudulent and honest sign-ups; ours, so that no detail decides alone."""


def accounts_table(
    people: Population, destinations: Destinations, last_ms: int, seed: int
) -> pl.DataFrame:
    """Return one row per account that exists before ``last_ms``, in order of identifier.

    The columns are those of ``accounts.csv``; text throughout, instants as ISO
    8601 UTC, lists joined by ``;``.
    """
    rng = generator(seed, Part.IDENTITY)
    count = len(people)
    shady = _signed_up_to_defraud(people)
    person = _shared(people, rng, within=0.12)
    site = _shared(people, rng, within=0.3, turn=0)
    card = _shared(people, rng, within=0.3, turn=1)
    device = _shared(people, rng, within=0.3, turn=2)
    phone = _shared(people, rng, within=0.2)
    first, last = _names(people.home, person)
    return (
        pl.DataFrame(
            {
                "account_id": people.ids,
                "created_at": instants(people.created_ms),
                "name": first + " " + last,
                "email": _emails(first, last, shady, rng),
                "phone": _numbers(destinations, "home_mobile", people, phone),
                "address": _addresses(people.home, site),
                "country": pl.Series([home.code for home in HOMES]).gather(people.home),
                "id_document": _tokens("ID", person, 9, missing=rng.random(count) < 0.25),
                "social": _tokens("in/", person, 10, missing=rng.random(count) < 0.6),
                "payment_fingerprint": _tokens("card-", card, 12),
                "devices": _devices(device, people, rng),
                "signup_ip": addresses(_sign_up_addresses(people, shady, site, rng)),
                "forward_to": _forwarding(people, destinations, rng),
                "plan": _plans(people, rng),
                "status": pl.Series(STATUSES).gather(people.status),
                "status_since": instants(
                    np.where(people.status == 0, people.created_ms, people.end_ms)
                ),
                "status_reason": people.reason,
            }
        )
        .filter(pl.Series(people.created_ms < last_ms))
        .sort("account_id")
    )


def numbers_table(people: Population, last_ms: int) -> pl.DataFrame:
    """Return one row per number an account has had; ``valid_to`` is empty while it has it."""
    owner = np.repeat(np.arange(len(people)), people.own_count)
    until = np.where(people.end_ms < last_ms, people.end_ms, NEVER)[owner]
    ended = pl.Series(until < NEVER)
    return (
        pl.DataFrame(
            {
                "account_id": people.ids.gather(owner),
                "number": "+" + pl.Series(people.own_numbers).cast(pl.String),
                "valid_from": instants(people.created_ms[owner]),
                "valid_to": instants(np.where(until < NEVER, until, 0)).zip_with(
                    ended, pl.Series([None], dtype=pl.String)
                ),
            }
        )
        .filter(pl.Series(people.created_ms[owner] < last_ms))
        .sort("account_id", "number")
    )


def instants(at_ms: Ints) -> pl.Series:
    """Write instants as ``YYYY-MM-DDTHH:MM:SSZ``."""
    return pl.Series(at_ms).cast(pl.Datetime("ms")).dt.to_string("%Y-%m-%dT%H:%M:%SZ")


def _signed_up_to_defraud(people: Population) -> Flags:
    victims = [FRAUD_KINDS.index(kind) for kind in ("pbx_hacking", "takeover")]
    return (people.fraud >= 0) & ~np.isin(people.fraud, victims)


def _shared(
    people: Population, rng: np.random.Generator, *, within: float, turn: int | None = None
) -> Ints:
    """Return a root for one detail: equal roots give an equal detail.

    Each has its own, except the share ``within`` of a ring's or pair's members,
    who have their group's. Where there is a ``turn``, all members of every third
    ring have, and most of an honest chain.
    """
    count = len(people)
    root = (people.key >> np.uint64(2)).astype(np.int64)
    grouped = (people.group >= 0) & (rng.random(count) < within)
    grouped &= (people.predecessor < 0) | (rng.random(count) < _LEFT_BY_RETURNING)
    ring = people.fraud == FRAUD_KINDS.index("subscription_ring")
    grouped |= ring & (people.group % 3 == (-1 if turn is None else turn))
    root = np.where(grouped, people.group + 1, root)
    if turn is not None:
        chain = (people.fraud == -1) & (people.key % np.uint64(1000) < int(1000 * _CHAIN_SHARE))
        chain &= rng.random(count) < 0.8
        number = hashed(people.home, np.arange(count) // _CHAIN_SPREAD).astype(np.int64) & (
            2**61 - 1
        )
        root = np.where(chain, number, root)
    return root


def _names(home: Ints, person: Ints) -> tuple[pl.Series, pl.Series]:
    """Draw first and last names usual in each country; the first of the lists are commoner."""
    draws = hashed(person, np.full(len(person), 1)), hashed(person, np.full(len(person), 2))
    columns = []
    for which, bits in enumerate(draws):
        lists = [NAMES_OF[h.code][which] for h in HOMES]
        first = np.cumsum([0, *map(len, lists)])[:-1]
        length = np.array([len(names) for names in lists])[home]
        place = ((bits >> np.uint64(11)).astype(float) * 2.0**-53) ** 1.4 * length
        flat = pl.Series([name for names in lists for name in names])
        columns.append(flat.gather(first[home] + place.astype(np.int64)))
    return columns[0], columns[1]


def _emails(first: pl.Series, last: pl.Series, shady: Flags, rng: np.random.Generator) -> pl.Series:
    count = len(first)
    draw = rng.random(count)
    disposable = draw < np.where(shady, _DISPOSABLE_SHARES[True], _DISPOSABLE_SHARES[False])
    free = ~disposable & (
        rng.random(count) < np.where(shady, _FREE_MAIL_SHARES[True], _FREE_MAIL_SHARES[False])
    )
    number = pl.Series(rng.integers(1, 999, count)).cast(pl.String)
    company = (
        last.str.to_lowercase()
        + "-"
        + pl.Series(STREETS).gather(rng.integers(0, len(STREETS), count)).str.to_lowercase()
        + ".example"
    )
    domain = pl.Series(FREE_DOMAINS).gather(rng.integers(0, len(FREE_DOMAINS), count))
    domain = domain.zip_with(pl.Series(free), company)
    throwaway = pl.Series(DISPOSABLE_DOMAINS).gather(
        rng.integers(0, len(DISPOSABLE_DOMAINS), count)
    )
    domain = throwaway.zip_with(pl.Series(disposable), domain)
    numbered = number.zip_with(pl.Series(free | disposable), pl.Series([""]))
    return first.str.to_lowercase() + "." + last.str.to_lowercase() + numbered + "@" + domain


def _addresses(home: Ints, site: Ints) -> pl.Series:
    bits = hashed(site, np.full(len(site), 3))
    house = pl.Series((bits % np.uint64(180)).astype(np.int64) + 1).cast(pl.String)
    street = pl.Series(STREETS).gather((bits >> np.uint64(12)) % np.uint64(len(STREETS)))
    cities = [home.cities for home in HOMES]
    first = np.cumsum([0, *map(len, cities)])[:-1][home]
    length = np.array([len(names) for names in cities])[home]
    place = first + (bits >> np.uint64(24)).astype(np.int64) % length
    city = pl.Series([name for names in cities for name in names]).gather(place)
    code = pl.Series(10_000 + ((bits >> np.uint64(30)) % np.uint64(89_999)).astype(np.int64))
    return street + " " + house + " " + code.cast(pl.String) + " " + city


def _tokens(prefix: str, root: Ints, digits: int, missing: Flags | None = None) -> pl.Series:
    """Return opaque identifiers; equal roots and prefixes give equal ones."""
    salt = sum(prefix.encode())
    number = hashed(root, np.full(len(root), salt)) % np.uint64(10**digits)
    text = prefix + pl.Series(number).cast(pl.String).str.zfill(digits)
    if missing is None:
        return text
    return pl.Series([None], dtype=pl.String).zip_with(pl.Series(missing), text)


def _devices(device: Ints, people: Population, rng: np.random.Generator) -> pl.Series:
    """One to three devices; the first is the shared one."""
    text = _tokens("dev-", device, 10)
    own = (people.key >> np.uint64(3)).astype(np.int64)
    more = rng.poisson(0.6, len(device))
    for extra in (1, 2):
        another = text + ";" + _tokens("dev-", own + extra, 10)
        text = another.zip_with(pl.Series(more >= extra), text)
    return text


def _sign_up_addresses(
    people: Population, shady: Flags, site: Ints, rng: np.random.Generator
) -> Ints:
    count = len(people)
    share = np.where(shady, _HOSTED_SIGN_UP_SHARES[True], _HOSTED_SIGN_UP_SHARES[False])
    hosted = rng.random(count) < share
    halves = [
        tuple(map(int, n.split("."))) for n in (*HOSTING_NETWORKS, *(h.network for h in HOMES))
    ]
    network = np.array([high * 256 + low for high, low in halves])
    hosting = rng.integers(0, len(HOSTING_NETWORKS), count)
    chosen = np.where(hosted, hosting, len(HOSTING_NETWORKS) + people.home)
    host = (hashed(site, np.full(count, 4)) % np.uint64(65_534)).astype(np.int64) + 1
    address: Ints = network[chosen] * 65_536 + host
    return address


def _numbers(destinations: Destinations, mix: str, people: Population, root: Ints) -> pl.Series:
    """Return a number from each account's own mix of that name; equal roots, equal numbers."""
    row = np.array([destinations.index(f"{mix}:{home.code}") for home in HOMES])[people.home]
    number, _ = destinations.draw(row, hashed(root, np.full(len(root), 5)))
    return "+" + pl.Series(number).cast(pl.String)


def _forwarding(
    people: Population, destinations: Destinations, rng: np.random.Generator
) -> pl.Series:
    """Return where calls are forwarded, if at all; intruders forward to dear destinations."""
    key = people.key.astype(np.int64)
    usual = _numbers(destinations, "home_mobile", people, key)
    dear = _numbers(destinations, "dear", people, key)
    taken = (people.fraud == FRAUD_KINDS.index("takeover")) & (rng.random(len(people)) < 0.6)
    some = taken | (rng.random(len(people)) < _FORWARDING_SHARE)
    number = dear.zip_with(pl.Series(taken), usual)
    return number.zip_with(pl.Series(some), pl.Series([None], dtype=pl.String))


def _plans(people: Population, rng: np.random.Generator) -> pl.Series:
    """Bigger plans go with more numbers."""
    score = np.log2(people.own_count) + rng.normal(0.0, 0.7, len(people))
    return pl.Series(PLANS).gather(np.searchsorted([0.8, 2.2, 4.0], score))
