"""Commands on the operator's files: `accounts import` and its neighbours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import typer

from cdr import open_lake
from cdr.imports import ImportReport
from pipelines.inbox import IMPORTS
from pipelines.set_aside import set_aside
from pipelines.terminal import NEEDS_A_PERSON, Json, counted, show, tell

app = typer.Typer()


def _import_command(stem: str, take_in: Callable[..., ImportReport]) -> typer.Typer:
    group = typer.Typer(help=f"Take in the operator's {stem}.csv or .parquet.")

    @group.callback()
    def _group() -> None:
        """Keep `import` a command of its own."""

    name = stem.removeprefix("account_")
    help_text = f"Take FILE in; safe to repeat.\n\nExample: callsieve {name} import {stem}.csv"

    @group.command("import", help=help_text)
    def _import(ctx: typer.Context, file: Path, as_json: Json = False) -> None:
        lake = open_lake(ctx.obj(), create=True)
        now = datetime.now(tz=UTC)
        report = take_in(lake, file, now=now)
        show(asdict(report), as_json=as_json, text=_in_words(report))
        if report.rejected:
            for said in set_aside(lake, now):
                tell(said)
            raise typer.Exit(NEEDS_A_PERSON)

    return group


def _in_words(report: ImportReport) -> str:
    ignored = f"; columns not known: {', '.join(report.ignored)}" if report.ignored else ""
    return (
        f"{report.file}: {counted(report.read, 'row')}: {report.accepted} accepted, "
        f"{report.duplicate} duplicate, {report.corrected} corrected, "
        f"{report.rejected} set aside{ignored}"
    )


for _stem, _take_in in IMPORTS.items():
    app.add_typer(_import_command(_stem, _take_in), name=_stem.removeprefix("account_"))
