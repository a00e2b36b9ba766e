"""The command `lake renumber`: numbers of the calls that are there, read again."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from cdr import Settings, open_lake
from cdr.renumber import Renumbering, compare
from cdr.renumber import renumber as read_again
from pipelines.commands.lake import lake
from pipelines.terminal import NEEDS_A_PERSON, Json, cell, paced, show, tell


@lake.command()
def renumber(
    ctx: typer.Context,
    commit: Annotated[
        bool, typer.Option("--commit", help="Make the change, after the report.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Read numbers again that older numbering metadata read: report what differs, then change it.

    Without --commit nothing is written, and the command ends with 1 where calls would read
    otherwise. With it, each day is one commit; calls that changed keep their earlier version
    in `call_history`, and a run that was broken off goes on where it was.

    Example: callsieve lake renumber

    Example: callsieve lake renumber --commit
    """
    settings: Settings = ctx.obj()
    opened = open_lake(settings)
    say = paced(tell)
    report = compare(
        opened,
        settings.sources,
        progress=lambda done, of: say(f"  {done:,} of {of:,} days looked at"),
    )
    if not as_json:
        _show(report)
    changed = 0
    if commit and report.days:
        changed = read_again(
            opened,
            settings.sources,
            now=datetime.now(tz=UTC),
            besides=report.harmed,
            progress=lambda done, of: say(f"  {done:,} of {of:,} days changed"),
        )
    if as_json:
        show({**asdict(report), "committed": changed}, as_json=True)
    else:
        show({}, as_json=False, text=_outcome(report, changed, commit=commit))
    for concern in report.concerns:
        tell(concern)
    if report.left or report.concerns or (report.changed and not commit):
        raise typer.Exit(NEEDS_A_PERSON)


def _show(report: Renumbering) -> None:
    if not report.differences:
        return
    table = Table(box=None)
    for name in ("field", "before", "after", "calls", "example"):
        table.add_column(name, justify="right" if name == "calls" else "left", no_wrap=True)
    for each in report.differences:
        cells = (each.field, each.before or "-", each.after or "-", f"{each.calls:,}", each.example)
        table.add_row(*map(cell, cells))
    show({}, as_json=False, text=table)


def _outcome(report: Renumbering, changed: int, *, commit: bool) -> str:
    if not (report.read or report.left or report.harmed):
        return f"all calls were read with {report.version}"
    said = [
        f"{report.changed:,} of {report.read:,} calls of {len(report.days)} days that other "
        f"metadata read differ with {report.version}"
    ]
    if commit:
        said.append(f"{changed:,} calls changed; their earlier versions are in call_history")
    elif report.changed:
        said.append("nothing was written; to change them: callsieve lake renumber --commit")
    else:
        said.append("nothing was written; with --commit they get the newer version's name")
    said += [
        f"{calls:,} calls of {name} stay as they are: it is no source of the settings, so "
        "nothing says what country it dialled in"
        for name, calls in sorted(report.left.items())
    ]
    return "\n".join(said)
