"""Accounting rows out of real servers: every row once a call, whenever it was committed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg
import pymysql
import pytest
from ports import STARTS_WITHIN_S, free_port

import cdr
from cdr.errors import SettingsError, SourceFailed
from cdr.ingest import ingest
from cdr.pull import pull
from cdr.schema import REJECTS
from cdr.settings import SourceSettings

if TYPE_CHECKING:
    from conftest import RunCommand

NOW = datetime(2026, 9, 3, tzinfo=UTC)
SOURCE = SourceSettings(format="opensips_acc", zone="UTC", country="DE", account_from="none")
PASSWORD = "s3cret-Word"
TABLE = """
    CREATE TABLE acc (
        id INTEGER PRIMARY KEY, method VARCHAR(16), from_tag VARCHAR(64), to_tag VARCHAR(64),
        callid VARCHAR(64), sip_code VARCHAR(3), sip_reason VARCHAR(128), time TIMESTAMP NOT NULL,
        from_uri VARCHAR(128), to_uri VARCHAR(128)
    )
"""
Execute = Callable[..., None]


def add(execute: Execute, number: int, method: str, call: str, code: str = "200") -> None:
    """Write a row as the proxy would, a minute later than the one before."""
    execute(
        "INSERT INTO acc VALUES (%s, %s, 'f', 't', %s, %s, 'a \"reason\", said', %s, "
        "'sip:+4930901820@a.example', 'sip:+442079460018@b.example')",
        (number, method, call, code, f"2026-09-01 12:{number % 60:02d}:07"),
    )


@contextmanager
def folder_of(user: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Give a folder that a server may own; servers refuse to run as root."""
    folder = Path(tempfile.mkdtemp(prefix="cs-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, user, user)
            yield folder, {"user": user, "group": user, "extra_groups": []}
        else:
            yield folder, {}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(command: list[str | Path], answers: Callable[[], None], **more: Any) -> Iterator[None]:
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
    until = time.monotonic() + STARTS_WITHIN_S
    try:
        while True:
            try:
                answers()
                break
            except (psycopg.Error, pymysql.Error):
                assert server.poll() is None, "the server ended"
                assert time.monotonic() < until, "the server did not answer"
                time.sleep(0.1)
        yield
    finally:
        server.terminate()
        server.wait(120)


@pytest.fixture(scope="module")
def postgres() -> Iterator[tuple[str, Execute]]:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = shutil.which("initdb") or (str(found[-1]) if found else None)
    if initdb is None:
        pytest.skip("no PostgreSQL server is installed")
    port = free_port()
    url = f"postgresql://postgres:{PASSWORD}@127.0.0.1:{port}/postgres"
    with folder_of("postgres") as (folder, who):
        (folder / "pw").write_text(PASSWORD)
        (folder / "pw").chmod(0o644)
        data = folder / "data"
        subprocess.run(
            [initdb, "-D", data, "-U", "postgres", "-A", "scram-sha-256",
             "--pwfile", folder / "pw", "-E", "UTF8", "--no-locale"],
            check=True, stdout=subprocess.DEVNULL, **who,
        )  # fmt: skip
        server = [Path(initdb).with_name("postgres"), "-D", data, "-p", str(port), "-k", folder]
        with running(server, lambda: psycopg.connect(url).close(), **who):

            def execute(statement: str, values: Any = None) -> None:
                with psycopg.connect(url, autocommit=True) as connection:
                    connection.execute(statement, values)  # type: ignore[call-overload]

            yield url, execute


@pytest.fixture(scope="module")
def mysql() -> Iterator[tuple[str, Execute]]:
    server, install = shutil.which("mariadbd"), shutil.which("mariadb-install-db")
    if server is None or install is None:
        pytest.skip("no MariaDB server is installed")
    port = free_port()
    url = f"mysql://proxy:{PASSWORD}@127.0.0.1:{port}/test"
    with folder_of("mysql") as (folder, who):
        data, begin = folder / "data", folder / "begin.sql"
        begin.write_text(
            "CREATE DATABASE IF NOT EXISTS test;\n"
            f"CREATE USER proxy@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n"
            "GRANT ALL ON test.* TO proxy@'127.0.0.1';\n"
        )
        begin.chmod(0o644)
        subprocess.run(
            [install, "--no-defaults", f"--datadir={data}"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **who,
        )  # fmt: skip

        def connect() -> Any:
            return pymysql.connect(
                host="127.0.0.1", port=port, user="proxy", password=PASSWORD, database="test",
                autocommit=True,
            )  # fmt: skip

        words = [
            server, "--no-defaults", f"--datadir={data}", f"--port={port}",
            "--bind-address=127.0.0.1", "--skip-name-resolve", f"--socket={folder}/s",
            f"--init-file={begin}", f"--pid-file={folder}/pid",
        ]  # fmt: skip
        with running(words, lambda: connect().close(), **who):

            def execute(statement: str, values: Any = None) -> None:
                with connect() as connection, connection.cursor() as cursor:
                    cursor.execute(statement, values)

            yield url, execute


@pytest.fixture(
    params=[
        pytest.param("postgres", marks=pytest.mark.postgres),
        pytest.param("mysql", marks=pytest.mark.mysql),
    ]
)
def database(request: pytest.FixtureRequest) -> tuple[str, Execute]:
    url, execute = request.getfixturevalue(request.param)
    execute("DROP TABLE IF EXISTS acc")
    execute(TABLE)
    return url, execute


@pytest.fixture
def lake(tmp_path: Path) -> cdr.Lake:
    return cdr.open_lake(cdr.load_settings(home=tmp_path / "home"), create=True)


def take_in(lake: cdr.Lake, url: str) -> list[tuple[str, int | None, list[str]]]:
    """Pull, take in, and return the calls: id, length, flags."""
    files = pull(lake.home.inbox / "proxy", "acc", url=url)
    if files:
        ingest(lake, files, source_name="proxy", source=SOURCE, now=NOW)
    calls = lake.calls().select("call_id", "duration_ms", "flags").sort("call_id").collect()
    return calls.rows()


def test_a_bye_that_arrives_later_completes_its_call(
    database: tuple[str, Execute], lake: cdr.Lake
) -> None:
    url, execute = database
    assert take_in(lake, url) == []
    add(execute, 1, "INVITE", "c1")
    add(execute, 2, "INVITE", "c2")
    add(execute, 3, "BYE", "c2")
    open_ended = ["missing_bye", "start_at_answer", "no_account"]
    done = ["start_at_answer", "no_account"]
    assert take_in(lake, url) == [("c1", None, open_ended), ("c2", 60_000, done)]
    assert pull(lake.home.inbox / "proxy", "acc", url=url) == []  # nothing new
    add(execute, 5, "BYE", "c1")
    assert take_in(lake, url) == [("c1", 240_000, done), ("c2", 60_000, done)]
    add(execute, 4, "INVITE", "late")  # committed after its neighbours
    add(execute, 6, "INVITE", "c3", "486")
    assert [call for call, _, _ in take_in(lake, url)] == ["c1", "c2", "c3", "late"]


def test_pages_are_files_and_the_mark_outlives_them(
    database: tuple[str, Execute], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, execute = database
    monkeypatch.setattr("cdr.pull.PAGE_IDS", 2)
    monkeypatch.setattr("cdr.pull.OVERLAP_IDS", 0)
    for number in (1, 2, 5, 6):
        add(execute, number, "INVITE", f"c{number}")
    files = pull(tmp_path / "proxy", "acc", url=url)
    assert [file.name for file in files] == [
        "acc-000000000000-000000000002.csv",
        "acc-000000000004-000000000006.csv",
    ]
    assert all(len(file.read_bytes().splitlines()) == 3 for file in files)
    assert pull(tmp_path / "other", "acc", url=url, taken=[files[-1].name]) == []
    assert not list(tmp_path.rglob("*.part"))


def test_what_the_database_refuses_is_said_without_its_secrets(
    database: tuple[str, Execute], tmp_path: Path
) -> None:
    url, execute = database
    execute("CREATE TABLE other (number INTEGER)")
    nobody = url.replace(f":{urlsplit(url).port}/", f":{free_port()}/")
    for wrong, table, why in (
        (url, "nowhere", "there is no such table"),
        (url, "other", "it lacks a column"),
        (
            url.replace(PASSWORD, "wrong"),
            "acc",
            "the database does not accept this user and password",
        ),
        (nobody, "acc", "the database cannot be reached"),
    ):
        with pytest.raises(SourceFailed, match=f"table {table}: {why}") as caught:
            pull(tmp_path / "proxy", table, url=wrong)
        assert PASSWORD not in str(caught.value)
        assert "127.0.0.1" not in str(caught.value)
    add(execute, 7, "INVITE", "c7")
    with pytest.raises(SourceFailed, match="read it as a source with a new name"):
        pull(tmp_path / "proxy", "acc", url=url, taken=["acc-000000000000-000000000009.csv"])
    assert list(tmp_path.rglob("*.csv")) == []


def test_a_text_of_several_lines_is_one_row(database: tuple[str, Execute], lake: cdr.Lake) -> None:
    url, execute = database
    execute("ALTER TABLE acc ADD COLUMN notes VARCHAR(64)")
    add_long = (
        "INSERT INTO acc VALUES (%s, %s, 'f', 't', 'c1', '200', 'OK', %s, 'sip:1@a', 'sip:2@b', %s)"
    )
    for number, method in ((1, "INVITE"), (2, "BYE")):
        execute(add_long, (number, method, f"2026-09-01 12:0{number}:07", 'v=0\r\no="-", 1\n'))
    assert [(call, ms) for call, ms, _ in take_in(lake, url)] == [("c1", 60_000)]
    (file,) = (lake.home.inbox / "proxy").iterdir()
    assert file.read_text().count('"v=0  o=""-"", 1 "') == 2


def test_blanks_that_fill_a_column_up_are_no_part_of_its_text(
    database: tuple[str, Execute], lake: cdr.Lake
) -> None:
    url, execute = database
    execute("DROP TABLE acc")
    execute(TABLE.replace("VARCHAR", "CHAR"))
    values = "INSERT INTO acc VALUES (%s, %s, 'f', %s, %s, %s, '', %s, 'sip:1@a', 'sip:2@b')"
    rows = [("INVITE", "t", "c1", "200"), ("BYE", "t", "c1", "200"), ("INVITE", "", "c2", "486")]
    for number, row in enumerate(rows, start=1):
        execute(values, (number, *row, f"2026-09-01 12:0{number}:07"))
    assert [(call, ms) for call, ms, _ in take_in(lake, url)] == [("c1", 60_000), ("c2", None)]
    assert lake.scan(REJECTS).collect().is_empty()
    calls = lake.calls().sort("call_id").select("source_record_id", "callee_raw").collect()
    assert calls.rows() == [("c1;f;t", "sip:2@b"), ("c2;f;", "sip:2@b")]


@pytest.mark.mysql
def test_bytes_that_are_no_text_spoil_only_the_field_they_are_in(
    mysql: tuple[str, Execute], lake: cdr.Lake
) -> None:
    url, execute = mysql
    execute("DROP TABLE IF EXISTS acc")
    execute(TABLE.replace("callid VARCHAR", "callid VARBINARY"))
    execute("ALTER TABLE acc ADD COLUMN notes BLOB DEFAULT 0xff00fe")
    for number, method, call in ((1, "INVITE", "c1"), (2, "BYE", "c1"), (3, "INVITE", b"\0c2")):
        execute(
            "INSERT INTO acc (id, method, from_tag, to_tag, callid, sip_code, time, from_uri, "
            "to_uri) VALUES (%s, %s, 'f', 't', %s, '200', %s, 'sip:1@a', 'sip:2@b')",
            (number, method, call, f"2026-09-01 12:0{number}:07"),
        )
    assert [(call, ms) for call, ms, _ in take_in(lake, url)] == [("c1", 60_000)]
    rejects = lake.scan(REJECTS).select("line", "reasons").collect().rows()
    assert rejects == [(4, ["not_utf8"])]


@pytest.mark.postgres
def test_dates_do_not_depend_on_how_the_server_writes_them(
    postgres: tuple[str, Execute], lake: cdr.Lake
) -> None:
    url, execute = postgres
    execute("DROP TABLE IF EXISTS acc")
    execute(TABLE)
    add(execute, 1, "INVITE", "c1")
    execute("ALTER DATABASE postgres SET datestyle TO 'German'")
    try:
        assert [call for call, _, _ in take_in(lake, url)] == ["c1"]
    finally:
        execute("ALTER DATABASE postgres RESET ALL")


def test_a_dry_run_looks_at_the_newest_rows_and_leaves_nothing(
    database: tuple[str, Execute], callsieve: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, execute = database
    monkeypatch.setenv("PROXY_URL", url)
    Path("callsieve.toml").write_text(
        '[sources.proxy]\nformat = "opensips_acc"\nzone = "UTC"\ncountry = "DE"\n'
        'account_from = "none"\ndatabase_url_env = "PROXY_URL"\n'
    )
    look = ("--home", "h", "ingest", "--source", "proxy", "--dry-run", "--json")
    assert callsieve(*look).found == {"files": []}
    add(execute, 1, "INVITE", "c1")
    add(execute, 2, "BYE", "c1")
    (file,) = callsieve(*look).found["files"]
    assert [call["duration_ms"] for call in file["calls"]] == [60_000]
    assert not Path("h").exists()


def test_another_kind_of_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no postgresql:// and no mysql:// address"):
        pull(tmp_path, "acc", url="sqlite:///x")


@pytest.mark.parametrize("url", ["postgresql://u:s3cret@[x/db", "mysql://u:s3cret@host:x/db"])
def test_what_is_no_address_is_said_without_its_secrets(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match="is no address; write scheme") as caught:
        pull(tmp_path, "acc", url=url)
    assert "s3cret" not in str(caught.value)


def test_the_address_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    source = SOURCE.model_copy(update={"database_url_env": "PROXY_URL"})
    with pytest.raises(SettingsError, match="the environment has no PROXY_URL"):
        source.database_url()
    monkeypatch.setenv("PROXY_URL", "postgresql://x/y")
    assert source.database_url() == "postgresql://x/y"
    assert SOURCE.database_url() is None
