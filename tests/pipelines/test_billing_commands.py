"""The commands under `billing`: what they print and how they end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cdr.lake.home import Home
from cdr.privacy.exports import exports
from pipelines.cli import app

pytestmark = pytest.mark.slow


DECK = "prefix,rate_per_min,currency\n44,0.12,EUR\n"
ACCOUNTS = "account_id,created_at,status\na1,2026-01-01,active\n"
CALLS = (
    "record_id,account_id,direction,caller,callee,started_at,duration_s,outcome\n"
    "r1,a1,outbound,+49301111111,+442079460000,2026-08-10 12:00:00,60,answered\n"
)
CONFIG = '[sources.s]\nformat = "plain_csv"\nzone = "UTC"\ncountry = "DE"\n'


@pytest.fixture
def run(tmp_path: Path) -> Any:
    for name, text in (("deck", DECK), ("accounts", ACCOUNTS), ("calls", CALLS)):
        (tmp_path / f"{name}.csv").write_text(text)
    (tmp_path / "callsieve.toml").write_text(CONFIG)

    def command(*words: str) -> tuple[int, Any]:
        options = ["--home", str(tmp_path / "home"), "--config", str(tmp_path / "callsieve.toml")]
        result = CliRunner().invoke(app, [*options, *words, "--json"], catch_exceptions=False)
        return result.exit_code, json.loads(result.stdout)

    return command


def test_from_a_deck_and_calls_to_a_sealed_period(run: Any, tmp_path: Path) -> None:
    files = {name: str(tmp_path / f"{name}.csv") for name in ("deck", "accounts", "calls")}
    assert run("accounts", "import", files["accounts"])[0] == 0
    assert run("ingest", files["calls"], "--source", "s")[0] == 0
    out = str(tmp_path / "out")
    code, before = run("billing", "extract", "--period", "2026-08", "--out", out)
    assert (code, before["unpriced"]) == (1, {"no_deck": 1})
    code, deck = run("billing", "deck", "import", files["deck"], "--name", "retail")
    assert (code, deck["state"]) == (0, "imported")
    code, listed = run("billing", "deck", "list")
    assert [(d["deck"], d["counts"]) for d in listed["decks"]] == [("retail", True)]
    code, found = run("billing", "extract", "--period", "2026-08", "--out", out)
    assert (code, found["sealed"], found["totals"][0]["amount"]) == (0, False, "0.120000")
    code, sealed = run("billing", "seal", "--period", "2026-08")
    assert (code, sealed["state"], sealed["lines"]["call"]) == (0, "sealed", 1)
    assert run("billing", "seal", "--period", "2026-08")[1]["state"] == "sealed before"


def test_the_register_of_exports_has_what_was_written_and_no_file_beside_it(
    run: Any, tmp_path: Path
) -> None:
    assert run("accounts", "import", str(tmp_path / "accounts.csv"))[0] == 0
    assert run("ingest", str(tmp_path / "calls.csv"), "--source", "s")[0] == 0
    assert run("billing", "deck", "import", str(tmp_path / "deck.csv"), "--name", "retail")[0] == 0
    out = tmp_path / "out"
    out.mkdir()
    (out / "letter.txt").write_text("somebody's own, written a moment before")
    words = ("billing", "extract", "--period", "2026-08", "--out", str(out), "--statements")
    assert run(*words)[0] == 0
    known = {one.path for one in exports(Home(tmp_path / "home"))}
    there = {file for file in out.rglob("*") if file.is_file()}
    assert there - known == {out / "letter.txt"}
    assert known < there


def test_a_held_call_is_released_by_its_key(run: Any, tmp_path: Path) -> None:
    held = (tmp_path / "calls.csv").read_text().replace(",60,", ",10800,")
    (tmp_path / "calls.csv").write_text(held)
    for words in (("accounts", "import"), ("ingest", "--source", "s")):
        run(words[0], *words[1:], str(tmp_path / f"{words[0].replace('ingest', 'calls')}.csv"))
    run("billing", "deck", "import", str(tmp_path / "deck.csv"), "--name", "retail")
    out = tmp_path / "out"
    of_august = ("--period", "2026-08")
    assert run("billing", "extract", *of_august, "--out", str(out))[0] == 1
    key = (out / "unpriced.csv").read_text().splitlines()[1].split(",")[3]
    assert run("billing", "release", key, *of_august, "--reason", "agreed") == (
        0,
        {"released": 1, "released_before": 0},
    )
    assert run("billing", "extract", *of_august, "--out", str(out))[0] == 0


def test_a_bad_deck_needs_a_person(run: Any, tmp_path: Path) -> None:
    (tmp_path / "deck.csv").write_text(DECK + "44x,-1,EUR\n")
    code, found = run("billing", "deck", "import", str(tmp_path / "deck.csv"), "--name", "retail")
    assert (code, found["state"]) == (1, "refused")
    assert found["wrong"] == [
        {"line": 3, "reasons": ["prefix_not_digits", "rate_per_min_negative"]}
    ]
