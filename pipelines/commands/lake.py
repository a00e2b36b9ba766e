"""Commands on the store itself: `lake stats`, `verify`, `compact` and `history`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date, timedelta
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
from fraud.days import SUMS
from pipelines.terminal import NEEDS_A_PERSON, Json, cell, counted, paced, show, tell

app = typer.Typer()
lake = typer.Typer(help="Look at the store and keep it in order.", no_args_is_help=True)
app.add_typer(lake, name="lake")


@lake.command()
def stats(ctx: typer.Context, as_json: Json = False) -> None:
    """Count rows, files, bytes and days of each table, and name days a source is silent.

    Example: callsieve lake stats
    """
    opened = open_lake(ctx.obj())
    tables = table_stats(opened)
    if not as_json:
        show({}, as_json=False, text=_tables(tables))
    sources = source_stats(opened)
    found = {
        "tables": [asdict(table) for table in tables],
        "sources": [asdict(source) for source in sources],
    }
    if as_json:
        show(found, as_json=True)
    elif sources:
        newest = max(source.last_day for source in sources)
        show({}, as_json=False, text="\n".join(in_words(one, newest) for one in sources))


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
    lines.append(read + _verdict(len(verified.faults)))
    named = {fault.table for fault in verified.faults if fault.file}
    if named - _SUMS:
        lines.append(_COPY_BACK)
    if named & _SUMS:
        lines.append(_WORKED_OUT)
    show(asdict(verified), as_json=as_json, text="\n".join(lines))
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


_COPY_BACK = (
    "copy each file that is named back from any backup that has it, to the same path: any copy of "
    "that name is the right one"
)

_SUMS = {table.name for table in SUMS}

_WORKED_OUT = (
    f"a file of {', '.join(sorted(_SUMS))} needs no copy: remove it, and the next night works its "
    "day out again from the calls"
)


def _verdict(faults: int) -> str:
    return (
        f"; {counted(faults, 'fault')}"
        if faults
        else "; everything is as the log and the ledger say"
    )


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


def in_words(source: SourceStats, newest: date) -> str:
    """Say what there is of a source; ``newest`` is the last day that any source has."""
    without = f" ({source.without_account:,} without an account)" if source.without_account else ""
    silent = [f"none on {', '.join(_spans(source.missing_days))}"] if source.missing_days else []
    if source.last_day < newest:
        silent.append(f"none after {source.last_day}")
    return (
        f"{source.source}: {source.legs:,} legs{without} on {counted(source.days, 'day')}, "
        f"{source.first_day} to {source.last_day}; {', '.join(silent) or 'no day is missing'}"
    )


def _spans(days: Sequence[date]) -> Iterator[str]:
    """Join days that follow each other."""
    begin = end = days[0]
    for day in [*days[1:], date.max]:
        if day - end > timedelta(days=1):
            yield str(begin) if begin == end else f"{begin} to {end}"
            begin = day
        end = day


def _in_one_line(commit: Commit) -> str:
    changes = ", ".join(
        f"{table} +{change.rows_added:,} -{change.rows_removed:,}"
        for table, change in sorted(commit.tables.items())
    )
    return f"{commit.at:%Y-%m-%d %H:%M:%SZ}  {commit.did:<12}  {changes}"
