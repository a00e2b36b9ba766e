"""The commands `retention …`: remove what is over, and lay holds on what must stay."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from cdr import access, open_lake
from cdr.privacy.holds import holds
from cdr.privacy.identifiers import person_of
from pipelines import rights
from pipelines.retention import Cleared, clear_away
from pipelines.terminal import NEEDS_A_PERSON, Json, cell, counted, show

app = typer.Typer()
retention = typer.Typer(invoke_without_command=True)
hold = typer.Typer(
    help="Legal holds: nothing of an account or number is removed.", no_args_is_help=True
)
retention.add_typer(hold, name="hold")
app.add_typer(retention, name="retention")


@retention.callback()
def remove(
    ctx: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go; change nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Remove what is kept for no purpose any more, columns before rows; each nightly does it too.

    The periods are settings, `[retention]`. Ends with 1 where something expired is
    still there, or a data file is damaged.
    `callsieve retention hold` keeps what is needed longer.

    Example: callsieve retention --dry-run
    """
    if ctx.invoked_subcommand is not None:
        return
    done = clear_away(open_lake(ctx.obj()), now=datetime.now(tz=UTC), dry_run=dry_run)
    show(done.as_json(), as_json=as_json, text=_in_words(done))
    if done.expired_left or done.lake.harmed:
        raise typer.Exit(NEEDS_A_PERSON)


@hold.command()
def add(
    ctx: typer.Context,
    ground: Annotated[str, typer.Option(help="The order or claim it rests on.")],
    account: Annotated[str | None, typer.Option(help="An account of ours.")] = None,
    number: Annotated[str | None, typer.Option(help="A number, such as +49301234567.")] = None,
    until: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="Day on which it ends, UTC; else until it is ended."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Lay a legal hold on an account or a number: neither retention nor erasure removes it.

    Example: callsieve retention hold add --account C1000016 --ground "order 12 Js 34/26"
    """
    done = rights.lay_hold(
        open_lake(ctx.obj()),
        person_of(account=account, number=number),
        ground=ground,
        until=None if until is None else until.replace(tzinfo=UTC),
        by=access.person(),
        now=datetime.now(tz=UTC),
    )
    show(
        {"hold_id": done.hold_id, "until": done.until},
        as_json=as_json,
        text=f"hold {done.hold_id[:8]}: {done}",
    )


@hold.command("list")
def list_holds(ctx: typer.Context, as_json: Json = False) -> None:
    """List legal holds, the newest first; also those that ended.

    Example: callsieve retention hold list
    """
    rows = holds(open_lake(ctx.obj())).to_dicts()
    table = Table(box=None)
    for name in ("hold", "kind", "subject", "since", "until", "ground", "ended because"):
        table.add_column(name, no_wrap=True)
    for row in rows:
        days = ["" if row[name] is None else f"{row[name]:%Y-%m-%d}" for name in ("since", "until")]
        said = (row["hold_id"][:8], row["kind"], row["subject"], *days, row["ground"])
        table.add_row(*map(cell, (*said, row["ended_why"])))
    show({"holds": rows}, as_json=as_json, text=table if rows else "none")


@hold.command()
def end(
    ctx: typer.Context,
    hold_id: Annotated[str, typer.Argument(metavar="HOLD", help="Its id, or how it begins.")],
    why: Annotated[str, typer.Option(help="Why nothing needs it any more.")],
    as_json: Json = False,
) -> None:
    """End a legal hold. What it alone kept goes with the next run of retention.

    Example: callsieve retention hold end 9d02b7f4 --why "proceedings closed"
    """
    done = rights.lift_hold(
        open_lake(ctx.obj()), hold_id, why=why, by=access.person(), now=datetime.now(tz=UTC)
    )
    show({"hold_id": done.hold_id}, as_json=as_json, text=f"hold {done.hold_id[:8]}: ended")


def _in_words(done: Cleared) -> str:
    lake = done.lake
    went = "would go" if lake.dry_run else "went"
    lines = [
        f"{one.table}, {one.rule} ({one.days} days): {counted(one.rows, 'row')} and "
        f"{counted(one.values, 'value')} {went}, {counted(one.files, 'file')} of "
        f"{one.bytes:,} bytes"
        for one in lake.removals
        if one.rows or one.values
    ]
    lines += [
        f"{one.rule} ({one.days} days): {counted(one.files, 'file')} of {one.bytes:,} bytes {went}"
        for one in lake.files
        if one.files
    ]
    if done.cases.cases:
        lines.append(f"queue: {counted(done.cases.cases, 'decided case')} {went}")
    lines = lines or [f"nothing {went}"]
    if lake.gone.files:
        lines.append(f"gone: {counted(lake.gone.files, 'old file')}, {lake.gone.bytes:,} bytes")
    if lake.waiting_until is not None:
        lines.append(
            f"not gone yet: {counted(lake.waiting.files, 'old file')} of "
            f"{lake.waiting.bytes:,} bytes, all by {lake.waiting_until:%Y-%m-%d}"
        )
    lines += [
        f"STILL THERE and changed since: {counted(one.left, 'file')}, {one.rule}; "
        "remove them by hand"
        for one in lake.files
        if one.left
    ]
    if done.expired_left:
        lines.append(f"STILL THERE though over: {done.expired_left:,}; run it again")
    lines += lake.concerns
    return "\n".join(lines)
