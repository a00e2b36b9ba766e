"""The command `callsieve`: takes up the commands of each area and answers for faults.

Every fault of ours ends with one line on standard error and its exit code, never
with a traceback; with ``--json`` the object on standard output says it too.
"""

from __future__ import annotations

import os
import re
import sys
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from cdr import CdrError, Settings, access, load_settings
from cdr.errors import StorageFailed, WrongUse, storage_fault
from cdr.privacy.settings_changes import note_settings
from pipelines.commands import (
    audit,
    billing,
    calls,
    imports,
    keys,
    lake,
    model,
    nightly,
    person,
    privacy,
    query,
    reassign,  # noqa: F401 (adds its command to those of `lake`)
    renumber,  # noqa: F401 (adds its command to those of `lake`)
    review,
    setup,
    simulate,
)
from pipelines.terminal import FAILED, WRONG_USE, show, tell

SHOW_TRACEBACK = "CALLSIEVE_TRACEBACK"
"""Environment variable that lets an unforeseen fault be seen whole, by who mends it."""

_OF_THE_COMMAND = re.compile(r"-{0,2}[a-z][a-z-]*")
"""How commands, options and choices are written; any other word may be from somebody's data."""

_LONGEST_NAME = 256
"""From here on the system refuses to look for a file of such a name (Linux: 255 bytes)."""

app = typer.Typer(
    help="Keep call metadata and name accounts that look like those blocked before.",
    epilog="First: `callsieve demo`. With files of your own: `callsieve init`, then `callsieve "
    "doctor`. Each command shows an example: `callsieve ingest --help`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@dataclass(frozen=True, slots=True)
class Options:
    """What stands before the command; calling it reads the settings."""

    home: str | None
    config: Path | None

    def __call__(self) -> Settings:
        """Read the settings file and the environment; the audit log notes what changed."""
        settings = load_settings(self.config, home=self.home)
        note_settings(settings, by=access.person(), now=datetime.now(tz=UTC))
        return settings


def _print_version(asked: bool) -> None:
    if asked:
        show({}, as_json=False, text=f"callsieve {version('callsieve')}")
        raise typer.Exit


@app.callback()
def _options(
    ctx: typer.Context,
    home: Annotated[
        str | None, typer.Option(help="Folder of the lake, or s3://bucket/prefix.", metavar="HOME")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="A callsieve.toml.")] = None,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Say which version this is.", is_eager=True, callback=_print_version
        ),
    ] = False,
) -> None:
    """Hold the options that every command shares."""
    ctx.obj = Options(home, config)


for _area in (
    nightly,
    model,
    calls,
    imports,
    lake,
    query,
    keys,
    billing,
    simulate,
    setup,
    review,
    privacy,
    person,
    audit,
):
    app.add_typer(_area.app)


def main() -> None:
    """Run the command."""
    try:
        sys.exit(app(standalone_mode=False))
    except TyperException as fault:
        _misused(fault)
    except typer.Abort:
        _end("broken off; nothing was done", FAILED)
    except CdrError as error:
        _end(str(error), WRONG_USE if isinstance(error, WrongUse) else FAILED)
    except Exception as error:
        if os.environ.get(SHOW_TRACEBACK):
            raise
        _end(_refused(error) or _where(error), FAILED)


def _end(message: str, code: int) -> NoReturn:
    tell(f"callsieve: {message}")
    if "--json" in sys.argv:
        show({"error": message, "exit_code": code}, as_json=True)
    sys.exit(code)


def _misused(fault: TyperException) -> NoReturn:
    """Answer words that are no command or option; without a command the help is printed before."""
    message = _in_words(fault.format_message())
    if not message:
        sys.exit(WRONG_USE)
    asked = getattr(fault, "ctx", None)
    _end(message + (f"; see `{asked.command_path} --help`" if asked else ""), WRONG_USE)


def _in_words(message: str) -> str:
    """Say a usage fault on one line, without typed values but files: they may be a number."""
    values = {part for word in sys.argv[1:] for part in (word, word.partition("=")[2]) if part}
    for value in sorted(values, key=len, reverse=True):
        of_a_file = len(value) < _LONGEST_NAME and Path(value).exists()
        if not _OF_THE_COMMAND.fullmatch(value) and not of_a_file:
            message = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "…", message)
    message = message.replace("Value error, ", "")
    message = message.replace("does not match the formats '%Y-%m-%d'", "is no day as 2026-09-30")
    return " ".join(message.split()).rstrip(".")


def _refused(error: Exception) -> str | None:
    """Say that the disk or the object store refused while something was read."""
    fault = storage_fault(error)
    return str(StorageFailed("reading the lake", fault)) if fault else None


def _where(error: Exception) -> str:
    """Name a fault that nobody foresaw by its kind and place; its text could quote a value."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(last.filename).name}:{last.lineno}"
    return (
        f"an unforeseen fault ({type(error).__name__} in {place}); nothing is half-done. "
        f"Please report it; {SHOW_TRACEBACK}=1 shows all of it, with values from your data"
    )
