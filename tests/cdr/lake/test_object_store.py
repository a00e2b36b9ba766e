"""A lake on an object store keeps every promise that one in a folder keeps.

Against a real S3-compatible server on this machine, with real kills.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import psutil
import pytest
from killed import kill_after, kill_at, started, together
from object_server import BUCKET, KEY, KEY_ID, Machine, Server, lake_at, raw

import cdr
from cdr.errors import LakeBusy, StorageFailed, WrongUse
from cdr.ingest import ingest
from cdr.lake.compact import compact
from cdr.lake.stats import table_stats
from cdr.lake.verify import verify
from cdr.lake.versions import drop_old_versions, old_versions
from cdr.privacy.erasure import erase_from, left_in
from cdr.privacy.identifiers import identifiers_of
from cdr.privacy.requests import Person
from cdr.privacy.retention import retain, standing_of
from cdr.schema import CALL_HISTORY, CALLS, INGESTS, REJECTS
from cdr.settings import SourceSettings

if TYPE_CHECKING:
    from conftest import RunCommand

pytestmark = pytest.mark.s3

SOURCE = SourceSettings(format="plain_csv", zone="UTC", country="DE")
HEADER = "record_id,account_id,caller,callee,started_at,duration_s,outcome\n"
NOW = datetime(2026, 9, 9, tzinfo=UTC)


def row(number: int, *, day: int = 1, duration_s: int = 60) -> str:
    return (
        f"r{number},a{number % 3},030 1234567,+44 20 7946 {number % 10_000:04d},"
        f"2026-09-{day:02d} 12:{number % 60:02d}:00,{duration_s},answered\n"
    )


def write(file: Path, *rows: str) -> Path:
    file.write_text(HEADER + "".join(rows))
    return file


def take_in(machine: Machine, *files: Path) -> None:
    ingest(machine.lake(), files, source_name="s", source=SOURCE, now=NOW)


def take_in_singly(machine: Machine, *files: Path) -> None:
    for file in files:
        take_in(machine, file)


def squeeze(machine: Machine) -> None:
    compact(machine.lake())


def take_in_held_up(machine: Machine, file: Path) -> None:
    """Take a file in, but stop as a machine does that is put to sleep, just before publishing."""
    lake = machine.lake()
    publish = lake.store.publish

    def stopped(staged: object) -> None:
        os.kill(os.getpid(), signal.SIGSTOP)
        publish(staged)  # type: ignore[arg-type]

    lake.store.publish = stopped  # type: ignore[method-assign, assignment]
    try:
        ingest(lake, [file], source_name="s", source=SOURCE, now=NOW)
    except LakeBusy:
        os._exit(9)


def state(machine: Machine) -> dict[str, list[tuple[object, ...]]]:
    """Everything the tables say, without the names that a run gives."""
    lake, names = machine.lake(), {"ingest_id", "batch_id", "superseded_by"}
    return {
        table.name: sorted(
            lake.scan(table).drop(names & set(table.polars_schema)).collect().rows(), key=str
        )
        for table in (CALLS, CALL_HISTORY, REJECTS, INGESTS)
    }


def ids(lake: cdr.Lake) -> list[str]:
    return sorted(lake.calls().select("source_record_id").collect().to_series())


def unnamed(lake: cdr.Lake) -> set[str]:
    """Files of calls that no version of the table names."""
    return {f.path for f in lake.lying(CALLS)} - {f.path for f in lake.files(CALLS)}


@pytest.fixture
def there(here: Machine, tmp_path: Path) -> Machine:
    """Another machine of the same operator."""
    return Machine(here.store, tmp_path / "there")


def test_two_machines_take_in_at_once_and_what_they_share_is_there_once(
    here: Machine, there: Machine, tmp_path: Path
) -> None:
    ones = [write(tmp_path / f"1{n}", *map(row, range(n * 50, n * 50 + 80))) for n in range(2)]
    twos = [write(tmp_path / f"2{n}", *map(row, range(n * 50 + 20, n * 50 + 90))) for n in range(2)]
    here.lake()
    assert together((take_in_singly, (here, *ones)), (take_in_singly, (there, *twos))) == [0, 0]
    lake = here.lake()
    assert ids(lake) == sorted(f"r{n}" for n in range(140))
    ledger = lake.scan(INGESTS).collect()
    counts = ledger.select("read", "accepted", "duplicate").sum().row(0)
    assert (ledger.height, *counts) == (4, 300, 140, 160)
    assert verify(lake).faults == ()


def test_a_reader_on_another_machine_sees_whole_batches(
    here: Machine, there: Machine, tmp_path: Path
) -> None:
    files = [write(tmp_path / f"f{n}", *map(row, range(n * 30, n * 30 + 30))) for n in range(4)]
    here.lake()
    writer = threading.Thread(target=together, args=((take_in_singly, (here, *files)),))
    writer.start()
    lake, seen = there.lake(), set()
    while writer.is_alive():
        con = lake.connect("billing")
        calls = con.ask("SELECT count(*) AS n FROM calls", limit=1)["n"].item()
        known = con.ask("SELECT coalesce(sum(accepted), 0) AS n FROM ingests", limit=1)["n"].item()
        con.close()
        assert calls == known
        seen.add(calls)
    writer.join()
    assert seen <= set(range(0, 121, 30))
    assert ids(lake) == sorted(f"r{n}" for n in range(120))


@pytest.mark.parametrize(
    ("moment", "rows"),
    [
        pytest.param(("publish", 1), 2, id="before-publishing"),
        pytest.param(("_enter", 1), 2, id="all-files-are-there"),
        pytest.param(("_finish", 1), 4, id="the-journal-stands"),
        pytest.param(("commit", 2), 4, id="one-table-has-it"),
        pytest.param(("_sweep", 2), 4, id="all-is-done"),
    ],
)
def test_killed_here_and_finished_on_another_machine(
    here: Machine, there: Machine, tmp_path: Path, moment: tuple[str, int], rows: int
) -> None:
    take_in(here, write(tmp_path / "a", row(1), row(2)))
    second = write(tmp_path / "b", row(3), row(4, day=2))
    assert kill_at(moment, take_in, here, second)
    lake = there.lake()
    with lake.writing():  # waits until the lease of who was killed is over
        pass
    assert lake.calls().collect().height == rows
    take_in(there, second)
    assert ids(lake) == ["r1", "r2", "r3", "r4"]
    assert lake.scan(INGESTS).collect().height == 2
    assert unnamed(lake) == set()
    assert verify(lake).faults == ()


REQUESTS = {"below": 18, "get": 10, "put_new": 5, "delete": 4, "commit": 4, "_made": 3}
"""How often an ingest does each of these to the store, about."""


def test_an_ingest_killed_at_fifty_moments_loses_doubles_and_halves_nothing(
    here: Machine, server: Server, tmp_path: Path
) -> None:
    def files(turn: int) -> tuple[Path, Path]:
        """Three new calls, one of them corrected in the second file; a duplicate, a bad row."""
        first = turn * 10
        return (
            write(tmp_path / f"c{turn}", row(first), row(0), row(first + 1, day=2)),
            write(tmp_path / f"d{turn}", row(first, duration_s=61), row(first + 2), row(1, day=31)),
        )

    take_in(here, write(tmp_path / "a", row(0)))
    began = time.monotonic()
    take_in(here, *files(1))
    took_s, height = time.monotonic() - began, 4
    draw, outcomes = random.Random(7), set()
    moments = [(name, n) for name, often in REQUESTS.items() for n in range(1, often + 1)]
    for turn, moment in enumerate(draw.sample(moments, 34), start=2):
        died = kill_at(moment, take_in, here, *files(turn))
        outcomes.add(_taken_or_not(here, height, died=died))
        take_in(here, *files(turn))
        height += 3
        assert here.lake().calls().collect().height == height
    for turn in range(36, 52):
        died = kill_after(draw.uniform(0, took_s * 2), take_in, here, *files(turn))
        outcomes.add(_taken_or_not(here, height, died=died))
        take_in(here, *files(turn))
        height += 3
    assert outcomes == {False, True}
    lake = here.lake()
    assert lake.calls().collect().height == height
    assert lake.scan(CALL_HISTORY).collect().height == 51
    assert verify(lake).faults == ()
    removed = {path.rpartition("/")[2] for path in unnamed(lake)}
    assert removed <= lake.let_go(CALLS)  # what a killed writer had sent is gone
    assert raw(server, here.store.prefix).list("lake/_open/").collect() == []


def _taken_or_not(here: Machine, before: int, *, died: bool) -> bool:
    """Tell whether a batch of three calls is in; nothing between is allowed."""
    lake = here.lake()
    with lake.reading():
        calls, files = lake.calls().collect().height, lake.scan(INGESTS).collect().height
    taken = calls == before + 3
    assert calls in (before, before + 3)
    assert files == (before - 1) // 3 * 2 + 1 + 2 * taken
    assert died or taken
    return taken


def test_a_compaction_killed_at_moments_changes_no_row(here: Machine, tmp_path: Path) -> None:
    for number in range(6):
        take_in(here, write(tmp_path / f"{number}", row(number)))
    before = state(here)
    ended = False
    for moment in range(40, 100_000, 400):
        ended = not kill_at(moment, squeeze, here)
        assert state(here) == before
        if ended:
            break
    assert ended
    lake = here.lake()
    assert len(lake.files(CALLS)) == 1
    assert verify(lake).faults == ()


def test_a_writer_that_slept_is_refused_and_leaves_nothing(
    here: Machine, there: Machine, tmp_path: Path
) -> None:
    take_in(here, write(tmp_path / "a", row(1)))
    late = write(tmp_path / "late", row(2))
    sleeper = started(take_in_held_up, here, late)
    assert sleeper.pid
    while psutil.Process(sleeper.pid).status() != psutil.STATUS_STOPPED:
        time.sleep(0.05)
    take_in(there, write(tmp_path / "b", row(3)))
    os.kill(sleeper.pid, signal.SIGCONT)
    sleeper.join()
    assert sleeper.exitcode == 9
    lake = there.lake()
    assert ids(lake) == ["r1", "r3"]
    assert unnamed(lake) == set()
    take_in(here, late)
    assert ids(lake) == ["r1", "r2", "r3"]


def test_the_journal_refuses_who_does_not_know_that_its_lease_is_lost(
    here: Machine, there: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in(here, write(tmp_path / "a", row(1)))
    lake = here.lake()
    rows = lake.calls().collect().with_columns(pl.lit(b"other").alias("record_id"))
    with lake.batch() as batch, lake.writing():
        batch.add(CALLS, rows)
        monkeypatch.setattr("cdr.lake.lease.Lease.lost", False)
        lake.store._lease._end.set()  # type: ignore[attr-defined]
        take_in(there, write(tmp_path / "b", row(3)))
        with pytest.raises(LakeBusy, match="another took its place"):
            batch.publish()
    assert ids(there.lake()) == ["r1", "r3"]


def test_a_job_runs_once_on_all_machines(here: Machine, there: Machine) -> None:
    one, other = here.lake(), there.lake()
    with one.alone("nightly"), pytest.raises(LakeBusy), other.alone("nightly"):
        pass
    with other.alone("nightly"):
        pass


def test_retention_takes_rows_and_their_objects(here: Machine, tmp_path: Path) -> None:
    old = "r1,a1,030 1234567,+442079460001,2024-01-01 12:00:00,,busy\n"
    take_in(here, write(tmp_path / "a", old, row(2)))
    lake = here.lake()
    retain(lake, now=datetime(2026, 9, 20, tzinfo=UTC))
    assert ids(lake) == ["r2"]
    left = old_versions(lake)
    assert left.files > 0
    assert drop_old_versions(lake, hours=0) == left
    assert unnamed(lake) == set()
    assert ids(lake) == ["r2"]


def test_a_person_is_found_and_erased_in_objects(here: Machine, tmp_path: Path) -> None:
    take_in(here, write(tmp_path / "a", row(1)))
    take_in(here, write(tmp_path / "b", row(2)))
    lake = here.lake()
    who = identifiers_of(lake, Person("number", "+442079460001"))
    standing = standing_of(lake, now=datetime(2026, 9, 20, tzinfo=UTC))
    done = erase_from(lake, CALLS, who, standing, thoroughly=True)
    assert (done.files_before, done.files_rewritten, done.found["callee_number"]) == (2, 1, 1)
    assert left_in(lake, CALLS, who, standing).over == {}


def test_a_compacted_lake_is_read_from_the_new_files(here: Machine, tmp_path: Path) -> None:
    for number in range(6):
        take_in(here, write(tmp_path / f"{number}", row(number)))
    lake = here.lake()
    con = lake.connect("fraud")
    assert compact(lake).days == 1
    assert [
        len(lake.files(CALLS)),
        *(s.files for s in table_stats(lake) if s.table == "calls"),
    ] == [1, 1]
    assert con.sql("SELECT count(*) FROM calls").fetchall() == [(6,)]  # opened before
    assert ids(lake) == [f"r{n}" for n in range(6)]


def test_no_number_in_names_or_logs(here: Machine, server: Server, tmp_path: Path) -> None:
    take_in(here, write(tmp_path / "a", row(1)))
    outside = []
    store = raw(server, here.store.prefix)
    for meta in store.list().collect():
        outside.append(meta["path"].encode())
        if not meta["path"].endswith(".parquet"):
            outside.append(bytes(store.get(meta["path"]).bytes()))
    everything = b"\n".join(outside)
    assert b"numRecords" in everything
    for secret in (b"1234567", b"7946", KEY.encode(), KEY_ID.encode()):
        assert secret not in everything


# -- what is refused, in words ----------------------------------------------


class _Forgetful(BaseHTTPRequestHandler):
    """A store of the old kind: it has objects, and takes no notice of `If-None-Match`."""

    objects: dict[str, bytes] = {}

    def do_PUT(self) -> None:
        size = int(self.headers["Content-Length"])
        self.objects[self.path] = self.rfile.read(size)
        self._answer(200, b"")

    def do_GET(self) -> None:
        if "list-type" in self.path:
            self._answer(200, b"<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>")
        elif self.path in self.objects:
            self._answer(200, self.objects[self.path])
        else:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _answer(self, code: int, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"x"')
        self.send_header("Last-Modified", "Wed, 09 Sep 2026 00:00:00 GMT")
        self.end_headers()
        self.wfile.write(body)


def test_a_store_without_conditional_writes_is_refused(server: Server, tmp_path: Path) -> None:
    old = ThreadingHTTPServer(("127.0.0.1", 0), _Forgetful)
    threading.Thread(target=old.serve_forever, daemon=True).start()
    try:
        store = server.reached("x", endpoint=f"http://127.0.0.1:{old.server_port}")
        with pytest.raises(WrongUse, match="does not support conditional writes"):
            lake_at(store, tmp_path / "home")
    finally:
        old.shutdown()
        old.server_close()


@pytest.mark.parametrize(
    ("address", "changed", "code", "said"),
    [
        pytest.param("s3://nobody/x", {}, 3, "there is no such bucket", id="bucket"),
        pytest.param(
            f"s3://{BUCKET}/x", {"AWS_SECRET_ACCESS_KEY": "s3cr3t-but-wrong"}, 3,
            "the object store refuses these credentials", id="secret",
        ),
        pytest.param(
            f"s3://{BUCKET}/x", {"AWS_ACCESS_KEY_ID": "AKIANOTKNOWN"}, 3,
            "the object store refuses these credentials", id="key",
        ),
        pytest.param(
            f"s3://{BUCKET}/x", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, 3,
            "the object store cannot be reached", id="endpoint",
        ),
        pytest.param(f"s3://{BUCKET}/x", {}, 2, "there is no lake at", id="lake"),
        pytest.param(
            f"s3://{BUCKET}/x", {"AWS_ACCESS_KEY_ID": ""}, 2,
            "no credentials for the object store", id="none",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_without_a_secret(
    callsieve: RunCommand, server: Server, monkeypatch: pytest.MonkeyPatch,
    address: str, changed: dict[str, str], code: int, said: str,
) -> None:  # fmt: skip
    known = {
        "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": KEY,
        "AWS_ENDPOINT_URL": server.endpoint, "AWS_REGION": "eu-central-1",
    }  # fmt: skip
    for name, value in (known | changed).items():
        monkeypatch.setenv(name, value)
    if changed.get("AWS_ACCESS_KEY_ID") == "":
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    for words in (("lake", "stats"), ("query", "SELECT 1", "--purpose", "fraud")):
        ran = callsieve("--home", address, *words)
        assert ran.code == code
        assert said in ran.err
        assert ran.err.count("\n") == 1
        for secret in (KEY, KEY_ID, *changed.values()):
            assert not secret or secret not in ran.out + ran.err


def test_a_store_that_goes_away_is_said(here: Machine, tmp_path: Path) -> None:
    take_in(here, write(tmp_path / "a", row(1)))
    lake = here.lake()
    gone = here.store.model_copy(update={"endpoint": "http://127.0.0.1:9"})
    other = cdr.Lake(lake.settings.model_copy(update={"object_store": gone}))
    with pytest.raises(StorageFailed, match="cannot be reached"):
        other.files(CALLS)


# -- the commands -----------------------------------------------------------

SETTINGS = """
[sources.pbx]
format = "plain_csv"
zone = "UTC"
country = "DE"
"""


def test_every_command_works_on_an_object_store(
    callsieve: RunCommand, server: Server, here: Machine, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY)
    config = tmp_path / "callsieve.toml"
    store = f'[object_store]\naddress = "{here.store.address}"\nendpoint = "{server.endpoint}"\n'
    config.write_text(f'home = "{here.home}"\n{store}{SETTINGS}')
    inbox = here.home / "inbox" / "pbx"
    inbox.mkdir(parents=True)
    write(inbox / "a.csv", *map(row, range(30)))
    (here.home / "inbox" / "accounts.csv").write_text(
        "account_id,created_at,status,status_reason\n"
        "a0,2026-01-01T00:00:00Z,active,\na1,2026-01-01T00:00:00Z,blocked,fraud\n"
        "a2,2026-01-01T00:00:00Z,active,\n"
    )
    deck = tmp_path / "rates.csv"
    deck.write_text("prefix,destination,rate_per_min,currency\n44,UK,0.10,EUR\n49,DE,0.02,EUR\n")

    def run(*words: object, codes: tuple[int, ...] = (0,)) -> object:
        ran = callsieve("--config", config, *words, "--json")
        assert ran.code in codes, ran.err
        return ran.found

    night = run("nightly", "--date", "2026-09-01", codes=(0, 1))
    assert isinstance(night, dict)
    assert night["ingest"]["accepted"] == 30
    more = write(tmp_path / "b.csv", row(30), row(1))
    taken = run("ingest", more, "--source", "pbx")
    assert isinstance(taken, dict)
    found = run("query", "SELECT count(*) AS n FROM calls", "--purpose", "fraud")
    assert "31" in str(found)
    tables = run("lake", "stats")
    assert isinstance(tables, dict)
    assert {t["table"]: t["rows"] for t in tables["tables"]}["calls"] == 31
    run("lake", "compact")
    verified = run("lake", "verify")
    assert isinstance(verified, dict)
    assert verified["faults"] == []
    done = run("lake", "history")
    assert isinstance(done, dict)
    assert {"ingest", "import"} <= {commit["did"] for commit in done["commits"]}
    run("retention", codes=(0, 1))
    run("billing", "deck", "import", deck, "--name", "retail")
    run("billing", "extract", "--period", "2026-09", "--out", tmp_path / "out", codes=(0, 1))
    assert (tmp_path / "out" / "manifest.json").exists()
    run("doctor", codes=(0, 1))
    assert not list((here.home / "lake").rglob("*.parquet"))
