"""How a command speaks: results on standard output, all else on standard error.

Exit codes: 0 done; 1 done, but something needs a person; 2 wrong use or
settings; 3 failed, nothing half-done. What a command finds is one mapping; people
see it as text, machines as one JSON object.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

NEEDS_A_PERSON = 1
WRONG_USE = 2
FAILED = 3

WIDE = 160
"""Signs of a line in a file or pipe, where nobody knows. Ours: what fits on a wide screen."""

_WIDEST = 1 << 16

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
"""The option that every command takes."""


def show(found: Mapping[str, Any], *, as_json: bool, text: str | Table | None = None) -> None:
    """Print what a command found.

    Parameters
    ----------
    found : mapping
        For machines; dates become ISO 8601, money becomes text so that no cent is lost.
    as_json : bool
        Print ``found`` as one object on one line.
    text : str or rich.table.Table, optional
        For people; without it ``found`` is printed with indents. Control characters of
        what fraudsters wrote are shown, not obeyed.
    """
    if as_json:
        sys.stdout.write(json.dumps(found, default=_plain) + "\n")
    elif isinstance(text, Table):
        sys.stdout.write(_drawn(text))
    else:
        sys.stdout.write(harmless(text or json.dumps(found, default=_plain, indent=2)) + "\n")


def _drawn(table: Table) -> str:
    """Draw a table as wide as it is: no cell is broken, so that it can be copied."""
    wide = Console().options.update(max_width=_WIDEST)
    console = Console(width=Console().measure(table, options=wide).maximum, soft_wrap=True)
    with console.capture() as drawn:
        console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in drawn.get().splitlines())


def tell(message: str) -> None:
    """Say on standard error how the work goes on."""
    sys.stderr.write(harmless(message) + "\n")
    sys.stderr.flush()


def typed() -> str:
    """Return what has to be typed to run this command again: its name, or where it lies."""
    found, here = shutil.which("callsieve"), Path(sys.argv[0])
    if here.stem != "callsieve" or (found and os.path.realpath(found) == os.path.realpath(here)):
        return "callsieve"
    return from_here(here)


def from_here(path: Path) -> str:
    """Return a path as one would type it in this folder."""
    return shlex.quote(os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path))


def across() -> int:
    """Return how many signs a line of the terminal holds; of what is no terminal, plenty."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDE


def counted(number: int, thing: str) -> str:
    """Return ``1 day``, ``2 days``, ``1,000 days``."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")


def paced(say: Callable[[str], None], *, every_s: float = 2.0) -> Callable[[str], None]:
    """Return ``say``, but silent until ``every_s`` seconds have passed since it last spoke."""
    spoken_at = time.monotonic()

    def now_and_then(message: str) -> None:
        nonlocal spoken_at
        if time.monotonic() - spoken_at >= every_s:
            spoken_at = time.monotonic()
            say(message)

    return now_and_then


def harmless(text: str) -> str:
    """Replace what a terminal would obey (escapes, bells, direction marks) by what it is."""
    return "".join(
        sign if sign == "\n" or sign.isprintable() else f"\\x{ord(sign):02x}" for sign in text
    )


def cell(value: object) -> Text:
    """Return a value as the text of a table's cell; no markup, no control characters."""
    return Text("" if value is None else harmless(str(value)))


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    return str(value)
