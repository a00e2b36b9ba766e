"""The command `callsieve`: takes up the commands of each area and answers for faults.

Every fault of ours ends with one line on standard error and its exit code, never
with a traceback; with ``--json`` the object on standard output says it too.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cdr import CdrError, load_settings
from cdr.errors import WrongUse
from pipelines.commands import calls, imports, query, simulate
from pipelines.terminal import FAILED, WRONG_USE, show, tell

app = typer.Typer(
    help="Keep call metadata and name accounts that look like those blocked before.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def _options(
    ctx: typer.Context,
    home: Annotated[Path | None, typer.Option(help="Folder of the lake.")] = None,
    config: Annotated[Path | None, typer.Option(help="A callsieve.toml.")] = None,
) -> None:
    """Hold the options that every command shares."""
    ctx.obj = lambda: load_settings(config, home=home)


for _area in (calls, imports, query, simulate):
    app.add_typer(_area.app)


def main() -> None:
    """Run the command."""
    try:
        app()
    except CdrError as error:
        code = WRONG_USE if isinstance(error, WrongUse) else FAILED
        tell(f"callsieve: {error}")
        if "--json" in sys.argv:
            show({"error": str(error), "exit_code": code}, as_json=True)
        sys.exit(code)
