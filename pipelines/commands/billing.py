"""The commands under `billing`: rate decks, extracts, sealed periods, reconciliation."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cdr import open_lake
from cdr.billing.decks import DeckReport, current_decks, import_deck, imports
from pipelines.terminal import NEEDS_A_PERSON, Json, show

app = typer.Typer()
billing = typer.Typer(help="Bill calls: rate decks, extracts, sealed periods.")
deck = typer.Typer(help="Rate decks: prices by prefix and time.")
billing.add_typer(deck, name="deck")
app.add_typer(billing, name="billing")


@deck.command("import")
def _import_deck(
    ctx: typer.Context,
    file: Path,
    name: Annotated[str, typer.Option(help="Which deck it is from now on.")],
    as_json: Json = False,
) -> None:
    """Take a rate deck in, whole or not at all; safe to repeat.

    Example: callsieve billing deck import rates.csv --name retail
    """
    settings = ctx.obj()
    report = import_deck(
        open_lake(settings, create=True),
        file,
        name=name,
        settings=settings.billing,
        now=datetime.now(tz=UTC),
    )
    show(asdict(report), as_json=as_json, text=_deck_text(report))
    if report.state == "refused":
        raise typer.Exit(NEEDS_A_PERSON)


@deck.command("list")
def _list_decks(ctx: typer.Context, as_json: Json = False) -> None:
    """List every import of a deck, and which version counts.

    Example: callsieve billing deck list
    """
    lake = open_lake(ctx.obj())
    current = current_decks(lake)
    rows = [
        {**row, "counts": row["deck_id"] == current[row["deck"]]}
        for row in imports(lake).iter_rows(named=True)
    ]
    show({"decks": rows}, as_json=as_json)


def _deck_text(report: DeckReport) -> str:
    lines = [f"{report.file}: {report.state}, {report.rates:,} rates, deck {report.deck}"]
    if report.gaps:
        lines.append(f"  {report.gaps:,} gaps in time: a prefix has no rate there")
    lines += [f"  {count:,} rows: {reason}" for reason, count in report.reasons.items()]
    for row in report.wrong:
        reasons = row["reasons"]
        assert isinstance(reasons, list)
        lines.append(f"  line {row['line']}: {', '.join(reasons)}")
    if report.state == "refused":
        lines.append("Nothing was taken in. Mend these rows and import the file again.")
    return "\n".join(lines)
