"""The commands `person …`: the rights of a customer, or of whoever a number belongs to."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cdr import access as access_of
from cdr import open_lake
from cdr.errors import WrongUse
from cdr.lake.home import write_whole
from cdr.privacy.books import DISCLOSURES
from cdr.privacy.exports import ExportKind, note_exports
from cdr.privacy.identifiers import person_of
from cdr.privacy.requests import State, requests_of
from pipelines import rights
from pipelines.erasure import erase as erase_person
from pipelines.receipt import in_words
from pipelines.terminal import NEEDS_A_PERSON, Json, cell, counted, show, tell

app = typer.Typer()
person = typer.Typer(help="Requests of persons, by account or by number.", no_args_is_help=True)
app.add_typer(person, name="person")

Account = Annotated[str | None, typer.Option("--account", help="An account of ours.")]
Number = Annotated[
    str | None, typer.Option("--number", help="A number, such as +49301234567: no customer needed.")
]
Reason = Annotated[str | None, typer.Option(help="What the person said; kept with the request.")]
Grounds = Annotated[str | None, typer.Option(help="Why; the person is told.")]


_SAID = 80
"""Signs of what a person said in a list; `--json` has all."""


@person.command()
def access(
    ctx: typer.Context,
    account: Account = None,
    number: Number = None,
    reason: Reason = None,
    out: Annotated[Path | None, typer.Option(help="A file for all of it, as JSON.")] = None,
    as_json: Json = False,
) -> None:
    """Tell what is held about a person, why, how long, who received it, what was decided how.

    Example: callsieve person access --account C1000016 --out answer.json
    """
    asked = _asked(ctx, account, number, reason)
    found = rights.access(asked)
    content = found.as_json()
    if out is not None:
        write_whole(out, json.dumps(content, indent=2, ensure_ascii=False).encode())
        out.chmod(0o600)
        note_exports(asked.lake.home, ExportKind.ANSWER, [out], at=asked.now)
    lines = [
        f"{one.table}: {counted(one.rows, 'row')}, {one.rows_of_others:,} of others that name "
        f"the person; "
        f"{(one.since or '')[:10]} to {(one.until or '')[:10]}"
        for one in found.holdings
    ] or ["nothing is held"]
    lines.append(
        f"{counted(len(found.scores), 'score')}, {counted(len(found.cases), 'case')}, "
        f"{counted(len(found.recipients), 'disclosure')}, in the audit log: {len(found.uses)}"
    )
    show(content, as_json=as_json, text="\n".join(lines))


@person.command()
def export(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="A new or empty folder.")],
    account: Account = None,
    number: Number = None,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Write what a person may take along: JSON lines, CSV, and what the columns mean.

    Example: callsieve person export --account C1000016 --out C1000016
    """
    asked = _asked(ctx, account, number, reason)
    written = rights.export(asked, out)
    note_exports(asked.lake.home, ExportKind.ANSWER, out.iterdir(), at=asked.now)
    files = [asdict(one) for one in written.files]
    lines = [f"{one.name}: {counted(one.rows, 'row')}" for one in written.files]
    text = "\n".join(lines) or "nothing is held"
    show({"out": str(out), "files": files}, as_json=as_json, text=text)


@person.command()
def rectify(
    ctx: typer.Context,
    to: Annotated[list[str], typer.Option("--set", help="column=value; repeat for more.")],
    account: Account = None,
    number: Number = None,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Put details of an account right from now on; what stood before is kept as such.

    The next import of accounts counts again: put it right at its source as well.

    Example: callsieve person rectify --account C1000016 --set name="Ada Lovelace"
    """
    if number is not None:
        raise WrongUse("of a bare number there are no details; name the --account")
    if wrong := [one for one in to if "=" not in one]:
        raise WrongUse(f"{len(wrong)} of --set have no =; write column=value")
    changes = {name: value or None for name, _, value in (one.partition("=") for one in to)}
    different = rights.rectify(_asked(ctx, account, number, reason), changes)
    text = f"put right: {', '.join(different)}" if different else "it stood so already"
    show({"columns": list(different)}, as_json=as_json, text=text)


@person.command()
def restrict(
    ctx: typer.Context,
    account: Account = None,
    number: Number = None,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Keep a person's data, and do nothing else with it: not scored, no reference, not removed.

    Example: callsieve person restrict --account C1000016 --reason "contests what is held"
    """
    request = rights.restrict(_asked(ctx, account, number, reason))
    text = f"request {request.request_id[:8]}: restricted until it is lifted"
    show({"request_id": request.request_id, "state": "done"}, as_json=as_json, text=text)


@person.command("object")
def object_(
    ctx: typer.Context,
    account: Account = None,
    number: Number = None,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Note an objection to fraud processing: left alone from now on, until it is decided.

    `callsieve person decide` grants it, or refuses it with the grounds.

    Example: callsieve person object --account C1000016 --reason "I am no fraud"
    """
    request = rights.object_to(_asked(ctx, account, number, reason))
    waits = f"to be decided by {request.due_at:%Y-%m-%d}"
    how = waits if request.state is State.OPEN else "granted already, until it is lifted"
    text = f"request {request.request_id[:8]}: {how}"
    show(
        {"request_id": request.request_id, "state": request.state, "due_at": request.due_at},
        as_json=as_json,
        text=text,
    )


@person.command()
def erase(
    ctx: typer.Context,
    account: Account = None,
    number: Number = None,
    reason: Reason = None,
    blocked_too: Annotated[
        bool,
        typer.Option("--blocked-too", help="Also an account that is blocked for fraud or misuse."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Erase a person from everything in the home, and search every byte of it afterwards.

    Prints the receipt. Killed or not complete, the same command completes it. Ends with 1 where
    a legal hold, an open case or a block for fraud forbids it, or the search found what should not
    be there. An account of which nothing is held is refused, as a mistyped one is.

    Example: callsieve person erase --account C1000016 --reason "letter of 3 November"
    """
    asked = _asked(ctx, account, number, reason)
    receipt = erase_person(
        asked.lake, asked.person, reason=reason, by=asked.by, now=asked.now,
        blocked_too=blocked_too, progress=tell,
    )  # fmt: skip
    show(receipt.as_json(), as_json=as_json, text=in_words(receipt))
    if not receipt.complete:
        raise typer.Exit(NEEDS_A_PERSON)


@person.command()
def requests(ctx: typer.Context, as_json: Json = False) -> None:
    """List requests, those due first on top. Ends with 1 where one is past its due date.

    Example: callsieve person requests
    """
    now = datetime.now(tz=UTC)
    rows = requests_of(open_lake(ctx.obj())).drop("answer").to_dicts()
    late = [row for row in rows if row["state"] == State.OPEN and row["due_at"] < now]
    table = Table(box=None)
    for name in ("request", "right", "kind", "state", "received", "due", "", "said"):
        table.add_column(name, no_wrap=True)
    for row in sorted(rows, key=lambda row: (row["state"] != State.OPEN, row["due_at"])):
        days = [f"{row[name]:%Y-%m-%d}" for name in ("received_at", "due_at")]
        said = (row["request_id"][:8], row["right"], row["kind"], row["state"], *days,
                "LATE" if row in late else "", (row["reason"] or "")[:_SAID])  # fmt: skip
        table.add_row(*map(cell, said))
    show({"requests": rows, "late": len(late)}, as_json=as_json, text=table if rows else "none")
    if late:
        raise typer.Exit(NEEDS_A_PERSON)


@person.command()
def decide(
    ctx: typer.Context,
    request: Annotated[str, typer.Argument(help="Its id, or how it begins.")],
    grant: Annotated[bool, typer.Option("--grant", help="Do as the person asks.")] = False,
    refuse: Annotated[bool, typer.Option("--refuse", help="Do not; needs --grounds.")] = False,
    lift: Annotated[bool, typer.Option("--lift", help="End it; needs --grounds.")] = False,
    grounds: Grounds = None,
    as_json: Json = False,
) -> None:
    """Grant or refuse an open request, or lift a restriction or objection, with the grounds.

    Example: callsieve person decide 3fa9c1d2 --refuse --grounds "compelling: Art. 21(1)"
    """
    choices = {State.DONE: grant, State.REFUSED: refuse, State.LIFTED: lift}
    wished = [state for state, chosen in choices.items() if chosen]
    if len(wished) != 1:
        raise WrongUse("one of --grant, --refuse and --lift")
    now = datetime.now(tz=UTC)
    done = rights.settle(
        open_lake(ctx.obj()), request, wished[0], grounds=grounds, by=access_of.person(), now=now
    )
    found = {"request_id": done.request_id, "right": done.right.value, "state": wished[0].value}
    show(found, as_json=as_json, text=f"{done.right.value}: {wished[0].value}")


@person.command()
def disclose(
    ctx: typer.Context,
    to: Annotated[str, typer.Option(help="Who received it.")],
    what: Annotated[str, typer.Option(help="Which data.")],
    ground: Annotated[str, typer.Option(help="The law or contract it rests on.")],
    account: Account = None,
    number: Number = None,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Record that data of a person went to an authority, a carrier or a processor.

    Example: callsieve person disclose --account C1000016 --to "police, Berlin" \
        --what "calls of October" --ground "order 12 Js 34/26"
    """
    key = rights.disclosed(_asked(ctx, account, number, reason), to=to, what=what, ground=ground)
    show({"disclosure_id": key}, as_json=as_json, text=f"recorded: {key[:8]}")


@app.command()
def disclosures(ctx: typer.Context, as_json: Json = False) -> None:
    """List disclosures to authorities, carriers and processors, the newest first.

    Example: callsieve disclosures
    """
    rows = open_lake(ctx.obj()).scan(DISCLOSURES).sort("disclosed_at", descending=True).collect()
    lines = [
        f"{row['disclosed_at']:%Y-%m-%d}  {row['recipient']}  {row['what']}  ({row['ground']})"
        for row in rows.iter_rows(named=True)
    ]
    show({"disclosures": rows.to_dicts()}, as_json=as_json, text="\n".join(lines) or "none")


def _asked(
    ctx: typer.Context, account: str | None, number: str | None, reason: str | None
) -> rights.Asked:
    who = person_of(account=account, number=number)
    return rights.Asked(open_lake(ctx.obj()), who, reason, access_of.person(), datetime.now(tz=UTC))
