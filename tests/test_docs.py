"""Every command that a page shows is run, in the page's order, on the sample night."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cdr.formats import FORMATS
from pipelines.samples import samples

if TYPE_CHECKING:
    from conftest import RunCommand

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MAKE = {"make demo", "make test", "make check", "make bench"}
"""Run by `.ci/run` itself."""


def commands(page: Path) -> list[str]:
    """List the commands in the ``sh`` blocks of a page; a backslash joins lines."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def python_blocks(name: str) -> list[str]:
    """List the ``python`` blocks of a page."""
    text = (ROOT / "docs" / name).read_text("utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", [p for p in PAGES if commands(p)], ids=lambda page: page.stem)
def test_the_commands_of_a_page_work(
    page: Path, callsieve: RunCommand, sample_night: Path, tmp_path: Path
) -> None:
    here = tmp_path / "here"
    shutil.copytree(sample_night, here / ".callsieve")
    shutil.copy(samples() / "callsieve.toml", here)
    for line in commands(page):
        if line in MAKE:
            continue
        first, *words = shlex.split(line, comments=True)
        assert first == "callsieve", f"a test does not know how to run: {line}"
        ran = callsieve(*words)
        assert ran.code in (0, 1), f"{line}\n{ran.err}"
        assert "unforeseen" not in ran.err


def test_every_make_target_that_a_page_names_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    named = {line for page in PAGES for line in commands(page) if line in MAKE}
    assert named
    for line in named:
        assert re.search(rf"^{line.removeprefix('make ')}:", makefile, re.MULTILINE)


def test_the_python_that_analysts_read_works(
    callsieve: RunCommand, sample_night: Path, tmp_path: Path
) -> None:
    shutil.copytree(sample_night, tmp_path / "here/.callsieve")
    shutil.copy(samples() / "callsieve.toml", tmp_path / "here")
    (block,) = python_blocks("analyst.md")
    names: dict[str, Any] = {}
    exec(compile(block, "docs/analyst.md", "exec"), names)
    assert names["by_hour"].height == 24
    assert names["busiest"].height == 5
    assert names["signals"].height > 0


def test_what_is_said_about_adding_things_works_as_it_stands(
    callsieve: RunCommand,
    sample_night: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copytree(sample_night, tmp_path / "here/.callsieve")
    shutil.copy(samples() / "callsieve.toml", tmp_path / "here")
    monkeypatch.setattr("cdr.formats.FORMATS", dict(FORMATS))
    blocks = python_blocks("howto.md")
    assert len(blocks) == 5
    names: dict[str, Any] = {"__name__": "howto"}
    for block in blocks:  # each ends with what it says to be so
        exec(compile(block, "docs/howto.md", "exec"), names)
