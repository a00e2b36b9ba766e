"""The command `callsieve`: parse, call one function, print what it found.

Results go to standard output, as text or with ``--json`` as one object; messages
go to standard error. Exit codes: 0 done, 1 done but a person is needed, 2 wrong
use or settings, 3 failed with nothing half-done.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cdr import CdrError, load_settings, open_lake
from cdr.errors import WrongUse
from cdr.formats import FORMATS
from cdr.imports import ImportReport
from cdr.ingest import ingest as take_in_files
from cdr.query import ask
from pipelines.inbox import IMPORTS
from pipelines.simulate import simulate as write_simulation

app = typer.Typer(
    help="Keep call metadata and name accounts that look like those blocked before.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


@app.callback()
def _options(
    ctx: typer.Context,
    home: Annotated[Path | None, typer.Option(help="Folder of the lake.")] = None,
    config: Annotated[Path | None, typer.Option(help="A callsieve.toml.")] = None,
) -> None:
    """Hold the options that every command shares."""
    ctx.obj = lambda: load_settings(config, home=home)


@app.command()
def formats(as_json: Json = False) -> None:
    """List the formats that can be read, with an example of each."""
    _show(
        {name: {"title": f.title, "example": f.example} for name, f in sorted(FORMATS.items())},
        as_json,
    )


@app.command()
def ingest(
    ctx: typer.Context,
    files: list[Path],
    source: Annotated[str, typer.Option(help="Name of a source in the settings.")],
    as_json: Json = False,
) -> None:
    """Take call FILES of a source into the lake; safe to repeat.

    Example: callsieve ingest Master.csv --source pbx
    """
    settings = ctx.obj()
    if source not in settings.sources:
        known = ", ".join(sorted(settings.sources)) or "none"
        raise WrongUse(f"no source {source!r} in the settings; there are: {known}")
    report = take_in_files(
        open_lake(settings, create=True),
        files,
        source_name=source,
        source=settings.sources[source],
        now=datetime.now(tz=UTC),
    )
    _show({"files": [asdict(file) for file in report.files]}, as_json)
    if len(report.refused) == len(report.files):
        raise typer.Exit(3)
    if report.refused or report.total("rejected"):
        raise typer.Exit(1)


def _import_command(stem: str, take_in: Callable[..., ImportReport]) -> typer.Typer:
    group = typer.Typer(help=f"Take in the operator's {stem}.csv or .parquet.")

    @group.callback()
    def _group() -> None:
        """Keep `import` a command of its own."""

    @group.command("import")
    def _import(ctx: typer.Context, file: Path, as_json: Json = False) -> None:
        """Take FILE in; safe to repeat."""
        lake = open_lake(ctx.obj(), create=True)
        report = take_in(lake, file, now=datetime.now(tz=UTC))
        _show(asdict(report), as_json)
        if report.rejected:
            raise typer.Exit(1)

    return group


for _stem, _take_in in IMPORTS.items():
    app.add_typer(_import_command(_stem, _take_in), name=_stem.removeprefix("account_"))


@app.command()
def query(
    ctx: typer.Context,
    sql: str,
    purpose: Annotated[str, typer.Option(help="fraud or billing")],
    limit: Annotated[int, typer.Option(help="Rows at most.")] = 1000,
    as_json: Json = False,
) -> None:
    """Ask one reading statement of SQL; sees only that purpose's columns.

    Example: callsieve query "SELECT outcome, count(*) FROM calls GROUP BY 1" --purpose fraud
    """
    con = open_lake(ctx.obj()).connect(purpose)
    found = ask(con, sql, limit=limit)
    if as_json:
        typer.echo(found.write_json())
    else:
        typer.echo(str(found))


@app.command()
def simulate(
    accounts: Annotated[int, typer.Option(help="Accounts, at least 100.")],
    days: Annotated[int, typer.Option(help="Days of traffic.")],
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")],
    out: Annotated[Path, typer.Option(help="An empty folder.")],
    as_json: Json = False,
) -> None:
    """Write labelled synthetic traffic in native formats.

    Example: callsieve simulate --accounts 300 --days 30 --seed 1 --out month
    """
    report = write_simulation(out, accounts=accounts, days=days, seed=seed)
    _show(
        {
            "files": report.files,
            "calls": dict(report.calls),
            "accounts": report.accounts,
            "bytes": report.bytes,
            "seconds": report.seconds,
        },
        as_json,
    )


def _show(found: dict[str, Any], as_json: bool) -> None:
    typer.echo(json.dumps(found, default=str, indent=None if as_json else 2))


def main() -> None:
    """Run the command; every fault of ours ends with one line and its exit code."""
    try:
        app()
    except CdrError as error:
        typer.echo(f"callsieve: {error}", err=True)
        sys.exit(2 if isinstance(error, WrongUse) else 3)
