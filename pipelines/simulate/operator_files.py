"""Account events and text messages of one day: ``account_events.csv`` and ``messages.csv``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from pipelines.simulate.dialling import addresses
from pipelines.simulate.draws import Flags, Ints, hashed
from pipelines.simulate.fraud_profiles import FRAUD_KINDS
from pipelines.simulate.hours import DAY_MS, HOUR_MS
from pipelines.simulate.identities import instants
from pipelines.simulate.places import HOMES, HOSTING_NETWORKS
from pipelines.simulate.population import STATUSES, Population
from pipelines.simulate.texts import HONEST_TEXTS, LINKS, SMISHING_TEXTS

EVENTS = (
    "account_id", "at", "kind", "ip", "device", "payment_fingerprint", "amount", "currency",
    "counterpart", "detail",
)  # fmt: skip
MESSAGES = ("account_id", "at", "counterpart", "text")

# Mean events a day and account: ours; a sign-in every third day, one invoice a month.
_DAILY = {"sign_in": 0.3, "portal_visit": 0.2, "app_opened": 0.25, "payment": 1 / 30}
_FAILED_PAYMENT_SHARE = 0.02
_TEXTING_SHARE = 8  # one account in so many sends text messages; ours
_TEXTS_A_DAY = 2.5
_SMISHING_TEXTS_A_DAY = 60.0
_SMISHING_KINDS = ("subscription_ring", "robocall", "takeover")


class OperatorFiles:
    """Appends each day's events and messages to their files.

    Parameters
    ----------
    folder : Path
    people : Population
    details : pl.DataFrame
        ``payment_fingerprint``, ``devices`` and ``forward_to`` in the order of the population.
    """

    def __init__(self, folder: Path, people: Population, details: pl.DataFrame) -> None:
        self._people = people
        self._card = details["payment_fingerprint"]
        self._device = details["devices"].str.split(";").list.first()
        self._forward_to = details["forward_to"]
        self.events = folder / "account_events.csv"
        self.messages = folder / "messages.csv"
        for path, columns in ((self.events, EVENTS), (self.messages, MESSAGES)):
            path.write_text(",".join(columns) + "\n", "utf-8")

    def write_events(self, midnight_ms: int, rng: np.random.Generator) -> None:
        """Append what customers and staff did in one UTC day."""
        people = self._people
        live = _live(people, midnight_ms)
        parts = [self._drawn(kind, mean, live, midnight_ms, rng) for kind, mean in _DAILY.items()]
        parts += [self._status_changes(midnight_ms), self._take_overs(midnight_ms, rng)]
        events = pl.concat(parts).filter(pl.col("at_ms") < midnight_ms + DAY_MS)
        events = events.sort("at_ms", "account_id", "kind")
        at = instants(events["at_ms"].to_numpy()).alias("at")
        events = events.with_columns(at).select(EVENTS)
        _append(events, self.events)

    def write_messages(self, midnight_ms: int, numbers: Ints, rng: np.random.Generator) -> None:
        """Append the text messages of one UTC day; ``numbers`` are counterparts to draw from."""
        people = self._people
        smishing = _smishing(people, midnight_ms)
        texting = (people.key % np.uint64(_TEXTING_SHARE) == 0) & _live(people, midnight_ms)
        mean = np.where(smishing, _SMISHING_TEXTS_A_DAY, np.where(texting, _TEXTS_A_DAY, 0.0))
        account = np.repeat(np.arange(len(people)), rng.poisson(mean))
        bad = smishing[account]
        at_ms = midnight_ms + rng.integers(7 * HOUR_MS, 20 * HOUR_MS, len(account))
        end = np.minimum(people.end_ms, people.blocked_ms)[account]
        start = np.where(bad, people.fraud_from_ms[account], people.created_ms[account])
        keep = (at_ms < end) & (at_ms >= start)
        account, bad, at_ms = account[keep], bad[keep], at_ms[keep]
        if len(account) == 0 or len(numbers) == 0:
            return
        order = np.lexsort((account, at_ms))
        account, bad, at_ms = account[order], bad[order], at_ms[order]
        table = pl.DataFrame(
            {
                "account_id": people.ids.gather(account),
                "at": instants(at_ms),
                "counterpart": "+" + pl.Series(rng.choice(numbers, len(account))).cast(pl.String),
                "text": _texts(account, bad, people, rng),
            }
        )
        _append(table, self.messages)

    def _drawn(
        self, kind: str, mean: float, live: Flags, midnight_ms: int, rng: np.random.Generator
    ) -> pl.DataFrame:
        people = self._people
        account = np.flatnonzero(live & (rng.random(len(people)) < mean))
        at_ms = midnight_ms + rng.integers(6 * HOUR_MS, 22 * HOUR_MS, len(account))
        within = (at_ms >= people.created_ms[account]) & (at_ms < people.end_ms[account])
        account, at_ms = account[within], at_ms[within]
        count = len(account)
        name = np.full(count, kind, dtype=object)
        amount: pl.Series = pl.Series([None], dtype=pl.String).new_from_index(0, count)
        currency = card = amount
        if kind == "payment":
            name[rng.random(count) < _FAILED_PAYMENT_SHARE] = "payment_failed"
            cents = (np.exp(rng.normal(3.6, 0.8, count)) * 100).astype(np.int64)
            amount = _money(cents)
            currency = pl.Series(["USD", "EUR"]).gather(np.minimum(people.home[account], 1))
            card = self._card.gather(account)
        home = np.array([_network(h.network) for h in HOMES])[people.home[account]]
        host = hashed(people.key[account], np.full(count, 7_000_000)) % np.uint64(65_534)
        address = home * 65_536 + host.astype(np.int64) + 1
        return _events(
            people.ids.gather(account), at_ms, pl.Series(name.tolist(), dtype=pl.String),
            ip=addresses(address), device=self._device.gather(account), card=card, amount=amount,
            currency=currency,
        )  # fmt: skip

    def _status_changes(self, midnight_ms: int) -> pl.DataFrame:
        people = self._people
        end = people.end_ms
        account = np.flatnonzero((end >= midnight_ms) & (end < midnight_ms + DAY_MS))
        status = pl.Series(STATUSES).gather(people.status[account])
        return _events(
            people.ids.gather(account), end[account],
            pl.Series(["status_changed"], dtype=pl.String).new_from_index(0, len(account)),
            detail=status + ":" + people.reason.gather(account),
        )  # fmt: skip

    def _take_overs(self, midnight_ms: int, rng: np.random.Generator) -> pl.DataFrame:
        """Return how intruders sign in from elsewhere, then change password and forwarding."""
        people = self._people
        begun = (people.fraud_from_ms >= midnight_ms) & (
            people.fraud_from_ms < midnight_ms + DAY_MS
        )
        taken = np.flatnonzero(begun & (people.fraud == FRAUD_KINDS.index("takeover")))
        steps = ("sign_in", "password_changed", "forwarding_changed")
        account = np.repeat(taken, len(steps))
        at_ms = people.fraud_from_ms[account] + np.tile([0, 120_000, 300_000], len(taken))
        hosting = np.array([_network(network) for network in HOSTING_NETWORKS])
        address = np.repeat(
            rng.choice(hosting, len(taken)) * 65_536 + rng.integers(1, 65_535, len(taken)),
            len(steps),
        )
        device = hashed(people.key[account], np.full(len(account), 99)) % np.uint64(10**10)
        return _events(
            people.ids.gather(account), at_ms, pl.Series(list(steps) * len(taken), dtype=pl.String),
            ip=addresses(address),
            device="dev-" + pl.Series(device).cast(pl.String).str.zfill(10),
            counterpart=self._forward_to.gather(account).zip_with(
                pl.Series(np.tile([False, False, True], len(taken))),
                pl.Series([None], dtype=pl.String),
            ),
        )  # fmt: skip


def _events(
    account_id: pl.Series, at_ms: Ints, kind: pl.Series, *, ip: pl.Series | None = None,
    device: pl.Series | None = None, card: pl.Series | None = None,
    amount: pl.Series | None = None, currency: pl.Series | None = None,
    counterpart: pl.Series | None = None, detail: pl.Series | None = None,
) -> pl.DataFrame:  # fmt: skip
    nothing = pl.lit(None, dtype=pl.String)
    return pl.DataFrame(
        {"account_id": account_id, "at_ms": pl.Series(at_ms, dtype=pl.Int64), "kind": kind}
    ).with_columns(
        ip=nothing if ip is None else ip,
        device=nothing if device is None else device,
        payment_fingerprint=nothing if card is None else card,
        amount=nothing if amount is None else amount,
        currency=nothing if currency is None else currency,
        counterpart=nothing if counterpart is None else counterpart,
        detail=nothing if detail is None else detail,
    )


def _live(people: Population, midnight_ms: int) -> Flags:
    """Accounts that exist for some part of the day."""
    return (people.created_ms < midnight_ms + DAY_MS) & (people.end_ms > midnight_ms)


def _smishing(people: Population, midnight_ms: int) -> Flags:
    """Return who sends smishing texts: a third of some kinds, while their fraud goes on."""
    kinds = [FRAUD_KINDS.index(kind) for kind in _SMISHING_KINDS]
    chosen = np.isin(people.fraud, kinds) & (people.key % np.uint64(3) == 0)
    on = (people.fraud_from_ms < midnight_ms + DAY_MS) & (people.blocked_ms > midnight_ms)
    sending: Flags = chosen & on
    return sending


def _texts(account: Ints, bad: Flags, people: Population, rng: np.random.Generator) -> pl.Series:
    """Fill a template; an account keeps to one or two, and fraudsters share theirs."""
    count = len(account)
    honest = hashed(people.key[account], rng.integers(0, 2, count)) % np.uint64(len(HONEST_TEXTS))
    family = np.where(people.group[account] >= 0, people.group[account], account % 3)
    shared = hashed(family, np.full(count, 6)) % np.uint64(len(SMISHING_TEXTS))
    templates = pl.Series([*HONEST_TEXTS, *SMISHING_TEXTS])
    chosen = np.where(bad, len(HONEST_TEXTS) + shared.astype(np.int64), honest.astype(np.int64))
    number = pl.Series(rng.integers(1000, 999_999, count)).cast(pl.String)
    link = pl.Series(LINKS).gather(rng.integers(0, len(LINKS), count)) + "/" + number
    return pl.DataFrame({"text": templates.gather(chosen), "number": number, "link": link}).select(
        pl.col("text")
        .str.replace("{number}", pl.col("number"), literal=True)
        .str.replace("{link}", pl.col("link"), literal=True)
    )["text"]


def _money(cents: Ints) -> pl.Series:
    whole = pl.Series(cents // 100).cast(pl.String)
    return whole + "." + pl.Series(cents % 100).cast(pl.String).str.zfill(2)


def _network(network: str) -> int:
    high, low = network.split(".")
    return int(high) * 256 + int(low)


def _append(table: pl.DataFrame, path: Path) -> None:
    with path.open("ab") as file:
        table.write_csv(file, include_header=False)
