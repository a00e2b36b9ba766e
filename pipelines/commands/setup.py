"""Commands of the first hour: `init` and `doctor`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cdr import Lake
from cdr.errors import WrongUse, shown, storage
from pipelines.settings_file import commented_settings
from pipelines.terminal import NEEDS_A_PERSON, Json, show, typed

if TYPE_CHECKING:
    from pipelines.doctor import Answer

app = typer.Typer()

_MARKS = {"ok": "ok    ", "look": "look  ", "wrong": "WRONG "}


@app.command()
def init(
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("callsieve.toml"),
    as_json: Json = False,
) -> None:
    """Write a commented callsieve.toml; one that is there is left alone.

    Example: callsieve init
    """
    with storage("writing the settings file"):
        try:
            with out.open("x", encoding="utf-8") as file:
                file.write(commented_settings())
        except FileExistsError:
            raise WrongUse(f"{shown(out)} is there already; name another with --out") from None
        except FileNotFoundError:
            raise WrongUse("--out: there is no such folder; make it first") from None
    show({"file": str(out)}, as_json=as_json, text=_next_steps(out))


def _next_steps(file: Path) -> str:
    command = typed() if file.name == "callsieve.toml" else f"{typed()} --config {file}"
    return f"""\
{file} is written. Next:
  1. edit the three lines under [sources.pbx]: format, zone, country
     (which format? {command} ingest FILE --format auto)
  2. {command} ingest FILE --source pbx --dry-run        shows, writes nothing
  3. {command} ingest FILE --source pbx
  4. {command} accounts import accounts.csv              who your customers are
  5. {command} nightly                                   scores, opens cases
{command} doctor says at any time what is missing."""


@app.command()
def doctor(ctx: typer.Context, as_json: Json = False) -> None:
    """Say what is missing or misconfigured, and what to do.

    Example: callsieve doctor
    """
    from pipelines.doctor import examine

    answers = examine(Lake(ctx.obj()))
    show(
        {"answers": [asdict(answer) for answer in answers]},
        as_json=as_json,
        text="\n".join(map(_line, answers)),
    )
    if any(answer.state != "ok" for answer in answers):
        raise typer.Exit(NEEDS_A_PERSON)


def _line(answer: Answer) -> str:
    helps = f"\n                  -> {answer.do}" if answer.do else ""
    return f"{_MARKS[answer.state]} {answer.question:9} {answer.text}{helps}"
