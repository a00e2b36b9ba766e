"""Commands on call files: `formats` and `ingest`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cdr import open_lake
from cdr.errors import WrongUse
from cdr.formats import FORMATS
from cdr.ingest import ingest as take_in
from pipelines.terminal import FAILED, NEEDS_A_PERSON, Json, show

app = typer.Typer()


@app.command()
def formats(as_json: Json = False) -> None:
    """List the formats that can be read, with an example of each."""
    found = {name: {"title": f.title, "example": f.example} for name, f in sorted(FORMATS.items())}
    show(found, as_json=as_json)


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
    report = take_in(
        open_lake(settings, create=True),
        files,
        source_name=source,
        source=settings.sources[source],
        now=datetime.now(tz=UTC),
    )
    show({"files": [asdict(file) for file in report.files]}, as_json=as_json)
    if len(report.refused) == len(report.files):
        raise typer.Exit(FAILED)
    if report.refused or report.total("rejected"):
        raise typer.Exit(NEEDS_A_PERSON)
