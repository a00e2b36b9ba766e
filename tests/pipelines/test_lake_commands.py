"""`callsieve lake`: what lies there, whether it is sound, few files, and what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import cdr
from cdr.schema import CALLS

if TYPE_CHECKING:
    from conftest import Ran, RunCommand
    from pipelines.conftest import Operator


def run(callsieve: RunCommand, operator: Operator, *words: str) -> Ran:
    return callsieve(*operator.words, *words)


@pytest.fixture
def taken_in(callsieve: RunCommand, operator: Operator) -> Operator:
    """Take each day in by itself, the second in six files, and no calls on the third."""
    operator.leave(2, *(operator.call(200 + n, "a1", 2, n) for n in range(5)))
    for part in range(6):
        file = operator.leave(20 + part, operator.call(300 + part, "a2", 2, 30 - part))
        assert run(callsieve, operator, "ingest", str(file), "--source", "pbx").code == 0
    for day in (1, 2, 4):
        file = operator.leave(day, operator.call(400 + day, "a1", day, 40))
        assert run(callsieve, operator, "ingest", str(file), "--source", "pbx").code == 0
    return operator


def test_stats_count_tables_and_name_silent_days(callsieve: RunCommand, taken_in: Operator) -> None:
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
            "days": 3,
            "first_day": "2026-09-01",
            "last_day": "2026-09-04",
            "missing_days": ["2026-09-03"],
        }
    ]
    assert "none on 2026-09-03" in run(callsieve, taken_in, "lake", "stats").out


def test_compact_rewrites_crowded_days_once_and_loses_nothing(
    callsieve: RunCommand, taken_in: Operator
) -> None:
    lake = cdr.open_lake(cdr.load_settings(home=taken_in.home))
    before = lake.calls().collect().sort("record_id")
    assert run(callsieve, taken_in, "lake", "compact", "--json").found == {"days": 1}
    assert run(callsieve, taken_in, "lake", "compact", "--json").found == {"days": 0}
    assert [f.rows for f in lake.files(CALLS)] == [1, 7, 1]
    assert lake.calls().collect().sort("record_id").equals(before)
    assert run(callsieve, taken_in, "lake", "verify").code == 0


def test_verify_ends_with_1_and_names_the_file(callsieve: RunCommand, taken_in: Operator) -> None:
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
    assert "1 faults" in run(callsieve, taken_in, "lake", "verify").out


def test_history_says_what_each_batch_did(callsieve: RunCommand, taken_in: Operator) -> None:
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
