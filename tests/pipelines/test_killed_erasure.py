"""An erasure killed at any step is completed by the same call, and its receipt is whole."""

from __future__ import annotations

import multiprocessing
import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest

import cdr
from cdr.errors import StorageFailed
from cdr.privacy.identifiers import Identifiers, identifiers_of
from cdr.privacy.requests import Person
from cdr.privacy.traces import search
from cdr.schema import TABLES
from fraud.review.old_cases import accounts_in_cases
from pipelines import erasure

_server = multiprocessing.get_context("forkserver")
NOW = datetime(2026, 10, 2, tzinfo=UTC)


def lake_of(home: Path) -> cdr.Lake:
    return cdr.open_lake(cdr.load_settings(home=home))


def customer(home: Path) -> Person:
    """Return an account with many calls that is in no case and was never blocked."""
    busy = lake_of(home).calls().group_by("account_id").len().sort("len", descending=True).collect()
    blocked = lake_of(home).scan(TABLES["accounts"]).filter(status="blocked").collect()
    cases = {*accounts_in_cases(home), *blocked["account_id"]}
    return Person("account", next(a for a in busy["account_id"].drop_nulls() if a not in cases))


def erase(home: Path, who: Person) -> erasure.Receipt:
    return erasure.erase(lake_of(home), who, reason=None, by="test", now=NOW)


def erase_until(home: Path, who: Person, step: str) -> None:
    def killed(_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    erasure.STEPS[step] = killed
    erase(home, who)


def places(home: Path, who: Identifiers) -> tuple[object, ...]:
    lake = lake_of(home)
    current = {Path(lake.address(t, f)) for t in TABLES.values() for f in lake.files(t)}
    return search(home, who, besides=current).traces


@pytest.mark.large
@pytest.mark.parametrize("step", ["queue", "audit", "search"])
def test_a_killed_erasure_is_completed(sample_home: Path, step: str) -> None:
    person = customer(sample_home)
    who = identifiers_of(lake_of(sample_home), person)
    child = _server.Process(target=erase_until, args=(sample_home, person, step))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert len(erasure.unfinished(lake_of(sample_home))) == 1

    receipt = erase(sample_home, person)

    assert receipt.complete
    assert receipt.tables["calls"].found["account_id"] > 100, "what the killed one had found"
    assert erasure.unfinished(lake_of(sample_home)) == ()
    assert places(sample_home, who) == ()


@pytest.mark.large
def test_an_erasure_that_damage_stops_says_so_and_is_completed_later(sample_home: Path) -> None:
    lake = lake_of(sample_home)
    file = Path(lake.address(TABLES["account_days"], lake.files(TABLES["account_days"])[0]))
    content = file.read_bytes()
    file.unlink()
    person = customer(sample_home)
    with pytest.raises(StorageFailed, match="already stays erased"):
        erase(sample_home, person)
    file.write_bytes(content)
    assert erase(sample_home, person).complete
