"""Changes of settings as entries of the audit log: which, since the last command on this home.

Kept is a salted hash of each setting, of numbers and truth values the value itself. So the log
says from what to what a period or threshold was changed, but of texts, lists and secrets only that
they were.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pydantic import BaseModel, SecretStr

from cdr.errors import storage
from cdr.lake.home import Home, write_whole
from cdr.privacy import audit
from cdr.settings import Settings

CHANGED = "settings"


def note_settings(settings: Settings, *, by: str, now: datetime) -> tuple[str, ...]:
    """Record which settings differ from those of the last command; returns their names.

    A home that is not there yet, or lies on a disk that cannot be written, has no log.

    Raises
    ------
    StorageFailed
        If the disk refuses; then nothing may be done with the settings.
    """
    home = Home(settings.home)
    if not (home.lake.exists() and os.access(home.root, os.W_OK)):
        return ()
    file = home.audit / "settings.json"
    with storage("reading which settings counted last"):
        before = json.loads(file.read_bytes()) if file.exists() else None
    salt = before["salt"] if before else secrets.token_hex(16)
    values = {name: _kept(value, salt) for name, value in _flat("", settings)}
    if before and before["values"] == values:
        return ()
    earlier = before["values"] if before else {}
    every = sorted({*values, *earlier})
    changed = tuple(name for name in every if values.get(name) != earlier.get(name))
    of_all = {"sha256": hashlib.sha256(audit.canonical(values)).hexdigest()}
    if before is None:
        audit.note(home, CHANGED, by=by, at=now, after=of_all)
    else:
        was = {name: _shown(earlier.get(name)) for name in changed}
        is_now = {name: _shown(values.get(name)) for name in changed}
        audit.note(home, CHANGED, by=by, at=now, before=was, after={**of_all, **is_now})
    with storage("noting which settings count"):
        write_whole(file, audit.canonical({"salt": salt, "values": values}))
    return changed


def _flat(prefix: str, section: BaseModel) -> Iterator[tuple[str, Any]]:
    """Give each setting by its whole name, `retention.call_days` for instance."""
    for name in type(section).model_fields:
        value, whole = getattr(section, name), f"{prefix}{name}"
        if isinstance(value, BaseModel):
            yield from _flat(f"{whole}.", value)
        elif isinstance(value, dict):
            for key, one in value.items():
                if isinstance(one, BaseModel):
                    yield from _flat(f"{whole}.{key}.", one)
                else:
                    yield f"{whole}.{key}", one
        else:
            yield whole, value


def _kept(value: Any, salt: str) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
    return f"#{hashlib.sha256((salt + text).encode()).hexdigest()}"


def _shown(kept: Any) -> Any:
    return "not shown" if isinstance(kept, str) else kept
