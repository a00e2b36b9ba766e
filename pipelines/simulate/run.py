"""The simulation from beginning to end: accounts once, then day after day, then the truth."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType

import numpy as np
import polars as pl

from cdr.errors import WrongUse
from pipelines.simulate import (
    switch_asterisk,
    switch_freeswitch,
    switch_opensips,
    switch_wholesale,
)
from pipelines.simulate.call_files import CallFiles
from pipelines.simulate.destinations import Destinations, build_destinations
from pipelines.simulate.dialling import Dialling
from pipelines.simulate.draws import Ints, Part, generator
from pipelines.simulate.fraud_profiles import FRAUD_KINDS
from pipelines.simulate.hours import DAY_MS, activity, local_midnight_ms
from pipelines.simulate.identities import accounts_table, numbers_table
from pipelines.simulate.listed_numbers import listed_numbers
from pipelines.simulate.operator_files import OperatorFiles
from pipelines.simulate.places import SWITCHES
from pipelines.simulate.population import Population, build_population
from pipelines.simulate.profiles import LOOKALIKE_KINDS
from pipelines.simulate.settings_file import settings_text
from pipelines.simulate.streams import build_streams
from pipelines.simulate.switch_records import records_of
from pipelines.simulate.traffic import Direction, Legs, legs_of_day
from pipelines.simulate.truth import CallCounts, write_truth

MIN_ACCOUNTS = 100
"""Below this the floors of fraud and look-alikes would leave no ordinary customers."""

_WRITERS = {
    "pbx": (switch_asterisk.lines, None),
    "softswitch": (switch_freeswitch.lines, None),
    "proxy": (switch_opensips.lines, switch_opensips.HEADER),
    "wholesale": (switch_wholesale.lines, switch_wholesale.HEADER),
}


@dataclass(frozen=True, slots=True)
class SimulationReport:
    """What a simulation wrote.

    Attributes
    ----------
    files : int
        Call files and operator files, without the truth.
    calls : mapping of str to int
        Calls by source; the attempts of one call count once.
    accounts : int
    fraud_accounts, lookalike_accounts : mapping of str to int
        By kind.
    bytes : int
        Size of those files.
    seconds : float
    """

    files: int
    calls: MappingProxyType[str, int]
    accounts: int
    fraud_accounts: MappingProxyType[str, int]
    lookalike_accounts: MappingProxyType[str, int]
    bytes: int
    seconds: float


def simulate(
    out: Path,
    *,
    accounts: int,
    days: int,
    seed: int,
    start: date = date(2026, 9, 1),
    calls_per_account_day: float | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> SimulationReport:
    """Write the files of an operator with known fraud, the same bytes for the same arguments.

    Parameters
    ----------
    out : Path
        A folder that does not exist or is empty.
    accounts : int
        100 or more.
    days : int
        UTC days, 1 or more; kinds of fraud that take a weekend want 7.
    seed : int
        0 or more.
    start : date, default=2026-09-01
        First UTC day.
    calls_per_account_day : float, optional
        Mean over the accounts that commit no fraud; None gives about 8.
    progress : callable, optional
        Called with what is being done and the share 0..1 that is done.

    Returns
    -------
    SimulationReport

    Raises
    ------
    WrongUse
        If the folder holds something or an argument is out of range.
    """
    began = time.perf_counter()
    _check(out, accounts, days, seed, calls_per_account_day)
    tell = progress or (lambda what, share: None)
    tell("accounts", 0.0)
    first_ms = local_midnight_ms(start, "UTC")
    last_ms = first_ms + days * DAY_MS
    destinations = build_destinations()
    people = build_population(accounts, first_ms, last_ms, seed, destinations)
    streams = build_streams(people, destinations, first_ms, last_ms, seed, calls_per_account_day)
    operator = _write_once(out, people, destinations, last_ms, seed)
    listed_numbers(streams, destinations, first_ms).write_csv(out / "lists.csv")
    switches = _Switches(out / "inbox", people, destinations)
    counts = CallCounts(accounts)
    for day in range(days):
        tell(f"day {day + 1} of {days}", day / days)
        midnight_ms = first_ms + day * DAY_MS
        legs = legs_of_day(
            streams, people, destinations, activity(start + timedelta(days=day)), day,
            midnight_ms, generator(seed, Part.TRAFFIC, day),
        )  # fmt: skip
        counts.add(legs)
        switches.write(legs, midnight_ms + DAY_MS, generator(seed, Part.SWITCHES, day))
        operator.write_events(midnight_ms, generator(seed, Part.EVENTS, day))
        operator.write_messages(midnight_ms, _mobiles(legs), generator(seed, Part.MESSAGES, day))
    write_truth(out / "truth", people, counts)
    tell("done", 1.0)
    return _report(out, people, switches.calls, time.perf_counter() - began)


def _check(
    out: Path, accounts: int, days: int, seed: int, calls_per_account_day: float | None
) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise WrongUse(f"{out.name}: not an empty folder; name a new one for the simulation")
    if accounts < MIN_ACCOUNTS:
        raise WrongUse(f"accounts: give {MIN_ACCOUNTS} or more")
    if days < 1:
        raise WrongUse("days: give 1 or more")
    if seed < 0:
        raise WrongUse("seed: give 0 or a positive whole number")
    if calls_per_account_day is not None and not calls_per_account_day > 0:
        raise WrongUse("calls per account and day: give a number above 0")


def _write_once(
    out: Path, people: Population, destinations: Destinations, last_ms: int, seed: int
) -> OperatorFiles:
    """Write what does not grow by the day, and open what does."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "callsieve.toml").write_text(settings_text(), "utf-8")
    table = accounts_table(people, destinations, last_ms, seed)
    table.write_csv(out / "accounts.csv")
    numbers_table(people, last_ms).write_csv(out / "account_numbers.csv")
    details = pl.DataFrame({"account_id": people.ids}).join(
        table, on="account_id", how="left", maintain_order="left"
    )
    return OperatorFiles(out, people, details)


class _Switches:
    """The four switches of the operator and the calls each has written."""

    def __init__(self, inbox: Path, people: Population, destinations: Destinations) -> None:
        self._people = people
        self._dialling = [Dialling(switch, destinations.pools) for switch in SWITCHES]
        self._files = [
            CallFiles(inbox / switch.name, switch, _WRITERS[switch.name][1]) for switch in SWITCHES
        ]
        self.calls = {switch.name: 0 for switch in SWITCHES}

    def write(self, legs: Legs, until_ms: int, rng: np.random.Generator) -> None:
        """Let each switch log its legs of one day."""
        source = self._people.source[legs.account]
        for index, switch in enumerate(SWITCHES):
            own = legs.where(source == index)
            self.calls[switch.name] += int((own.leg == 0).sum())
            records = records_of(own, switch, self._people, self._dialling[index])
            self._files[index].write(_WRITERS[switch.name][0](records), until_ms, rng)


def _mobiles(legs: Legs) -> Ints:
    """Return numbers called on the day, for text messages to go to."""
    called = (legs.direction == Direction.OUTBOUND) & (legs.other > 0)
    numbers: Ints = legs.other[called]
    return numbers


def _report(
    out: Path, people: Population, calls: dict[str, int], seconds: float
) -> SimulationReport:
    files = [p for p in out.rglob("*") if p.is_file() and "truth" not in p.relative_to(out).parts]
    return SimulationReport(
        files=len(files),
        calls=MappingProxyType(dict(calls)),
        accounts=len(people),
        fraud_accounts=_counted(FRAUD_KINDS, people.fraud),
        lookalike_accounts=_counted(LOOKALIKE_KINDS, people.lookalike),
        bytes=sum(path.stat().st_size for path in files),
        seconds=seconds,
    )


def _counted(kinds: tuple[str, ...], column: Ints) -> MappingProxyType[str, int]:
    return MappingProxyType({kind: int((column == i).sum()) for i, kind in enumerate(kinds)})
