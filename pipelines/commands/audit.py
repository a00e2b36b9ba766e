"""The commands `audit …`: show the log, verify it, give its head to keep elsewhere."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cdr import open_lake
from cdr.errors import WrongUse
from cdr.lake.home import write_whole
from cdr.privacy import audit as log
from cdr.privacy.audit_check import verify as check
from cdr.privacy.identifiers import person_of
from cdr.privacy.subjects import subjects_of
from fraud.review.sealed import changed_in_queue
from pipelines.runs import kept_heads
from pipelines.terminal import NEEDS_A_PERSON, Json, cell, counted, show

app = typer.Typer()
audit = typer.Typer(help="The log of who did what to whose data.", no_args_is_help=True)
app.add_typer(audit, name="audit")


@audit.command()
def verify(
    ctx: typer.Context,
    head: Annotated[
        list[Path] | None, typer.Option(help="A head kept elsewhere; repeat for more.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Find entries that were altered, dropped or moved, also of the queue. Ends with 1 then.

    Entries cut off at the end, or a log written anew, show against the heads that nights keep in
    the home, and against one that was kept elsewhere: who can write the home can write those too.

    Example: callsieve audit verify --head head.json
    """
    lake = open_lake(ctx.obj())
    heads = [*kept_heads(lake.home.runs), *(_read_head(file) for file in head or ())]
    checked = check(lake.home, heads)
    of_queue = changed_in_queue(lake.home)
    checked = replace(checked, faults=(*checked.faults, *of_queue))
    lines = [f"entry {fault.seq}: {fault.what}" for fault in checked.faults]
    verdict = counted(len(lines), "fault") if lines else "as they were written"
    kept = counted(len(heads), "kept head")
    lines.append(f"entries: {checked.entries:,}, compared with {kept}: {verdict}")
    show(asdict(checked), as_json=as_json, text="\n".join(lines))
    if checked.faults:
        raise typer.Exit(NEEDS_A_PERSON)


@audit.command()
def head(
    ctx: typer.Context,
    out: Annotated[Path | None, typer.Option(help="A file for it, to be kept elsewhere.")] = None,
    as_json: Json = False,
) -> None:
    """Give the log's end. Kept where who can write the home cannot, it proves what stood there.

    Example: callsieve audit head --out head.json
    """
    found = log.head(open_lake(ctx.obj()).home)
    content = {"seq": 0, "hash": log.START} if found is None else asdict(found)
    content["at"] = datetime.now(tz=UTC).isoformat()
    if out is not None:
        write_whole(out, json.dumps(content).encode() + b"\n")
    show(content, as_json=as_json, text=f"{content['seq']} {content['hash']}")


@audit.command("show")
def show_entries(
    ctx: typer.Context,
    what: Annotated[str | None, typer.Option(help="Only of this kind, or how it begins.")] = None,
    by: Annotated[str | None, typer.Option(help="Only by this user.")] = None,
    account: Annotated[str | None, typer.Option(help="Only about this account.")] = None,
    number: Annotated[str | None, typer.Option(help="Only about this number.")] = None,
    limit: Annotated[int, typer.Option(help="Entries at most, the newest.", min=1)] = 50,
    as_json: Json = False,
) -> None:
    """Show entries, the newest last. People stand in them as pseudonyms.

    Example: callsieve audit show --what person --limit 20
    """
    lake = open_lake(ctx.obj())
    subjects = None
    if account is not None or number is not None:
        subjects = subjects_of(lake, person_of(account=account, number=number))
    chosen = [
        entry
        for entry in log.entries(lake.home)
        if (what is None or entry.what.startswith(what))
        and (by is None or entry.by == by)
        and (subjects is None or entry.subject in subjects)
    ][-limit:]
    said = log.details(lake.home)
    found = [{**asdict(one), "said": said.get(one.seq, {}).get("said")} for one in chosen]
    table = Table(box=None)
    for name in ("seq", "at", "by", "what", "subject", "why"):
        table.add_column(name, no_wrap=True)
    for one in found:
        why = (one["said"] or {}).get("why")
        at = str(one["at"])[:19]
        table.add_row(*map(cell, (one["seq"], at, one["by"], one["what"], one["subject"], why)))
    show({"entries": found}, as_json=as_json, text=table if found else "no entries")


def _read_head(file: Path) -> log.Head:
    try:
        content = json.loads(file.read_bytes())
        return log.Head(int(content["seq"]), str(content["hash"]))
    except (OSError, ValueError, KeyError, TypeError):
        raise WrongUse("--head must be a file that `callsieve audit head --out` wrote") from None
