"""What a page shows is so: each of its blocks is run or checked, each command it names is there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pages import LANGUAGES, PAGES, ROOT, Block, Reader, blocks, faults, named_commands

from cdr.formats import FORMATS
from pipelines.samples import samples

if TYPE_CHECKING:
    from conftest import RunCommand

OF_A_NEWCOMER = ROOT / "docs" / "first-hour.md"
RUN = [page for page in PAGES if any(b.language in ("sh", "python") for b in blocks(page))]
PASSWORD = "a queue of its own 7"
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


@pytest.mark.slow
def test_a_newcomer_gets_from_nothing_to_a_queue(
    callsieve: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLSIEVE_PASSWORD", PASSWORD)
    for period in ("ATTEMPT", "CALL", "UNBILLED", "INACTIVE_ACCOUNT", "REPORT"):
        # the page's calls never change: whenever it is tried, none of them is too old
        monkeypatch.setenv(f"CALLSIEVE_RETENTION__{period}_DAYS", "36500")
    reader = Reader(callsieve)
    for block in blocks(OF_A_NEWCOMER):
        reader.read(block)


@pytest.mark.large
@pytest.mark.parametrize(
    "page", [page for page in RUN if page != OF_A_NEWCOMER], ids=lambda page: page.stem
)
def test_every_block_of_a_page_works_on_the_sample_night(
    page: Path,
    callsieve: RunCommand,
    sample_night: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CALLSIEVE_PASSWORD", PASSWORD)
    monkeypatch.setattr("cdr.formats.FORMATS", dict(FORMATS))
    here = tmp_path / "here"
    shutil.copytree(sample_night, here / ".callsieve")
    shutil.copy(samples() / "callsieve.toml", here)

    def models() -> list[str]:
        return sorted(card.parent.name for card in (here / ".callsieve/models").glob("*/card.json"))

    def in_a_year() -> str:
        return (datetime.now(tz=UTC) + timedelta(days=365)).date().isoformat()

    reader = Reader(
        callsieve,
        {"3f9a": lambda: models()[0], "81c0": lambda: models()[-1], "2027-06-30": in_a_year},
    )
    for block in blocks(page):
        reader.read(block)


@each_page
def test_every_command_that_a_page_names_is_there(page: Path) -> None:
    for command in named_commands(page):
        assert not faults(command), command


def test_a_command_that_is_not_there_would_be_found() -> None:
    assert faults("lake statistics") == ["statistics"]
    assert faults("--home x ingest FILE --dry") == ["--dry"]
    assert faults('query "SELECT --x" --purpose fraud') == []


@each_page
def test_every_block_of_a_page_is_of_a_kind_that_is_tested(page: Path) -> None:
    text = page.read_text("utf-8")
    assert len(blocks(page)) * 2 == len(re.findall(r"^ *```", text, re.MULTILINE))
    outside = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    assert not re.search(r"(?<=\n\n) {4}\S", outside), "an indented block is not tested"
    for block in blocks(page):
        assert block.language in LANGUAGES
        assert block.language or page.stem in ("formats", "commands")
        if block.language == "json":
            json.loads(block.text)


@each_page
def test_what_a_page_shows_as_printed_follows_a_command_that_prints_it(page: Path) -> None:
    if page.stem == "walk":
        pytest.skip("`tests/test_one_call.py` writes and compares the whole page")
    kinds = [b.language for b in blocks(page) if b.language == "text" or b.commands]
    assert kinds[:1] != ["text"]


def test_every_make_target_that_a_page_names_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    named = {
        target
        for page in PAGES
        for target in re.findall(r"`make ([a-z]+)", page.read_text("utf-8"))
    }
    assert named >= {"demo", "test", "docs"}
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_map_of_the_tree_names_every_package_and_nothing_that_is_gone() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## What lies where")[2]
    assert text
    named = set(re.findall(r"`([a-z_.]+/[a-z_./]*)`", text))
    assert not {path for path in named if not (ROOT / path).exists()}
    folders = {
        f"{path.relative_to(ROOT).as_posix()}/"
        for package in ("cdr", "fraud", "pipelines")
        for path in (ROOT / package, *(ROOT / package).iterdir())
        if path.is_dir() and path.name != "__pycache__"
    }
    assert folders <= named


@pytest.mark.parametrize("package", ["cdr", "fraud", "pipelines"])
def test_every_module_begins_by_saying_what_belongs_into_it(package: str) -> None:
    silent = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / package).rglob("*.py")
        if "migrations" not in path.parts
        and not path.read_text("utf-8").removeprefix("r").startswith('"""')
    ]
    assert silent == []


def units() -> list[Block]:
    return [b for b in blocks(ROOT / "docs" / "operations.md") if b.language == "ini"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    assert {unit.title for unit in units()} == {"callsieve.service", "callsieve.timer"}
    for unit in units():  # the program is not installed here; that it is one, is not the question
        text = re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", unit.text)
        (tmp_path / unit.title).write_text(text)
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(map(str, tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (said.returncode, said.stderr) == (0, "")
