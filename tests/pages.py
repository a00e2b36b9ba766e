"""What a page of the documentation shows: its blocks, its commands, and a reader who obeys it."""

from __future__ import annotations

import os
import re
import shlex
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer.main

from cdr import Settings
from pipelines.cli import app

if TYPE_CHECKING:
    from conftest import Ran, RunCommand

ROOT = Path(__file__).parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "notebooks/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
RUN_ELSEWHERE = {
    "make demo": "`.ci/run`",
    "make test": "`.ci/run`",
    ".ci/audit": "`tests/test_dependency_audit.py`",
    ". .venv/bin/activate": "the shell's own",
    "callsieve review serve": "`tests/fraud/review`, in a browser",
    "curl": "`tests/fraud/review`, through the API's description",
    "python -m ipykernel": "`tests/notebooks` starts a kernel of its own",
}
"""How commands begin that the test of a page does not run, and who does."""

LANGUAGES = {
    "sh": "run",
    "python": "run, in the order of the page; with a title it is a file, and compiled",
    "text": "after `sh`: what the last command prints, `…` for lines left out",
    "csv": "with a title: a file that the commands below it read",
    "toml": "settings, checked; with a title: lines put into that file",
    "json": "a record as it is, from the sample files",
    "ini": "units of systemd: the commands in them are checked",
    "cron": "the commands in it are checked",
    "sudoers": "the commands in it are checked",
    "http": "what is sent; `tests/fraud/review` receives it",
    "": "examples of formats and commands, on pages written from the code: `test_formats_page.py` "
    "and `test_examples.py` run them",
}
"""What a block may be, and how it is tested."""


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the file that it is, its text."""

    language: str
    title: str
    text: str

    @property
    def commands(self) -> list[str]:
        """The commands of a block of shell; a backslash joins lines, remarks are left out."""
        lines = self.text.replace("\\\n", " ").splitlines() if self.language == "sh" else []
        return [bare for line in lines if (bare := line.split("  #")[0].strip())]


def blocks(page: Path) -> list[Block]:
    """List the fenced blocks of a page."""
    fence = re.compile(r'^```(\w*)(?: title="(.+?)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
    return [Block(*found) for found in fence.findall(page.read_text("utf-8"))]


def named_commands(page: Path) -> Iterator[str]:
    """Go through all commands of ours that a page names, in its blocks and in its words."""
    text = page.read_text("utf-8").replace("\\\n", " ")
    for found in re.finditer(r"(?:^|[`/])callsieve ((?:-|[a-z])[^`\n]*)", text, re.MULTILINE):
        yield found[1].split("  ")[0]


@cache
def all_commands() -> object:
    """Return the tree of commands."""
    return typer.main.get_command(app)


def faults(command: str) -> list[str]:
    """Return the words of a command line that `callsieve` would not know."""
    here: Any = all_commands()
    options = {name for parameter in here.params for name in parameter.opts} | {"--help"}
    words = re.sub(r'"[^"]*"|\'[^\']*\'', "TEXT", command).split()
    unknown = []
    while words:
        word = words.pop(0).rstrip(".,;:")
        if word.startswith("--"):
            unknown += [] if word.split("=")[0] in options else [word]
            if word in ("--home", "--config") and hasattr(here, "commands"):
                del words[:1]
        elif word in getattr(here, "commands", {}):
            here = here.commands[word]
            options |= {name for parameter in here.params for name in parameter.opts}
        elif hasattr(here, "commands") and word.islower():
            unknown.append(word)
            break
    return unknown


class Reader:
    """Somebody who does what a page says, block by block, in the current folder.

    Parameters
    ----------
    callsieve : callable
        Runs the command.
    stand_ins : mapping
        What to type for words of the page that differ from run to run, found when needed.
    """

    def __init__(
        self, callsieve: RunCommand, stand_ins: dict[str, Callable[[], str]] | None = None
    ) -> None:
        self.callsieve = callsieve
        self.stand_ins = stand_ins or {}
        self.names: dict[str, Any] = {"__name__": "page"}
        self.last: Ran | None = None

    def read(self, block: Block) -> None:
        """Do what a block says, and look whether it is so."""
        for command in block.commands:
            self.type(command)
        if block.language == "python":
            code = compile(block.text, block.title or "page", "exec")
            if not block.title:
                exec(code, self.names)
        elif block.language == "toml":
            self.settings(block)
        elif block.language == "text" and self.last:
            self.compare(block.text)
        elif block.title:
            Path(block.title).write_text(block.text, "utf-8")

    def type(self, command: str) -> None:
        """Run one command; it ends as the page says, and never in an unforeseen way."""
        if any(command.startswith(known) for known in RUN_ELSEWHERE):
            return None
        first, *words = shlex.split(command)
        if first == "mkdir":
            return Path(words[0]).mkdir()
        if first == "cd":
            return os.chdir(words[0])
        assert first == "callsieve", f"a test does not know how to run: {command}"
        words = [self.stand_ins[word]() if word in self.stand_ins else word for word in words]
        self.last = self.callsieve(*words)
        allowed = (2,) if words[-2:] == ["--format", "auto"] else (0, 1)
        assert self.last.code in allowed, f"{command}\n{self.last.err}"
        assert "unforeseen" not in self.last.err
        return None

    def settings(self, block: Block) -> None:
        """Check that it is settings; put the lines of a file in place of those that are there."""
        given = tomllib.loads(block.text)
        Settings.model_validate(given)
        if block.title:
            file = Path(block.title)
            text = file.read_text("utf-8")
            for line in block.text.splitlines():
                name = line.split(" = ")[0]
                assert re.search(rf"^{re.escape(name)}", text, re.MULTILINE), name
                text = re.sub(rf"^{re.escape(name)}( = .*)?$", line, text, count=1, flags=re.M)
            file.write_text(text, "utf-8")

    def compare(self, text: str) -> None:
        """Find the lines of a block in what the last command printed, in their order."""
        assert self.last
        said = iter((self.last.err + self.last.out).splitlines())
        for line in text.splitlines():
            if line != "…":
                assert line in said, f"not printed, or not in this order: {line}"
