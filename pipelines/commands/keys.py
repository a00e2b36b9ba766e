"""The commands of `keys`: which secrets pseudonyms are made with, and a new one."""

from __future__ import annotations

import typer

from cdr.pseudonyms import Key, KeyFolder
from pipelines.terminal import Json, show

app = typer.Typer()
keys = typer.Typer(
    help="Keys of pseudonyms: outside the home, for their owner only, never shown.",
    no_args_is_help=True,
)
app.add_typer(keys, name="keys")


def _folder(ctx: typer.Context) -> KeyFolder:
    settings = ctx.obj()
    return KeyFolder(settings.keys_folder, settings.home)


@keys.command("list")
def list_keys(ctx: typer.Context, as_json: Json = False) -> None:
    """Name the keys, the oldest first; the last one makes pseudonyms.

    The name of a key stands in each pseudonym, behind the `~`.

    Example: callsieve keys list
    """
    _show(_folder(ctx).all(), as_json=as_json)


@keys.command()
def rotate(ctx: typer.Context, as_json: Json = False) -> None:
    """Make a new key. From now on every person has another pseudonym; earlier keys stay.

    Example: callsieve keys rotate
    """
    folder = _folder(ctx)
    folder.rotate()
    _show(folder.all(), as_json=as_json)


def _show(found: list[Key], *, as_json: bool) -> None:
    rows = [{"key": key.fingerprint, "made_at": key.made_at} for key in found]
    lines = [f"{key.fingerprint}  made {key.made_at:%Y-%m-%d %H:%M} UTC" for key in found]
    if lines:
        lines[-1] += "  in use"
    show(
        {"keys": rows, "in_use": found[-1].fingerprint if found else None},
        as_json=as_json,
        text="\n".join(lines) or "no key yet; the first session of the fraud purpose makes one",
    )
