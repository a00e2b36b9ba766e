"""The server: the application, its static files, and what has to happen when a date comes.

One process with threads: the lake's session and the pace of requests are shared in
memory, and SQLite has one writer anyway. TLS is for a proxy before it, or for nobody
where people reach it on this machine only.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from django.conf import settings as django_settings

from cdr.errors import WrongUse
from cdr.lake import Lake
from fraud.review.database import point_at, queue_database, secret_key, set_up

if TYPE_CHECKING:
    from fraud.review.outbox import Receiver

THREADS = 12
"""Requests answered at once. Ours: pages take some ten milliseconds, mostly in one thread."""

EVERY_S = 15.0
"""How often dates and the outbox are looked after. Ours: nobody waits for a suspension to end."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen, and under which names people reach it.

    Parameters
    ----------
    host, port : str, int
        Address to listen on.
    names : sequence of str
        Host names under which it is reached, beside those of this machine.
    proxy : str, optional
        Address of the one proxy whose word on scheme and client is believed.
    """

    host: str
    port: int
    names: Sequence[str] = ()
    proxy: str | None = None


def application(lake: Lake, *, names: Sequence[str] = ()) -> Callable[..., Any]:
    """Return the WSGI application of a home; its database is brought up to date first.

    Raises
    ------
    QueueTooNew, QueueFailed, StorageFailed
        See :func:`~fraud.review.database.queue_database`.
    """
    home: Path = lake.home.root
    set_up()
    django_settings.SECRET_KEY = secret_key(home)
    django_settings.ALLOWED_HOSTS = [*django_settings.ALLOWED_HOSTS, *names]
    with queue_database(home):
        pass
    point_at(home)
    # the library of sign-in failures writes user names and addresses, which belong in no log
    logging.getLogger("axes").setLevel(logging.CRITICAL)
    from django.core.handlers.wsgi import WSGIHandler

    from fraud.review.account import AccountReader
    from fraud.review.web import reader

    reader.use(AccountReader(lake))
    return WSGIHandler()


def serve(
    lake: Lake,
    address: Address,
    *,
    receiver: tuple[str, str] | None,
    tell: Callable[[str], None],
    threads: int = THREADS,
) -> None:
    """Serve until interrupted.

    Parameters
    ----------
    lake : Lake
        Whose home has the queue.
    address : Address
        Where.
    receiver : tuple of str, optional
        URL of the webhooks' receiver and the shared secret; None sends nothing.
    tell : callable
        Told in words how it goes.
    threads : int, default=12
        Requests answered at once.
    """
    from waitress.server import create_server

    app = application(lake, names=address.names)
    end = Event()
    chores = Thread(target=_look_after, args=(lake, receiver, end, tell), daemon=True)
    trusted: dict[str, Any] = (
        {
            "trusted_proxy": address.proxy,
            "trusted_proxy_headers": {"x-forwarded-proto", "x-forwarded-for"},
            "clear_untrusted_proxy_headers": True,
        }
        if address.proxy
        else {}
    )
    try:
        server = create_server(
            app, host=address.host, port=address.port, threads=threads, ident=None, **trusted
        )
    except OSError as error:
        raise WrongUse(
            f"cannot listen on {address.host}:{address.port} ({error.strerror or 'no such host'}):"
            " choose another --host or --port"
        ) from None
    chores.start()
    ahead = Thread(target=_read_ahead, args=(end, tell), daemon=True)
    ahead.start()
    tell(f"review queue on http://{address.host}:{address.port}/ (stop with Ctrl+C)")
    try:
        server.run()
    finally:
        server.close()
        end.set()
        chores.join(timeout=5)
        ahead.join(timeout=5)


def _read_ahead(end: Event, tell: Callable[[str], None]) -> None:
    from django.db import close_old_connections

    from fraud.review.ahead import keep_ready, stand_behind
    from fraud.review.web.reader import reader

    stand_behind()
    while True:
        try:
            if count := keep_ready(reader()):
                tell(f"{count} cases are read ahead")
        except Exception as error:
            # pages then read for themselves; the text could quote a row, the kind cannot
            tell(f"reading ahead: {type(error).__name__}, tried again in {EVERY_S:.0f} s")
        finally:
            close_old_connections()
        if end.wait(EVERY_S):
            return


def _look_after(
    lake: Lake, receiver: tuple[str, str] | None, end: Event, tell: Callable[[str], None]
) -> None:
    from django.db import close_old_connections

    from fraud.review.audit_seal import seal
    from fraud.review.outbox import Receiver

    to = Receiver(*receiver) if receiver else None
    sealed = None
    while not end.wait(EVERY_S):
        try:
            now = datetime.now(tz=UTC)
            chores_once(to, now=now)
            sealed = seal(lake.home, now=now, sealed=sealed)
        except Exception as error:
            # the next round tries again; the text could quote a row, the kind cannot
            tell(f"dates and outbox: {type(error).__name__}, tried again in {EVERY_S:.0f} s")
        finally:
            close_old_connections()


def chores_once(receiver: Receiver | None, *, now: datetime) -> tuple[int, int]:
    """Carry out what dates ask for and send what is due; return how many of each."""
    from fraud.review import desk, outbox

    woken = desk.wake_due(now)
    return woken, outbox.deliver_due(receiver, now=now) if receiver else 0
