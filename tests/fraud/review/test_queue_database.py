"""The queue's database: made, brought up to date, and refusing in plain words."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Protocol

import pytest

from cdr.errors import CdrError
from fraud.candidates import Candidate
from fraud.errors import QueueFailed, QueueTooNew
from fraud.review import database
from fraud.review.queue import OpenedCases, cases, open_case_count, open_cases

pytestmark = [pytest.mark.from_nothing, pytest.mark.slow]

ROOT = Path(__file__).parents[3]

OPEN_ONE_CASE = """
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from fraud.candidates import Candidate
from fraud.review.queue import open_cases

def one_night():
    return open_cases(
        Path(sys.argv[1]), [Candidate("acc-1", 0.5, "medium", 1, "similarity")],
        run_id="r", as_of=date(2026, 3, 2), now=datetime(2026, 3, 2, 3, tzinfo=UTC),
    )
"""
KILL = "lambda *args, **kwargs: os.kill(os.getpid(), signal.SIGKILL)"


def start(script: str, home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", OPEN_ONE_CASE + script, str(home)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


class OneNight(Protocol):
    def __call__(self, home: Path, account_id: str = "acc-1") -> OpenedCases: ...


@pytest.fixture
def one_night(candidate: Callable[..., Candidate]) -> OneNight:
    def run(home: Path, account_id: str = "acc-1") -> OpenedCases:
        now, as_of = datetime(2026, 3, 2, 3, tzinfo=UTC), date(2026, 3, 2)
        return open_cases(home, [candidate(account_id)], run_id="r", as_of=as_of, now=now)

    return run


def test_the_database_is_the_owners_alone_and_in_write_ahead_mode(tmp_path: Path) -> None:
    home = tmp_path / "not" / "there"
    assert open_case_count(home) == 0
    assert stat.S_IMODE((home / database.FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    with sqlite3.connect(home / database.FILE) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
    assert [file.name for file in home.iterdir()] == [database.FILE]


def test_two_homes_in_one_process_stay_apart(tmp_path: Path, one_night: OneNight) -> None:
    one_night(tmp_path / "a")
    assert open_case_count(tmp_path / "b") == 0
    assert open_case_count(tmp_path / "a") == 1


def test_two_processes_at_once_make_one_case(tmp_path: Path) -> None:
    script = "print('ready', flush=True); input(); print(one_night().opened)"
    both = [start(script, tmp_path), start(script, tmp_path)]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    opened = sorted(process.communicate(timeout=180)[0] for process in both)
    assert opened == ["0\n", "1\n"]
    assert len(cases(tmp_path)) == 1


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        pytest.param("models.CaseEvent.objects", "bulk_create", id="among-the-cases"),
        pytest.param("MigrationRecorder", "record_applied", id="migrating"),
    ],
)
def test_a_kill_in_the_middle_leaves_nothing(
    tmp_path: Path, one_night: OneNight, owner: str, name: str
) -> None:
    script = f"""
import os, signal
from fraud.review import database
database.set_up()
from django.db.migrations.recorder import MigrationRecorder
from fraud.review import models
{owner}.{name} = {KILL}
one_night()
"""
    process = start(script, tmp_path)
    process.communicate(timeout=180)
    assert process.returncode == -signal.SIGKILL
    assert cases(tmp_path) == ()
    assert one_night(tmp_path).opened == 1


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    open_case_count(tmp_path)
    with sqlite3.connect(tmp_path / database.FILE) as connection:
        connection.execute(
            "INSERT INTO django_migrations (app, name, applied)"
            " VALUES ('review', '0999_later', '2030-01-01')"
        )
    connection.close()
    with pytest.raises(QueueTooNew, match="migration 0999_later, which this version does not"):
        open_case_count(tmp_path)


def test_models_and_migrations_agree() -> None:
    database.set_up()
    from django.apps import apps
    from django.db.migrations.autodetector import MigrationAutodetector
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.state import ProjectState

    loader = MigrationLoader(None)
    now = ProjectState.from_apps(apps)
    assert MigrationAutodetector(loader.project_state(), now).changes(graph=loader.graph) == {}


def test_a_busy_database_is_waited_for_and_then_said(
    tmp_path: Path, one_night: OneNight, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_night(tmp_path)
    from django.db import connections

    monkeypatch.setitem(connections["default"].settings_dict["OPTIONS"], "timeout", 0.05)
    other = sqlite3.connect(tmp_path / database.FILE, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(QueueFailed, match="another process is writing"):
            one_night(tmp_path)
        assert open_case_count(tmp_path) == 1  # readers do not wait
    finally:
        other.close()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"acc-1;+49301234567\n" * 300, "is not a database", id="text"),
        pytest.param(None, "cannot be opened", id="a-folder"),
    ],
)
def test_what_is_no_database_is_said(tmp_path: Path, content: bytes | None, message: str) -> None:
    file = tmp_path / database.FILE
    file.mkdir() if content is None else file.write_bytes(content)
    with pytest.raises(QueueFailed, match=message) as failed:
        open_case_count(tmp_path)
    assert failed.value.__cause__ is None
    assert str(tmp_path) not in str(failed.value)


def test_a_damaged_database_is_said(tmp_path: Path, one_night: OneNight) -> None:
    one_night(tmp_path)
    file = tmp_path / database.FILE
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xff" * len(content[4096:])
    file.write_bytes(content)
    with pytest.raises(QueueFailed, match="is damaged; restore it"):
        open_case_count(tmp_path)


@pytest.fixture
def open_home() -> Iterator[Path]:
    """Make a home that another user can reach."""
    home = Path(tempfile.mkdtemp())
    home.chmod(0o755)
    yield home
    home.chmod(0o755)
    shutil.rmtree(home)


@pytest.fixture
def ordinary_user(tmp_path: Path) -> Iterator[None]:
    """Be somebody whom file permissions bind, also where the tests run as root."""
    open_case_count(tmp_path)  # loads what that somebody may not be allowed to read
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(0)


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_database_that_cannot_be_written_is_said(
    what: str, open_home: Path, one_night: OneNight, request: pytest.FixtureRequest
) -> None:
    one_night(open_home)
    (open_home / database.FILE).chmod(0o444 if what == "file" else 0o644)
    open_home.chmod(0o777 if what == "file" else 0o555)
    request.getfixturevalue("ordinary_user")
    with pytest.raises(CdrError, match=r"cannot be (written|opened)"):
        one_night(open_home, "acc-2")


def test_a_home_that_cannot_be_made_is_said(open_home: Path, ordinary_user: None) -> None:
    open_home_of_root = open_home / "home"
    with pytest.raises(CdrError, match="no permission to read or write there"):
        open_case_count(open_home_of_root)
