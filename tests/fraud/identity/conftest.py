"""An operator's accounts as literal rows, in a session that sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from cdr.query import Connection, session
from cdr.schema import ACCOUNT_EVENTS, ACCOUNTS
from cdr.settings import StoreSettings

OPENED = datetime(2026, 1, 1, tzinfo=UTC)
NOTHING: dict[str, Any] = {
    **dict.fromkeys(ACCOUNTS.polars_schema, None),
    "created_at": OPENED,
    "valid_from": OPENED,
    "imported_at": OPENED,
    "status": "active",
    "social": [],
    "payment_fingerprint": [],
    "devices": [],
    "forward_to": [],
}


@pytest.fixture
def sees() -> Iterator[Callable[..., Connection]]:
    """Open a session that sees accounts given as ``account_id={column: value}``.

    Added are ``strangers`` with a name, phone, device and card of their own, so that a
    value that two accounts share is rare.
    """
    open_sessions: list[Connection] = []

    def make(
        *versions: dict[str, Any],
        strangers: int = 0,
        events: Sequence[dict[str, Any]] = (),
        **accounts: Any,
    ) -> Connection:
        rows = [{**NOTHING, "account_id": name, **given} for name, given in accounts.items()]
        rows += [{**NOTHING, **version} for version in versions]
        rows += [
            {
                **NOTHING,
                "account_id": f"z{i:04}",
                "name": f"{i:04}ab",
                "phone": f"+4420{i:08}",
                "devices": [f"own-{i:04}"],
                "payment_fingerprint": [f"own-{i:04}"],
            }
            for i in range(strangers)
        ]
        frame = pl.DataFrame(rows, schema=ACCOUNTS.polars_schema)
        shown = pl.DataFrame(
            [dict.fromkeys(ACCOUNT_EVENTS.polars_schema) | event for event in events],
            schema=ACCOUNT_EVENTS.polars_schema,
        )
        views = {"accounts": frame.to_arrow(), "account_events": shown.to_arrow()}
        con = session(views, store=StoreSettings())
        open_sessions.append(con)
        return con

    yield make
    for con in open_sessions:
        con.close()
