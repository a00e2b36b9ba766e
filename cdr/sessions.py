"""What a person asks of the lake runs in a session: one purpose's columns and rows, recorded.

In a purpose with pseudonyms a raw value is shown only to who has the right to it and says why.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds

from cdr import access, query
from cdr.errors import WrongUse
from cdr.privacy import audit
from cdr.privacy.purposes import rows_of
from cdr.privacy.restrictions import all_left_alone
from cdr.pseudonyms import Key, KeyFolder, Shielded, pseudonyms
from cdr.recorded import Session
from cdr.schema import PSEUDONYMOUS, TABLES, Purpose, Table

if TYPE_CHECKING:
    from cdr.lake import Lake


def open_session(
    lake: Lake, purpose: Purpose, *, reveal: bool = False, reason: str | None = None
) -> Session:
    """Open a session for whoever is asking; see `cdr.lake.Lake.connect`."""
    who, now, allowed = access.person(), datetime.now(tz=UTC), lake.settings.access
    access.check(
        who, getattr(allowed, purpose), home=lake.home.root, setting=f"access.{purpose.value}"
    )
    hidden = purpose in PSEUDONYMOUS and not reveal
    key = key_of(lake) if hidden or reveal else None
    why = None
    if reveal and key is not None:
        access.check(who, allowed.reveal, home=lake.home.root, setting="access.reveal")
        if not (reason or "").strip():
            raise WrongUse("say why raw values are needed: --reason, or reason= in Python")
        why = said(str(reason), key)
    if reveal or os.access(lake.home.root, os.W_OK):  # a copy on a read-only disk has no log
        audit.note(
            lake.home,
            "reveal" if reveal else "session",
            by=who,
            at=now,
            after={"purpose": purpose.value},
            why=why,
        )
    alone = all_left_alone(lake, as_of=now)
    views = {
        name: _seen(
            view,
            TABLES[name],
            key=key if hidden else None,
            rows=rows_of(purpose, TABLES[name], alone),
        )
        for name, view in lake.views(purpose).items()
    }
    con = query.session(
        views,
        store=lake.settings.store,
        spill=lake.home.spill,
        time_limit_s=lake.settings.store.query_s,
        functions=_pseudonym_functions(lake, key) if reveal and key is not None else None,
    )
    return Session(
        con,
        limit=lake.settings.store.query_rows,
        note=partial(_record, lake, purpose=purpose.value, reveal=reveal),
    )


def _record(lake: Lake, sql: str, *, purpose: str, reveal: bool) -> None:
    """Note in the audit log what is going to be asked; numbers in it become pseudonyms."""
    if os.access(lake.home.root, os.W_OK):
        asked = {"purpose": purpose, "reveal": reveal, "sql": said(sql, key_of(lake))}
        audit.note(lake.home, "query", by=access.person(), at=datetime.now(tz=UTC), after=asked)


def key_of(lake: Lake) -> Key:
    """Return the key that pseudonyms are made with now."""
    return KeyFolder(lake.settings.keys_folder, lake.home.root).current()


def said(text: str, key: Key) -> str:
    """Return what a person wrote, with pseudonyms where it names somebody."""
    return audit.without_personal(text, lambda one: str(pseudonyms(pl.Series([one]), key)[0]))


def _seen(
    view: ds.Dataset | pa.Table, table: Table, *, key: Key | None, rows: ds.Expression | None
) -> ds.Dataset | pa.Table:
    if not isinstance(view, ds.Dataset) or (key is None and rows is None):
        return view
    there = set(view.schema.names)
    if key is None:
        return view.filter(rows)
    return Shielded(
        view, columns=table.shielded & there, hosts=table.hosts & there, key=key, rows=rows
    )


def _pseudonym_functions(lake: Lake, current: Key) -> dict[str, query.TextFunction]:
    """Return `pseudonym`, and one named after each key: a pseudonym says by which it was made."""
    every = KeyFolder(lake.settings.keys_folder, lake.home.root).all()
    by_key = {f"pseudonym_{key.fingerprint}": _function(key) for key in every}
    return {"pseudonym": _function(current), **by_key}


def _function(key: Key) -> query.TextFunction:
    def pseudonym(texts: pa.ChunkedArray) -> pa.Array:
        return pseudonyms(pl.Series(texts, dtype=pl.String), key).to_arrow().cast(pa.string())

    return pseudonym
