"""On an object store, too, a kill leaves retention, sealing and compaction done or not begun."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from killed import kill_after, kill_at
from object_server import Machine
from test_object_store import (
    HEADER,
    SOURCE,
    ids,
    row,
    squeeze,
    state,
    take_in,
    unnamed,
    write,
)

import cdr
from cdr.billing.decks import import_deck
from cdr.billing.extract import extract
from cdr.billing.files import Format
from cdr.billing.ledger import seals
from cdr.billing.periods import Period
from cdr.billing.sealing import seal
from cdr.billing.tables import LINES
from cdr.billing.verify import verify as verify_period
from cdr.errors import LakeBusy
from cdr.ingest import ingest
from cdr.lake.verify import verify
from cdr.privacy.retention import retain
from cdr.schema import CALLS

pytestmark = pytest.mark.s3

AFTERWARDS = datetime(2027, 9, 1, tzinfo=UTC)
DECK = (
    "prefix,destination,rate_per_min,connect_fee,min_s,increment_s,currency,valid_from,valid_to\n"
    "44,United Kingdom,0.12,0.05,60,60,EUR,,\n"
)
BILLED = "record_id,call_id,account_id,direction,caller,callee,started_at,duration_s,outcome\n"
REQUESTS = {
    "below": 12,
    "get": 8,
    "put_new": 4,
    "put_file": 3,
    "delete": 3,
    "commit": 2,
    "publish": 1,
}
"""How often a job does each of these to the store, about."""


def kills(count: int, took_s: float) -> Iterator[Callable[..., bool]]:
    """Yield ways to kill a job: two thirds at a request to the store, the rest at any time."""
    draw = random.Random(11)
    moments = [(name, n) for name, often in REQUESTS.items() for n in range(1, often + 1)]
    for turn in range(count):
        if turn % 3 < 2:
            yield partial(kill_at, draw.choice(moments))
        else:
            yield partial(kill_after, draw.uniform(0, took_s * 1.5))


def clear(machine: Machine) -> None:
    retain(machine.lake(), now=datetime(2026, 9, 20, tzinfo=UTC))


def test_retention_killed_at_many_moments_takes_what_is_over_and_nothing_else(
    here: Machine, tmp_path: Path
) -> None:
    def over(turn: int) -> Path:
        file = tmp_path / f"{turn}.csv"
        file.write_text(HEADER + "".join(
            f"over{turn}-{n},a1,030 1234567,+442079460001,2024-01-0{n} 12:00:00,,busy\n"
            for n in (1, 2, 3)
        ))  # fmt: skip
        return file

    take_in(here, write(tmp_path / "kept.csv", row(1), row(2)), over(0))
    began = time.monotonic()
    clear(here)
    took_s, outcomes = time.monotonic() - began, set()
    for turn, kill in enumerate(kills(24, took_s), start=1):
        take_in(here, over(turn))
        before = ids(here.lake())
        assert len(before) == 5
        died = kill(clear, here)
        found = ids(here.lake())
        assert found in (before, ["r1", "r2"])
        assert died or found == ["r1", "r2"]
        outcomes.add((died, found == before))
        clear(here)
        assert ids(here.lake()) == ["r1", "r2"]
        assert verify(here.lake()).faults == ()
    assert {(True, True), (True, False)} <= outcomes
    assert {path.rpartition("/")[2] for path in unnamed(here.lake())} <= here.lake().let_go(CALLS)


def bill(machine: Machine, period: Period, out: Path) -> None:
    lake = machine.lake()
    seal(lake, period, now=AFTERWARDS)
    extract(lake, period, out, form=Format.CSV, now=AFTERWARDS)


def test_billing_killed_at_many_moments_seals_each_call_once(here: Machine, tmp_path: Path) -> None:
    lake = here.lake()
    deck, file = tmp_path / "retail.csv", tmp_path / "calls.csv"
    deck.write_text(DECK)
    import_deck(lake, deck, name="retail", settings=lake.settings.billing, now=AFTERWARDS)
    months = [Period(2025, month) for month in range(1, 13)]
    months += [Period(2026, month) for month in range(1, 13)]
    file.write_text(BILLED + "".join(
        f"{month}-{n},{month}-{n},a1,outbound,+49301111111,+442079460000,{month}-0{n} 08:00:00,60,"
        "answered\n"
        for month in months
        for n in (1, 2, 3)
    ))  # fmt: skip
    ingest(lake, [file], source_name="s", source=SOURCE, now=AFTERWARDS)
    began = time.monotonic()
    bill(here, months[0], tmp_path / "first")
    took_s, outcomes = time.monotonic() - began, set()
    for number, kill in enumerate(kills(len(months) - 1, took_s), start=1):
        period, out = months[number], tmp_path / str(months[number])
        died = kill(bill, here, period, out)
        done = len(seals(here.lake())) == number + 1
        assert here.lake().scan(LINES).collect().height == 3 * (number + done)
        assert died or done
        outcomes.add((died, done))
        _again(here, period, out)
        assert verify_period(here.lake(), period, folder=out).agrees
    assert {(True, True), (True, False)} <= outcomes
    lines = here.lake().scan(LINES).collect()
    assert lines["record_id"].n_unique() == lines.height == 3 * len(months)
    assert verify(here.lake()).faults == ()


def _again(machine: Machine, period: Period, out: Path) -> None:
    """Bill as soon as the lease of who was killed is over."""
    end = time.monotonic() + 5 * machine.store.lease_s
    while True:
        try:
            bill(machine, period, out)
        except LakeBusy:
            assert time.monotonic() < end
            time.sleep(0.2)
        else:
            return


def test_a_compaction_killed_from_outside_changes_no_row(here: Machine, tmp_path: Path) -> None:
    def lay(turn: int) -> cdr.Lake:
        for number in range(5):
            file = tmp_path / f"{turn}-{number}.csv"
            file.write_text(HEADER + row(100 * turn + number))
            take_in(here, file)
        return here.lake()

    lay(0)
    began = time.monotonic()
    squeeze(here)
    took_s = time.monotonic() - began
    for turn, kill in enumerate(kills(12, took_s), start=1):
        lay(turn)
        before = state(here)
        kill(squeeze, here)
        assert state(here) == before
        squeeze(here)
        assert state(here) == before
        assert len(here.lake().files(CALLS)) == 1
    assert verify(here.lake()).faults == ()
