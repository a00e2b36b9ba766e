"""`callsieve lake`: what lies there, whether it is sound, few files, and what was done."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import cdr
from cdr.ingest import ingest
from cdr.lake.stats import SourceStats
from cdr.schema import CALLS
from pipelines.commands.lake import in_words

if TYPE_CHECKING:
    from conftest import Ran, RunCommand
    from pipelines.conftest import Operator


SETTINGS = """\
[sources.pbx]
format = "plain_csv"
zone = "UTC"
country = "DE"
"""
HEADER = "record_id,account_id,caller,callee,started_at,duration_s,outcome\n"


@dataclass(frozen=True)
class Store:
    """A home with its settings beside it."""

    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def words(self) -> tuple[str, ...]:
        return ("--home", str(self.home), "--config", str(self.folder / "callsieve.toml"))


def run(callsieve: RunCommand, store: Store | Operator, *words: str) -> Ran:
    return callsieve(*store.words, *words)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Take in nine files: seven of one day, and none of the third."""
    store = Store(tmp_path_factory.mktemp("made"))
    config = store.folder / "callsieve.toml"
    config.write_text(SETTINGS)
    settings = cdr.load_settings(config, home=store.home)
    lake = cdr.open_lake(settings, create=True)
    for number, day in enumerate((2, 2, 2, 2, 2, 2, 1, 2, 4)):
        file = store.folder / f"{number}.csv"
        at = f"2026-09-0{day} 12:0{9 - number}:00"
        file.write_text(f"{HEADER}r{number},a{number},0301234567,0301234568,{at},9,answered\n")
        source = settings.sources["pbx"]
        ingest(lake, [file], source_name="pbx", source=source, now=datetime.now(tz=UTC))
    return store


@pytest.fixture
def taken_in(made: Store, tmp_path: Path) -> Store:
    """Give a copy of the store that may be changed."""
    return Store(Path(shutil.copytree(made.folder, tmp_path / "store")))


def test_stats_count_tables_and_name_silent_days(callsieve: RunCommand, taken_in: Store) -> None:
    found = run(callsieve, taken_in, "lake", "stats", "--json").found
    (calls,) = (table for table in found["tables"] if table["table"] == "calls")
    assert (calls["rows"], calls["files"], calls["days"], calls["small_files"]) == (9, 9, 3, 9)
    assert (calls["first_day"], calls["last_day"], calls["crowded_days"]) == (
        "2026-09-01", "2026-09-04", 1,
    )  # fmt: skip
    assert found["sources"] == [
        {
            "source": "pbx",
            "legs": 9,
            "without_account": 0,
            "days": 3,
            "first_day": "2026-09-01",
            "last_day": "2026-09-04",
            "missing_days": ["2026-09-03"],
        }
    ]
    assert "none on 2026-09-03" in run(callsieve, taken_in, "lake", "stats").out


def test_stats_say_what_is_missing_of_each_sourcein_words() -> None:
    def source(name: str, last: int, *missing: int, without: int = 0) -> SourceStats:
        days = tuple(date(2026, 9, day) for day in missing)
        return SourceStats(
            name, 1234, without, last - len(days), date(2026, 9, 1), date(2026, 9, last), days
        )

    newest = date(2026, 9, 9)
    assert in_words(source("a", 9), newest) == (
        "a: 1,234 legs on 9 days, 2026-09-01 to 2026-09-09; no day is missing"
    )
    assert in_words(source("b", 8, 2, 3, 4, 6, without=71), newest) == (
        "b: 1,234 legs (71 without an account) on 4 days, 2026-09-01 to 2026-09-08; "
        "none on 2026-09-02 to 2026-09-04, 2026-09-06, none after 2026-09-08"
    )


def test_stats_of_a_damaged_lake_count_what_the_log_says(
    callsieve: RunCommand, taken_in: Store
) -> None:
    next((taken_in.home / "lake" / "calls").rglob("*.parquet")).unlink()
    ran = run(callsieve, taken_in, "lake", "stats")
    assert ran.code == 3
    assert "calls" in ran.out
    assert "`callsieve lake verify` names it" in ran.err


def test_a_file_that_is_gone_stops_those_questions_alone_that_need_it(
    callsieve: RunCommand, taken_in: Store
) -> None:
    next((taken_in.home / "lake" / "calls").rglob("*2026-09-01/*.parquet")).unlink()

    def asked(what: str) -> int:
        return run(callsieve, taken_in, "query", what, "--purpose", "billing", "--json").code

    assert asked("SELECT count(*) FROM ingests") == 0
    assert asked("SELECT max(duration_ms) FROM calls WHERE call_date = '2026-09-04'") == 0
    assert asked("SELECT max(duration_ms) FROM calls") == 3
    with pytest.raises(cdr.CdrError, match="damaged or gone"):
        cdr.open_lake(cdr.load_settings(home=taken_in.home)).calls()


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def turn(file: Path) -> None:
    """Turn every tenth byte of the columns and of the footer."""
    content = bytearray(file.read_bytes())
    for place in range(4, len(content) - 8, 10):
        content[place] ^= 0xFF
    file.write_bytes(content)


def turn_pages(file: Path) -> None:
    """Turn every third byte of the first half, where the columns are."""
    content = bytearray(file.read_bytes())
    for place in range(4, len(content) // 2, 3):
        content[place] ^= 0xFF
    file.write_bytes(content)


def empty(file: Path) -> None:
    file.write_bytes(b"")


@pytest.mark.parametrize("damage", [Path.unlink, empty, cut, turn, turn_pages])
def test_a_damaged_data_file_is_saidin_words(
    callsieve: RunCommand, taken_in: Store, damage: Callable[[Path], object]
) -> None:
    damage(next((taken_in.home / "lake" / "calls").glob("*=2026-09-02/*.parquet")))
    sql = "SELECT max(COLUMNS(*)::VARCHAR) FROM calls"
    said = "a data file is damaged or gone; `callsieve lake verify` names it"
    ran = run(callsieve, taken_in, "query", sql, "--purpose", "billing")
    assert ran.code == 3
    assert said in ran.err
    ran = run(callsieve, taken_in, "lake", "compact")
    assert ran.code == 1
    assert f"0 days of calls rewritten\ncalls of 2026-09-02 not compacted: {said}" in ran.out
    lake = cdr.open_lake(cdr.load_settings(home=taken_in.home))
    with pytest.raises(cdr.CdrError, match="damaged or gone"):
        lake.connect("billing").sql(sql).fetchall()


def test_compact_rewrites_crowded_days_once_and_loses_nothing(
    callsieve: RunCommand, taken_in: Store
) -> None:
    lake = cdr.open_lake(cdr.load_settings(home=taken_in.home))
    before = lake.calls().collect().sort("record_id")
    assert run(callsieve, taken_in, "lake", "compact", "--json").found["days"] == 1
    assert run(callsieve, taken_in, "lake", "compact", "--json").found["days"] == 0
    assert [f.rows for f in lake.files(CALLS)] == [1, 7, 1]
    assert lake.calls().collect().sort("record_id").equals(before)
    assert run(callsieve, taken_in, "lake", "verify").code == 0


def test_verify_ends_with_1_and_names_the_file(callsieve: RunCommand, taken_in: Store) -> None:
    good = run(callsieve, taken_in, "lake", "verify", "--json")
    assert (good.code, good.found["faults"]) == (0, [])
    lake = cdr.open_lake(cdr.load_settings(home=taken_in.home))
    file = lake.files(CALLS)[0].path
    (lake.home.lake / "calls" / file).unlink()
    bad = run(callsieve, taken_in, "lake", "verify", "--json")
    assert bad.code == 1
    assert bad.found["faults"] == [
        {"table": "calls", "what": "the log names a file that is not there", "file": file}
    ]
    shown = run(callsieve, taken_in, "lake", "verify").out
    assert "1 fault" in shown
    assert "copy each file that is named back" in shown


def test_history_says_what_each_batch_did(callsieve: RunCommand, taken_in: Store) -> None:
    run(callsieve, taken_in, "lake", "compact")
    commits = run(callsieve, taken_in, "lake", "history", "--json").found["commits"]
    assert [commit["did"] for commit in commits][-9:] == ["ingest"] * 9
    assert next(c["did"] for c in commits if "calls" in c["tables"]) == "compact"
    (change,) = (
        c["tables"]["calls"] for c in commits if c["tables"].get("calls", {}).get("files_removed")
    )
    assert (change["rows_added"], change["rows_removed"], change["files_removed"]) == (7, 7, 7)
    assert len(run(callsieve, taken_in, "lake", "history", "--limit", "2").out.splitlines()) == 2


@pytest.mark.parametrize("command", ["stats", "verify", "compact", "history"])
def test_without_a_lake_it_says_what_makes_one(
    callsieve: RunCommand, operator: Operator, command: str
) -> None:
    ran = run(callsieve, operator, "lake", command, "--json")
    assert ran.code == 2
    assert "`callsieve ingest` or `callsieve nightly` make one" in ran.found["error"]
    helped = callsieve("lake", command, "--help").out
    assert f"Example: callsieve lake {command}" in helped
