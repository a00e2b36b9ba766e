"""What a night promises: the contract's object, nothing twice, and going on where it was killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from typer.testing import CliRunner

import cdr
from cdr.errors import SettingsError
from cdr.lake.home import Home
from cdr.schema import CALLS, SCORES
from fraud.scoring import score_night
from fraud.signal_set import CALLS_MADE, signal_set
from pipelines.cli import app
from pipelines.nightly import STEPS

if TYPE_CHECKING:
    from conftest import RunCommand
    from pipelines.conftest import Operator

NIGHT = ("nightly", "--date", "2026-09-03", "--json")


def scores(operator: Operator) -> pl.DataFrame:
    lake = cdr.open_lake(cdr.load_settings(operator.config, home=operator.home))
    return lake.scan(SCORES).select("account_id", "score", "band", "rank").collect()


@dataclass(frozen=True)
class FirstNight:
    """A night of the small operator: only to be read, or copied."""

    operator: Operator
    code: int
    found: Any

    def copied_to(self, folder: Path) -> Operator:
        return replace(self.operator, home=shutil.copytree(self.operator.home, folder / "home"))


@pytest.fixture(scope="module")
def first_night(
    tmp_path_factory: pytest.TempPathFactory, lay_out: Callable[[Path], Operator]
) -> FirstNight:
    operator = lay_out(tmp_path_factory.mktemp("first_night"))
    ran = CliRunner().invoke(app, [*operator.words, *NIGHT], catch_exceptions=False)
    return FirstNight(operator, ran.exit_code, json.loads(ran.stdout))


def test_the_object_has_the_names_of_the_contract(first_night: FirstNight) -> None:
    found = first_night.found
    assert found["date"] == "2026-09-03"
    assert found["ingest"] == {
        "files": 3,
        "read": 42,
        "accepted": 42,
        "duplicate": 0,
        "corrected": 0,
        "rejected": 0,
    }
    assert found["accounts_scored"] == 2
    assert set(found) >= {"run_id", "candidates", "cases_opened", "seconds"}
    assert set(found["seconds"]) == set(STEPS)
    best = found["candidates"][0]
    assert set(best) == {"account_id", "score", "band", "rank", "reasons", "similar_blocked"}
    assert set(best["reasons"][0]) == {"signal", "value", "text", "share"}


def test_a_second_run_adds_nothing(
    callsieve: RunCommand, first_night: FirstNight, tmp_path: Path
) -> None:
    operator, first = first_night.copied_to(tmp_path), first_night.found
    before = scores(operator)
    second = callsieve(*operator.words, *NIGHT).found
    assert first["cases_opened"] == len(first["candidates"])
    assert (second["ingest"]["accepted"], second["ingest"]["duplicate"]) == (0, 42)
    assert second["cases_opened"] == 0
    assert second["candidates"] == first["candidates"]
    assert second["run_id"] != first["run_id"]
    assert scores(operator).equals(before)


def test_with_nobody_to_compare_with_it_ranks_by_behaviour_and_says_so(
    first_night: FirstNight,
) -> None:
    found = first_night.found
    assert found["method"] == "behaviour"
    assert "0 blocked accounts are known, 5 are needed" in found["note"]
    assert first_night.code == 1  # a person should know
    assert {one["account_id"] for one in found["candidates"]} == {"a1", "a2"}
    assert {one["band"] for one in found["candidates"]} == {"unknown"}


@pytest.mark.slow
def test_whoever_the_nights_own_files_say_had_left_is_no_candidate(
    callsieve: RunCommand, first_night: FirstNight, tmp_path: Path
) -> None:
    """The export of the small hours says it; as of the midnight we had not been told."""
    operator = first_night.copied_to(tmp_path)
    file = operator.inbox / "accounts.csv"
    left = "blocked,2026-09-03T20:00:00Z,fraud"
    file.write_text(file.read_text().replace("a2,2026-08-30T00:00:00Z,active,,",
                                             f"a2,2026-08-30T00:00:00Z,{left}"))  # fmt: skip
    night = callsieve(*operator.words, *NIGHT).found
    assert night["accounts_scored"] == 1
    assert "a2" not in {one["account_id"] for one in night["candidates"]}
    assert scores(operator)["account_id"].to_list() == ["a1"]


@pytest.mark.slow
@pytest.mark.parametrize("off", [CALLS_MADE, "callees_count_7d", "identity_evidence_bits"])
def test_a_signal_that_others_rest_on_can_be_switched_off(
    first_night: FirstNight, tmp_path: Path, off: str
) -> None:
    """That count says of whom too little is known, and is the part that shares are shares of."""
    operator = first_night.copied_to(tmp_path)
    settings = cdr.load_settings(operator.config, home=operator.home)
    scoring = settings.scoring.model_copy(update={"features_off": (off,)})
    lake = cdr.open_lake(settings.model_copy(update={"scoring": scoring}))
    night = score_night(lake, as_of=datetime(2026, 9, 4, tzinfo=UTC))
    assert night.scores["score"].null_count() == 0
    assert off not in night.features.columns
    assert off not in {reason.signal for one in night.candidates for reason in one.reasons}


def test_not_every_signal_can_be_switched_off() -> None:
    with pytest.raises(SettingsError, match="every signal is switched off"):
        signal_set(signal_set(()).by_name)


LARGE = pytest.mark.large
KILLED = """
import os, signal, sys
from pipelines import nightly
from pipelines.cli import main

name = sys.argv.pop()
step, passed = nightly.STEPS[name], 0

def count(*_):
    global passed
    passed += 1
    if passed == 30_000:
        os.kill(os.getpid(), signal.SIGKILL)

def counted(night):
    sys.setprofile(count)
    return step(night)

nightly.STEPS[name] = counted
main()
"""
"""Kills itself in the middle of a step, however fast the machine: each has some 100,000 moments."""


@pytest.mark.parametrize(
    "step",
    [
        pytest.param("reduce", marks=pytest.mark.slow),
        pytest.param("take_in", marks=LARGE),
        pytest.param("cases", marks=LARGE),
    ],
)
def test_a_killed_night_goes_on_with_the_step_it_was_in(
    callsieve: RunCommand, operator: Operator, step: str
) -> None:
    night = subprocess.run(
        [sys.executable, "-c", KILLED, *operator.words, *NIGHT, step],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert night.returncode == -signal.SIGKILL
    (ledger,) = sorted(Home(operator.home).runs.glob("*.json")) or [None]
    done = json.loads(ledger.read_bytes())["done"] if ledger else {}
    assert list(done) == list(STEPS)[: list(STEPS).index(step)]
    again = callsieve(*operator.words, *NIGHT)
    assert again.found["run_id"] == "2026-09-03.1"
    assert [name for name in STEPS if f"{name}: done before" in again.err] == list(done)
    assert again.found["accounts_scored"] == 2
    rows = cdr.open_lake(cdr.load_settings(operator.config, home=operator.home)).calls()
    assert rows.select(pl.len(), pl.col("record_id").n_unique()).collect().row(0) == (42, 42)


def test_two_nights_at_once_are_refused(callsieve: RunCommand, operator: Operator) -> None:
    lake = cdr.open_lake(cdr.load_settings(operator.config, home=operator.home), create=True)
    with lake.home.alone("nightly"):
        ran = callsieve(*operator.words, *NIGHT)
    assert ran.code == 3
    assert "`callsieve nightly` is already running on this home" in ran.found["error"]
    assert lake.version(CALLS) is None, "the refused one took nothing in"


def test_a_day_that_is_not_over_is_refused(callsieve: RunCommand, operator: Operator) -> None:
    ran = callsieve(*operator.words, "nightly", "--date", "2999-01-01")
    assert ran.code == 2
    assert "is not over yet" in ran.err


@pytest.mark.slow
def test_nothing_of_a_later_day_moves_a_score(
    callsieve: RunCommand, first_night: FirstNight, tmp_path: Path
) -> None:
    operator = first_night.copied_to(tmp_path)
    before = scores(operator)
    row = "r9{0},a1,030 1234567,+44 20 7946 0{0},2026-09-04 12:00:00,9000,answered"
    operator.leave(4, *(row.format(n) for n in range(100, 160)))
    assert callsieve(*operator.words, *NIGHT).found["ingest"]["accepted"] == 60
    assert scores(operator).equals(before)


@pytest.mark.slow
def test_a_clock_that_contradicts_its_zone_is_told(
    callsieve: RunCommand, first_night: FirstNight, tmp_path: Path
) -> None:
    operator = first_night.copied_to(tmp_path)
    config = tmp_path / "callsieve.toml"
    source = '[sources.desk]\nformat = "asterisk_csv"\nzone = "Europe/Berlin"\ncountry = "DE"\n'
    config.write_text(operator.config.read_text() + source)
    desk = operator.inbox / "desk" / "Master.csv"
    desk.parent.mkdir()
    desk.write_text(  # the id has the epoch of 12:00 in UTC, which is 14:00 in Berlin
        '"a1","+4930901820","+442079460018","i","c","PJSIP/a1-1","PJSIP/x-2","Dial","x",'
        '"2026-09-03 12:00:00","","2026-09-03 12:00:07",7,0,"BUSY","DOCUMENTATION",'
        '"1788436800.2",""\n'
    )
    night = callsieve(*replace(operator, config=config).words, *NIGHT)
    said = (
        "Master.csv (desk): 1 call proves another offset from UTC than Europe/Berlin has (flag "
        "offset_contradicted); is `zone` of the source right?"
    )
    assert said in night.found["concerns"]
    assert night.code == 1  # a person should know


@pytest.mark.slow
def test_the_report_escapes_what_comes_from_outside(
    callsieve: RunCommand, operator: Operator
) -> None:
    name = "<script>alert(1)</script>"
    with (operator.inbox / "accounts.csv").open("a") as accounts:
        accounts.write(f"{name},2026-01-01T00:00:00Z,active,,,DE\n")
    operator.leave(3, *(operator.call(n, name, 3, n, 5) for n in range(40)))
    found = callsieve(*operator.words, *NIGHT).found
    page = Path(found["report"]).read_text("utf-8")
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
