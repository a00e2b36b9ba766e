"""The page ``docs/commands.md``, written from the commands so that it cannot lie."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from pipelines.cli import app

_HEAD = """\
# Commands

Written by `python -m pipelines.commands_page > docs/commands.md`; a test compares it.

`--home` and `--config` stand before the command: `callsieve --home /var/lib/callsieve nightly`.
`--help` after any command shows the same as here. `callsieve --install-completion` lets the shell
complete commands and options. Exit codes: 0 done; 1 done, and a person should look; 2 wrong use;
3 failed, nothing half-done.
"""


def commands_page() -> str:
    """Return the page as Markdown."""
    return "\n".join([_HEAD, *(line for path, each in commands() for line in _lines(path, each))])


def commands() -> Iterator[tuple[str, Any]]:
    """Yield each command's words, `lake stats` for instance, and the command."""
    yield from _below((), get_command(app))


def _below(path: tuple[str, ...], command: Any) -> Iterator[tuple[str, Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield " ".join(path), command
        return
    if path and command.invoke_without_command:
        yield " ".join(path), command
    for name, each in below.items():
        if not each.hidden:
            yield from _below((*path, name), each)


def examples(command: Any) -> list[str]:
    """Return the examples that the help of a command shows, each as one line."""
    found = re.findall(r"Example: (.+?)(?:\n\s*\n|\Z)", command.help or "", re.DOTALL)
    return [" ".join(example.split()) for example in found]


def _lines(path: str, command: Any) -> Iterator[str]:
    said = (command.help or "").replace("\b", "").split("Example:")[0]
    yield f"## {path}"
    yield ""
    yield from ("\n".join(line.strip() for line in said.strip().splitlines()), "")
    if examples(command):
        yield from ("```", *examples(command), "```", "")
    parameters = [p for p in command.params if not getattr(p, "hidden", False)]
    if parameters:
        yield "| option | default | meaning |"
        yield "|---|---|---|"
        yield from map(_row, parameters)
        yield ""


def _row(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        words = f"`{parameter.name.upper()}`"
    else:
        words = ", ".join(f"`{word}`" for word in (*parameter.opts, *parameter.secondary_opts))
    meaning = " ".join((parameter.help or "").split()).replace("|", "\\|")
    return f"| {words} | {_default(parameter)} | {meaning} |"


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    default = parameter.default
    if default is None or default is False or default in ("", (), []) or callable(default):
        return ""
    return f"`{default}`"


if __name__ == "__main__":
    print(commands_page(), end="")  # noqa: T201
