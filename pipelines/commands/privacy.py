"""The command `retention`: remove what is over, and say what went by which rule."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from cdr import open_lake
from pipelines.retention import Cleared, clear_away
from pipelines.terminal import NEEDS_A_PERSON, Json, show

app = typer.Typer()


@app.command()
def retention(
    ctx: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go; change nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Remove what is kept for no purpose any more, columns before rows; each nightly does it too.

    The periods are settings, `[retention]`. Ends with 1 where something expired is still there.

    Example: callsieve retention --dry-run
    """
    done = clear_away(open_lake(ctx.obj()), now=datetime.now(tz=UTC), dry_run=dry_run)
    show(done.as_json(), as_json=as_json, text=_in_words(done))
    if done.expired_left:
        raise typer.Exit(NEEDS_A_PERSON)


def _in_words(done: Cleared) -> str:
    lake = done.lake
    went = "would go" if lake.dry_run else "went"
    lines = [
        f"{one.table}, {one.rule} ({one.days} days): {one.rows:,} rows and {one.values:,} values "
        f"{went}, {one.files:,} files of {one.bytes:,} bytes"
        for one in lake.removals
        if one.rows or one.values
    ]
    lines += [
        f"{one.rule} ({one.days} days): {one.files:,} files of {one.bytes:,} bytes {went}"
        for one in lake.files
        if one.files
    ]
    if done.cases.cases:
        lines.append(f"queue: {done.cases.cases:,} decided cases {went}")
    lines = lines or [f"nothing {went}"]
    if lake.gone.files:
        lines.append(f"gone: {lake.gone.files:,} old files, {lake.gone.bytes:,} bytes")
    if lake.waiting_until is not None:
        lines.append(
            f"not gone yet: {lake.waiting.files:,} old files of {lake.waiting.bytes:,} bytes, "
            f"all by {lake.waiting_until:%Y-%m-%d}"
        )
    if done.expired_left:
        lines.append(f"STILL THERE though over: {done.expired_left:,}; run it again")
    return "\n".join(lines)
