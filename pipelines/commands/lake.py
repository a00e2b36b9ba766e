"""Commands on the store itself: `lake stats`, `verify`, `compact` and `history`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

import cdr.billing.tables  # noqa: F401 (its tables are counted and verified too)
import fraud.tables  # noqa: F401 (the same)
from cdr import open_lake
from cdr.lake.compact import compact as rewrite
from cdr.lake.history import Commit
from cdr.lake.history import history as commits_of
from cdr.lake.stats import SourceStats, TableStats, source_stats, table_stats
from cdr.lake.verify import verify as read_again
from pipelines.terminal import NEEDS_A_PERSON, Json, cell, paced, show, tell

app = typer.Typer()
lake = typer.Typer(help="Look at the store and keep it in order.", no_args_is_help=True)
app.add_typer(lake, name="lake")


@lake.command()
def stats(ctx: typer.Context, as_json: Json = False) -> None:
    """Count rows, files, bytes and days of each table, and name days a source is silent.

    Example: callsieve lake stats
    """
    opened = open_lake(ctx.obj())
    tables, sources = table_stats(opened), source_stats(opened)
    found = {
        "tables": [asdict(table) for table in tables],
        "sources": [asdict(source) for source in sources],
    }
    show(found, as_json=as_json, text=_tables(tables))
    if not as_json and sources:
        show({}, as_json=False, text="\n".join(_in_words(source) for source in sources))


@lake.command()
def verify(ctx: typer.Context, as_json: Json = False) -> None:
    """Read everything again and hold it against the log and the ledger; changes nothing.

    Ends with 1 where something is wrong.

    Example: callsieve lake verify
    """
    say = paced(tell)
    verified = read_again(
        open_lake(ctx.obj()),
        progress=lambda table, done, of: say(f"  {table}: {done:,} of {of:,} files read"),
    )
    read = f"{verified.rows:,} rows in {verified.files:,} files of {verified.tables} tables read"
    lines = [
        f"{fault.table}: {fault.what}" + (f" ({fault.file})" if fault.file else "")
        for fault in verified.faults
    ]
    show(asdict(verified), as_json=as_json, text="\n".join([*lines, read + _verdict(len(lines))]))
    if verified.faults:
        raise typer.Exit(NEEDS_A_PERSON)


@lake.command()
def compact(ctx: typer.Context, as_json: Json = False) -> None:
    """Rewrite days that lie in many files, sorted by account and time; safe at any time.

    The nightly does the same. Files that were replaced a week ago are removed. Ends with 1 where
    a file is damaged: its day stays as it is, others do not.

    Example: callsieve lake compact
    """
    done = rewrite(open_lake(ctx.obj()))
    lines = [f"{done.days} days of calls rewritten", *done.concerns]
    show(asdict(done), as_json=as_json, text="\n".join(lines))
    if done.concerns:
        raise typer.Exit(NEEDS_A_PERSON)


@lake.command()
def history(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(help="Entries at most, the newest first.", min=1)] = 20,
    as_json: Json = False,
) -> None:
    """Show what was done to the store, batch by batch, the newest first.

    Example: callsieve lake history --limit 5
    """
    commits = commits_of(open_lake(ctx.obj()), limit=limit)
    found = {"commits": [asdict(commit) for commit in commits]}
    show(found, as_json=as_json, text="\n".join(_in_one_line(c) for c in commits) or "nothing yet")


def _verdict(faults: int) -> str:
    return f"; {faults} faults" if faults else "; everything is as the log and the ledger say"


def _tables(tables: tuple[TableStats, ...]) -> Table | str:
    if not tables:
        return "the lake has no rows yet"
    shown = Table(box=None)
    for name in ("table", "rows", "files", "small", "MB", "days", "first", "last"):
        shown.add_column(name, justify="left" if name == "table" else "right", no_wrap=True)
    for each in tables:
        shown.add_row(
            *map(
                cell,
                (
                    each.table,
                    f"{each.rows:,}",
                    each.files,
                    each.small_files,
                    f"{each.bytes / 1e6:,.1f}",
                    each.days or None,
                    each.first_day,
                    each.last_day,
                ),
            )
        )
    return shown


def _in_words(source: SourceStats) -> str:
    missing = ", ".join(day.isoformat() for day in source.missing_days)
    return (
        f"{source.source}: {source.legs:,} legs on {source.days} days, {source.first_day} to "
        f"{source.last_day}; " + (f"none on {missing}" if missing else "no day is missing")
    )


def _in_one_line(commit: Commit) -> str:
    changes = ", ".join(
        f"{table} +{change.rows_added:,} -{change.rows_removed:,}"
        for table, change in sorted(commit.tables.items())
    )
    return f"{commit.at:%Y-%m-%d %H:%M:%SZ}  {commit.did:<12}  {changes}"
