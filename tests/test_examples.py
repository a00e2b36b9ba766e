"""The example in the help of each command works, on the home that `callsieve demo` leaves."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from pages import ROOT, Reader, blocks

from pipelines.commands_page import commands, examples
from pipelines.samples import samples

if TYPE_CHECKING:
    from conftest import RunCommand

FIRST = (
    "callsieve billing deck import rates.csv --name retail",
    "callsieve billing deck import rates.csv --name wholesale",
    "callsieve audit head --out head.json",
    "callsieve train --as-of 2026-09-24",
)
"""What must have been done before some examples: a deck to bill by, a head to
verify against, a second model to challenge the first."""

RUN_ELSEWHERE = {
    "callsieve demo": "the fixture `sample_night`, and `.ci/run`",
    "callsieve review serve --port 8080": "`tests/fraud/review`, in a browser",
}


def files_of_the_operator(here: Path) -> None:
    """Put the files that examples name into a folder."""
    for page, title in (
        ("first-hour", "Master.csv"),
        ("billing", "rates.csv"),
        ("billing", "invoice.csv"),
    ):
        (block,) = [b for b in blocks(ROOT / "docs" / f"{page}.md") if b.title == title]
        (here / title).write_text(block.text, "utf-8")
    for file in samples().glob("*.csv"):
        shutil.copy(file, here)


def stand_ins(callsieve: RunCommand) -> dict[str, Callable[[], str]]:
    """Say what to type for ids that differ from run to run."""

    def models() -> list[str]:
        return sorted(card.parent.name for card in Path(".callsieve/models").glob("*/card.json"))

    def a_held_call() -> str:
        unpriced = pl.read_csv("september/unpriced.csv")
        return str(unpriced.filter(pl.col("reason") == "doubtful_length")["record_id"][0])

    def a_hold() -> str:
        return str(callsieve("retention", "hold", "list", "--json").found["holds"][0]["hold_id"])

    def an_objection() -> str:
        requests = callsieve("person", "requests", "--json").found["requests"]
        return next(str(one["request_id"]) for one in requests if one["right"] == "object")

    return {
        "3f9a": lambda: models()[0],
        "81c0": lambda: models()[1],
        "5b0e…27": a_held_call,
        "9d02b7f4": a_hold,
        "3fa9c1d2": an_objection,
    }


@pytest.mark.large
def test_every_example_works(
    callsieve: RunCommand, sample_night: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLSIEVE_PASSWORD", "a queue of its own 7")
    # the sample night's model never changes: whenever the examples are tried, it is not too old
    monkeypatch.setenv("CALLSIEVE_RETENTION__MODEL_DAYS", "36500")
    reader = Reader(callsieve, stand_ins(callsieve))
    of_commands = [line for _, command in commands() for line in examples(command)]
    (init,) = [line for line in of_commands if line.endswith(" init")]
    reader.type(init)  # before there are settings
    shutil.copytree(sample_night, ".callsieve")
    shutil.copy(samples() / "callsieve.toml", ".")
    files_of_the_operator(Path.cwd())
    for line in [*FIRST, *of_commands]:
        if line != init and line not in RUN_ELSEWHERE:
            reader.type(line)
