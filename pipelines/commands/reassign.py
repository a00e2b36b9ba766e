"""The command `lake reassign`: accounts for calls that found none when they were taken in."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated

import typer
from rich.table import Table

from cdr import Settings, open_lake
from cdr.reassign import Reassignment, compare
from cdr.reassign import reassign as find_accounts
from pipelines.commands.lake import lake
from pipelines.terminal import NEEDS_A_PERSON, Json, cell, counted, paced, show, tell


@lake.command()
def reassign(
    ctx: typer.Context,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First UTC day looked at.")
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="First UTC day that is not looked at any more."),
    ] = None,
    moved: Annotated[
        bool,
        typer.Option(
            "--moved",
            help="Look also at calls that have an account by a number that another held then.",
        ),
    ] = False,
    commit: Annotated[
        bool, typer.Option("--commit", help="Make the change, after the report.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Look again for the accounts of calls that found none: report what differs, then change it.

    For numbers that were taken in after their calls; the night does the same by itself. Without
    --commit nothing is written, and the command ends with 1 where calls would find an account.
    With it, each day is one commit; a run that was broken off goes on where it was.

    A call that has an account keeps it. With --moved, one whose account comes from its number
    (`account_from`) goes to the account that held the number then, if `account_numbers` says so
    now. Calls of sealed months make reversals and new lines in the next extract.

    Example: callsieve lake reassign

    Example: callsieve lake reassign --since 2026-09-01 --commit

    Example: callsieve lake reassign --moved
    """
    settings: Settings = ctx.obj()
    opened = open_lake(settings)
    say = paced(tell)
    report = compare(
        opened,
        settings.sources,
        since=_day(since),
        until=_day(until),
        moved=moved,
        progress=lambda done, of: say(f"  {done:,} of {of:,} days looked at"),
    )
    if not as_json:
        _show(report, moved=moved)
    changed = 0
    if commit and report.days:
        changed = find_accounts(
            opened,
            settings.sources,
            report.days,
            now=datetime.now(tz=UTC),
            moved=moved,
            progress=lambda done, of: say(f"  {done:,} of {of:,} days changed"),
        )
    if as_json:
        counts = {"moved": report.moved, "committed": changed}
        show({**asdict(report), **counts}, as_json=True)
    else:
        show({}, as_json=False, text=_outcome(report, changed, commit=commit))
    for concern in report.concerns:
        tell(concern)
    if report.concerns or (report.days and not commit):
        raise typer.Exit(NEEDS_A_PERSON)


def _day(at: datetime | None) -> date | None:
    return at.date() if at else None


def _show(report: Reassignment, *, moved: bool) -> None:
    if not report.sources:
        return
    table = Table(box=None)
    table.add_column("source", no_wrap=True)
    table.add_column("account from", no_wrap=True)
    counted_as = ("without account", "find one", "outbound", "inbound", "internal", "find another")
    for name in counted_as if moved else counted_as[:-1]:
        table.add_column(name, justify="right", no_wrap=True)
    for each in report.sources:
        counts = (each.without, each.found, each.outbound, each.inbound, each.internal, each.moved)
        shown = [f"{count:,}" for count in (counts if moved else counts[:-1])]
        way = each.account_from or "not in the settings"
        table.add_row(*map(cell, (each.source, way, *shown)))
    show({}, as_json=False, text=table)


def _outcome(report: Reassignment, changed: int, *, commit: bool) -> str:
    if not report.sources and not report.harmed:
        return "every call has an account"
    if not report.days:
        return "no call would find an account that it has not"
    of_days = f"of {counted(len(report.days), 'day')}"
    if commit:
        return (
            f"{counted(changed, 'call')} {of_days} found an account; "
            "their earlier versions are in call_history"
        )
    found = [f"{counted(report.found, 'call')} {of_days} would find an account"]
    if report.moved:
        found.append(f"{counted(report.moved, 'call')} {of_days} would go to another account")
    return "\n".join((*found, "nothing was written; the same with --commit gives it to them"))
