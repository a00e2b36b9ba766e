"""The command `simulate`: labelled synthetic traffic."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.terminal import Json, show, tell

app = typer.Typer()


@app.command()
def simulate(
    accounts: Annotated[int, typer.Option(help="Accounts, at least 100.")],
    days: Annotated[int, typer.Option(help="Days of traffic.")],
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")],
    out: Annotated[Path, typer.Option(help="An empty folder.")],
    calls_per_account_day: Annotated[
        float | None,
        typer.Option(help="Mean calls of an ordinary account; less makes small files."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write labelled synthetic traffic in native formats.

    Example: callsieve simulate --accounts 300 --days 30 --seed 1 --out month
    """
    from pipelines.simulate import simulate as write_simulation

    report = write_simulation(
        out,
        accounts=accounts,
        days=days,
        seed=seed,
        calls_per_account_day=calls_per_account_day,
        progress=lambda stage, share: tell(f"{stage}: {share:.0%}"),
    )
    found = {
        "files": report.files,
        "calls": dict(report.calls),
        "accounts": report.accounts,
        "bytes": report.bytes,
        "seconds": report.seconds,
    }
    show(found, as_json=as_json)
