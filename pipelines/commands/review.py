"""The commands `review …`: the queue's database, its people, its server, its decisions."""

from __future__ import annotations

import getpass
import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cdr import open_lake
from cdr.errors import WrongUse
from fraud.review.queue import (
    audit_breaks,
    decisions_since,
    migrate,
    new_password,
    new_person,
    people_count,
)
from fraud.review.rights import Role
from fraud.review.server import Address
from fraud.review.server import serve as run_server
from pipelines.terminal import NEEDS_A_PERSON, Json, show, tell

PASSWORD = "CALLSIEVE_PASSWORD"
"""Environment variable with a password for `review user`, where nobody can be asked."""

COMMAND_LINE = "command line"

app = typer.Typer()
review = typer.Typer(help="The review queue: where the fraud team works.", no_args_is_help=True)
user = typer.Typer(help="People who may sign in.", no_args_is_help=True)
app.add_typer(review, name="review")
review.add_typer(user, name="user")

Name = Annotated[str, typer.Argument(help="Letters, digits and @ . + - _")]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


@review.command("migrate")
def migrate_command(ctx: typer.Context, as_json: Json = False) -> None:
    """Make the queue's database, or bring it up to this version; safe to repeat.

    Example: callsieve review migrate
    """
    where = migrate(_home(ctx))
    show({"database": where, "state": "up to date"}, as_json=as_json, text=f"{where}: up to date")


@user.command("add")
def add_user(
    ctx: typer.Context,
    name: Name,
    role: Annotated[Role, typer.Option(help="What the person may do.")],
    country: Annotated[
        list[str] | None, typer.Option(help="Only cases of this country; repeat for more.")
    ] = None,
    plan: Annotated[
        list[str] | None, typer.Option(help="Only cases of this plan; repeat for more.")
    ] = None,
    second_factor: Annotated[
        bool, typer.Option("--require-second-factor", help="Ask for a code at sign-in.")
    ] = False,
    password_stdin: FromStdin = False,
    as_json: Json = False,
) -> None:
    """Add a person. The password is asked for, or read from standard input or CALLSIEVE_PASSWORD.

    Example: callsieve review user add ada --role reviewer
    """
    new_person(
        _home(ctx), name, _password(from_stdin=password_stdin), role=role, by=COMMAND_LINE,
        now=datetime.now(tz=UTC), countries=country or (), plans=plan or (),
        second_factor_required=second_factor,
    )  # fmt: skip
    show(
        {"user": name, "role": role.value}, as_json=as_json, text=f"{name} is {_a(role.value)} now"
    )


@user.command("password")
def set_password(
    ctx: typer.Context, name: Name, password_stdin: FromStdin = False, as_json: Json = False
) -> None:
    """Give a person a new password, end the person's sessions and a lock-out.

    Example: callsieve review user password ada
    """
    new_password(
        _home(ctx), name, _password(from_stdin=password_stdin), by=COMMAND_LINE,
        now=datetime.now(tz=UTC),
    )  # fmt: skip
    show({"user": name}, as_json=as_json, text=f"{name} has a new password")


@review.command()
def serve(
    ctx: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8080,
    name: Annotated[
        list[str] | None, typer.Option(help="Host name people use; repeat for more.")
    ] = None,
    proxy: Annotated[
        str | None, typer.Option(help="Address of the proxy with TLS, whose word is believed.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Serve the review queue, static files included, until interrupted.

    Example: callsieve review serve --port 8080
    """
    settings = ctx.obj()
    secret = settings.review.webhook_secret.get_secret_value()
    url = settings.review.webhook_url
    if url and not secret:
        raise WrongUse("webhooks need a secret: set CALLSIEVE_REVIEW__WEBHOOK_SECRET")
    address = Address(host, port, tuple(name or ()), proxy)
    lake = open_lake(settings, create=True)
    if not people_count(lake.home.root):
        tell("nobody can sign in yet: `callsieve review user add NAME --role reviewer`")
    run_server(lake, address, receiver=(url, secret) if url else None, tell=tell)
    show({"served": f"{host}:{port}"}, as_json=as_json, text="stopped")


@review.command()
def decisions(
    ctx: typer.Context,
    since: Annotated[str, typer.Option(help="ISO 8601 instant, such as 2026-09-30T00:00:00Z.")],
    as_json: Json = False,
) -> None:
    """Print what became final since an instant, for operators without a webhook receiver.

    `until` of one answer is `since` of the next: nothing is missed, nothing comes twice.

    Example: callsieve review decisions --since 2026-09-30T00:00:00Z --json
    """
    until = datetime.now(tz=UTC)
    found = decisions_since(_home(ctx), _instant(since), until=until)
    lines = [f"{one['decided_at']}  {one['account_id']}  {one['decision']}" for one in found]
    show(
        {"since": _instant(since), "until": until, "decisions": found},
        as_json=as_json,
        text="\n".join(lines) or "no decisions",
    )


@review.command()
def verify(ctx: typer.Context, as_json: Json = False) -> None:
    """Find entries of the queue's audit log that were changed or taken out since they were sealed.

    Ends with 1 where there are any. What retention and erasure take out is sealed anew.

    Example: callsieve review verify
    """
    found = audit_breaks(open_lake(ctx.obj()).home)
    changed = [one for one in found if not one.missing]
    lines = [
        f"entries {one.first} to {one.last}: "
        + ("some were taken out" if one.missing else "changed or put in")
        for one in found
    ]
    show(
        {"changed": [asdict(one) for one in changed], "gone": len(found) - len(changed)},
        as_json=as_json,
        text="\n".join(lines) or "as they were written",
    )
    if found:
        raise typer.Exit(NEEDS_A_PERSON)


def _home(ctx: typer.Context) -> Path:
    home: Path = ctx.obj().home
    return home


def _a(role: str) -> str:
    return f"{'an' if role[0] in 'aeiou' else 'a'} {role}"


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise WrongUse("--since must be an instant such as 2026-09-30T00:00:00Z") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _password(*, from_stdin: bool) -> str:
    """Return a password that somebody gave; there is none to fall back on."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    if given := os.environ.get(PASSWORD):
        return given
    if not sys.stdin.isatty():
        raise WrongUse(f"no password: use --password-stdin, or set {PASSWORD}")
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("Again: "):
        raise WrongUse("the two passwords differ")
    return password
