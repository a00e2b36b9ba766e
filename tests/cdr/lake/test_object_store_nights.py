"""On an object store a night or an hour killed at any moment is made whole by the next run."""

from __future__ import annotations

import random
import shutil
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

import pytest
from object_server import Machine, Server
from test_object_store import SOURCE, row, state, write
from test_object_store_kills import kills

import cdr
from cdr.lake.verify import verify
from cdr.schema import TABLES
from fraud.review.queue import open_case_count
from pipelines.hourly import run_hourly
from pipelines.nightly import run_nightly

pytestmark = pytest.mark.s3

DAY = date(2026, 9, 2)
NOW = datetime(2026, 9, 3, 2, tzinfo=UTC)
ACCOUNTS = """\
account_id,created_at,status,status_reason
a0,2026-01-01T00:00:00Z,active,
a1,2026-01-01T00:00:00Z,blocked,fraud
a2,2026-08-31T00:00:00Z,active,
"""
LISTS = """\
list,entry,detail,valid_from,valid_to
test_numbers,+442079460005,x,,
"""
Job = Literal["night", "hour"]


def laid_out(server: Server, folder: Path, queue: Path) -> Machine:
    """Give a new lake, with two files of calls, accounts and a list in the inbox."""
    machine = Machine(server.reached(f"{random.SystemRandom().randrange(1 << 40)}"), folder)
    inbox = folder / "inbox"
    (inbox / "pbx").mkdir(parents=True)
    write(inbox / "pbx" / "1.csv", *(row(n, day=1) for n in range(9)))
    write(inbox / "pbx" / "2.csv", *(row(n, day=2) for n in range(4, 20)), row(5, duration_s=7))
    (inbox / "accounts.csv").write_text(ACCOUNTS)
    (inbox / "lists.csv").write_text(LISTS)
    shutil.copy(queue, folder)
    return machine


def lake_of(machine: Machine) -> cdr.Lake:
    lake = machine.lake()
    lake.settings = lake.settings.model_copy(update={"sources": {"pbx": SOURCE}})
    return lake


def live(machine: Machine, job: Job) -> None:
    {"night": run_nightly, "hour": run_hourly}[job](lake_of(machine), DAY, now=NOW)


def everything(machine: Machine) -> tuple[object, ...]:
    """Return what the lake and the queue have: rows of calls and files, how many of all else."""
    lake = machine.lake()
    rows = {name: sum(file.rows for file in lake.files(table)) for name, table in TABLES.items()}
    return state(machine), rows, open_case_count(machine.home)


@pytest.mark.parametrize("job", ["night", "hour"])
def test_killed_at_twelve_moments_and_run_again(
    server: Server, tmp_path: Path, empty_queue: Path, job: Job
) -> None:
    whole = laid_out(server, tmp_path / "whole", empty_queue)
    began = time.monotonic()
    live(whole, job)
    took_s, wanted, died = time.monotonic() - began, everything(whole), 0
    assert wanted[2], "a case is opened"
    for turn, kill in enumerate(kills(12, took_s)):
        machine = laid_out(server, tmp_path / str(turn), empty_queue)
        died += kill(live, machine, job)
        assert verify(machine.lake()).faults == ()
        live(machine, job)
        assert everything(machine) == wanted
        assert verify(machine.lake()).faults == ()
    assert died >= 8
