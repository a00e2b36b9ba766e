"""The queue on a real PostgreSQL: the same rules, and two reviewers who skip each other's rows."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from ports import STARTS_WITHIN_S, free_port
from review_site import MORNING, NIGHT, PASSWORD, PLAIN, Site, act, site_settings

from cdr.errors import SettingsError
from fraud.candidates import Candidate, Reason
from fraud.review import database
from fraud.review.cases import Status
from fraud.review.decisions import Action
from fraud.review.queue import (
    cases,
    decisions_as_labels,
    new_person,
    open_case_count,
    open_cases,
)
from fraud.review.rights import Role

ROOT = Path(__file__).parents[3]
POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def as_ordinary_user(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root."""
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command] \
        if os.geteuid() == 0 else command  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a PostgreSQL of our own on this machine; its address without the database's name."""
    if not POSTGRES:
        if os.environ.get("CI"):
            pytest.fail("CI has no PostgreSQL: .ci/run installs it")
        pytest.skip("no PostgreSQL: apt-get install postgresql")
    tools, port = POSTGRES[-1], free_port()
    folder = Path(mkdtemp(prefix="callsieve-postgres-", dir="/tmp"))  # sockets need a short name
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    data = folder / "data"

    def run(tool: str, *words: str) -> None:
        # to nowhere: the server that pg_ctl leaves behind would hold a pipe open
        quiet = subprocess.DEVNULL
        command = as_ordinary_user([str(tools / tool), *words])
        subprocess.run(command, check=True, stdout=quiet, stderr=quiet)

    try:
        words = ("-U", "callsieve", "--auth=trust", "-E", "UTF8", "--no-locale")
        run("initdb", "-D", str(data), *words)
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        wait = ("-w", "-t", str(STARTS_WITHIN_S))
        run("pg_ctl", "-D", str(data), "-o", options, *wait, "-l", str(folder / "log"), "start")
        try:
            yield f"postgresql://callsieve@127.0.0.1:{port}/"
        finally:
            run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def on_postgres(
    server: str, filled_home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Path]:
    """Point the queue at a fresh database of that server."""
    import psycopg

    name = f"q{abs(hash(tmp_path.name)) % 10**9}"
    with psycopg.connect(f"{server}postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    monkeypatch.setenv(database.URL, f"{server}{name}")
    yield tmp_path / "home"
    from django.db import connections

    connections.close_all()


def candidates(count: int) -> list[Candidate]:
    from dataclasses import replace

    return [replace(PLAIN, account_id=f"acc-{n}", rank=n) for n in range(1, count + 1)]


def open_some(home: Path, count: int = 3) -> None:
    open_cases(home, candidates(count), run_id="r", as_of=NIGHT, now=MORNING)


@pytest.mark.postgres
def test_a_night_and_a_decision_live_there(on_postgres: Path) -> None:
    open_some(on_postgres)
    open_some(on_postgres)
    assert open_case_count(on_postgres) == 3
    act(on_postgres, 1, Action.TAKE, at=MORNING)
    act(on_postgres, 1, Action.CLEAR, at=MORNING, reason="coincidence")
    assert [c.account_id for c in cases(on_postgres, status=Status.CLEARED)] == ["acc-1"]
    labels = decisions_as_labels(on_postgres, before=MORNING + timedelta(days=1))
    assert labels.select("account_id", "label").rows() == [("acc-1", 0)]
    assert not (on_postgres / database.FILE).exists()


@pytest.mark.postgres
def test_hostile_text_does_not_stop_the_night_there(on_postgres: Path) -> None:
    from dataclasses import replace

    hostile = "<b>'; DROP TABLE review_case; --\x00\u202e"
    one = replace(PLAIN, reasons=(Reason("s", 1.0, hostile, 1.0),))
    open_cases(on_postgres, [one], run_id="r", as_of=NIGHT, now=MORNING)
    again = open_cases(on_postgres, [one], run_id="r", as_of=NIGHT, now=MORNING)
    assert (again.opened, again.unchanged) == (0, 1)


@pytest.mark.postgres
def test_the_database_refuses_a_second_open_case(on_postgres: Path) -> None:
    from fraud.errors import QueueFailed

    open_some(on_postgres, 1)

    def open_another() -> None:
        with database.queue_database(on_postgres):
            from fraud.review import models

            row = models.Case.objects.get()
            row.pk, row.status = None, Status.TAKEN
            row.save(force_insert=True)

    with pytest.raises(QueueFailed, match="Violation"):
        open_another()


TAKE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from fraud.review.database import queue_database
with queue_database(Path(sys.argv[1])):
    from fraud.review import desk
    from fraud.review.models import Staff
    staff = Staff.objects.get(user__username=sys.argv[2])
    print("ready", flush=True)
    input()
    taken = [desk.next_case(staff, now=datetime.now(tz=UTC)) for _ in range(40)]
    print([one for one in taken if one is not None])
"""


@pytest.mark.postgres
def test_four_reviewers_at_once_never_take_the_same(on_postgres: Path) -> None:
    open_some(on_postgres, 100)
    names = ["ann", "ben", "cat", "dan"]
    for name in names:
        new_person(on_postgres, name, PASSWORD, role=Role.REVIEWER, by="test", now=MORNING)
    started = [
        subprocess.Popen(
            [sys.executable, "-c", TAKE, str(on_postgres), name],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for name in names
    ]  # fmt: skip
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    taken: list[int] = []
    for process in started:
        taken += eval(process.communicate(timeout=300)[0])  # a list of numbers that we printed
    assert sorted(taken) == list(range(1, 101))


@pytest.mark.postgres
def test_pages_work_there(on_postgres: Path, filled_home: Path, account_reader: Any) -> None:
    from cdr.lake import open_lake
    from fraud.review.server import application
    from fraud.review.web import reader

    open_some(on_postgres)
    for name, role in (("ada", Role.REVIEWER), ("lea", Role.LEAD), ("dora", Role.DPO)):
        new_person(on_postgres, name, PASSWORD, role=role, by="test", now=MORNING)
    lake = open_lake(site_settings(on_postgres), create=True)
    application(lake)
    reader.use(account_reader)
    site = Site(on_postgres, lake)
    ada = site.client("ada")
    assert ada.get("/?band=medium&account=acc").context["page"].count == 3
    assert ada.post("/next")["Location"] == "/cases/1"
    assert ada.get("/cases/1").status_code == 200
    form = {"action": "clear", "reason": "coincidence", "note": "a\x00b"}
    assert ada.post("/cases/1/decide", form).status_code == 302
    assert site.client("lea").get("/team").status_code == 200
    assert site.client("dora").get("/audit").context["entries"]
    assert [c.status for c in cases(on_postgres, status=Status.CLEARED)] == ["cleared"]


@pytest.mark.parametrize(
    "url", ["mysql://u:secret-word@h/n", "postgresql://u:secret-word@h:port/n", "secret-word"]
)
def test_an_address_that_is_none_is_said_without_repeating_it(url: str) -> None:
    with pytest.raises(SettingsError, match="CALLSIEVE_DATABASE_URL") as refused:
        database.postgres_settings(url)
    assert "secret-word" not in str(refused.value)


def test_an_address_is_read_whole() -> None:
    found = database.postgres_settings("postgresql://ada:p%40ss@db.example:5433/q?sslmode=require")
    assert found == {
        "ENGINE": "django.db.backends.postgresql", "NAME": "q", "USER": "ada", "PASSWORD": "p@ss",
        "HOST": "db.example", "PORT": 5433, "OPTIONS": {"sslmode": "require"},
    }  # fmt: skip
