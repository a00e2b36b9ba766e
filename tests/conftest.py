"""What tests of several parts share: the command as a user runs it, and a scored sample night."""

from __future__ import annotations

import fcntl
import gc
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest

hypothesis.settings.register_profile("quick", deadline=None, max_examples=25)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=200)
hypothesis.settings.load_profile("quick")
"""`.ci/run` asks for the thorough one. No example fails for the time it takes: machines are
shared."""

WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
os.environ.setdefault("POLARS_MAX_THREADS", str(max(1, (os.cpu_count() or 1) // WORKERS)))
"""Each worker takes its share of the machine: threads that wait for each other cost a quarter
of the processor time. Read by Polars as it is imported: not here, for workers wait for this
file and what starts them needs nothing of ours."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests on the sample night as slow, and begin with those of the whole house.

    The night takes half a minute; the file that is left to run last runs alone.
    """
    for item in items:
        if "sample_night" in getattr(item, "fixturenames", ()):
            item.add_marker("slow")
    items.sort(key=lambda item: not item.nodeid.startswith(("tests/test_", "tests/pipelines/")))


def pytest_collection_finish() -> None:
    """Leave what is imported and collected, a million objects, out of every later clearing up."""
    gc.freeze()


def pytest_unconfigure() -> None:
    gc.unfreeze()


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def found(self) -> Any:
        """The one JSON object on standard output."""
        return json.loads(self.out)


RunCommand = Callable[..., Ran]


@pytest.fixture
def callsieve(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> RunCommand:
    """Run `callsieve` with the given words in an empty folder, as the shell would."""
    from pipelines import cli

    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def run(*words: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["callsieve", *map(str, words)])
        capsys.readouterr()
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return run


MadeOnce = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce:
    """Make a folder once for all workers; it is only to be read, or copied."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # else the folder above is shared with other runs
        shared = shared.parent

    def made(name: str, make: Callable[[Path], object]) -> Path:
        with (shared / f"{name}.lock").open("a+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not lock.seek(0, os.SEEK_END):  # asked under the lock: another may have waited
                make(shared / name)
                lock.write("made")
        return shared / name

    return made


@pytest.fixture(scope="session")
def empty_queue(made_once: MadeOnce) -> Path:
    """Make a review database that is up to date, to be copied: migrating takes a second."""
    from fraud.review import database
    from fraud.review.queue import open_case_count

    def make(home: Path) -> None:
        home.mkdir()
        open_case_count(home)

    return made_once("queue", make) / database.FILE


@pytest.fixture(scope="session")
def sample_night(made_once: MadeOnce) -> Path:
    """Give a home after `callsieve demo`, only to be read."""
    from datetime import UTC, datetime

    from pipelines.nightly import run_nightly
    from pipelines.samples import SAMPLE_DAY, sample_lake

    def make(home: Path) -> None:
        run_nightly(sample_lake(home), SAMPLE_DAY, now=datetime(2026, 10, 1, 3, tzinfo=UTC))

    return made_once("sample_night", make)


@pytest.fixture
def sample_home(sample_night: Path, tmp_path: Path) -> Path:
    """Give a copy of the sample night that a test may change."""
    home = tmp_path / "sample"
    shutil.copytree(sample_night, home)
    return home
