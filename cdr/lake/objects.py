"""Objects under one prefix of a bucket: put, get, list, delete, and create where none is.

`Objects.put_new` is what everything else rests on: of several that create the same
object, the store lets one succeed (`If-None-Match: *`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from obstore.exceptions import AlreadyExistsError, PreconditionError
from obstore.store import S3Store

from cdr.errors import storage
from cdr.object_store import ObjectStoreSettings

_RETRIES = {"max_retries": 4}
"""Ours: with the client's own growing pauses, about two seconds before a store is given up."""


@dataclass(frozen=True, slots=True)
class Found:
    """An object that was listed; ``modified`` by the store's own clock."""

    name: str
    size: int
    modified: datetime


class Objects:
    """Objects by name, relative to the prefix.

    Parameters
    ----------
    settings : ObjectStoreSettings
        Where the bucket is and how it is reached.

    Raises
    ------
    StorageFailed
        By every method, if the store cannot be reached or refuses.
    """

    def __init__(self, settings: ObjectStoreSettings) -> None:
        options = settings.client_options()
        config = {name: value for name, value in options.items() if name.startswith("aws_")}
        client: Any = {name: value for name, value in options.items() if name not in config}
        if "allow_http" in client:
            client["allow_http"] = client["allow_http"] == "true"
        self._store = S3Store(
            settings.bucket,
            prefix=settings.prefix or None,
            config=config,  # type: ignore[arg-type]
            client_options={"connect_timeout": "3s"} | client,
            retry_config=_RETRIES,  # type: ignore[arg-type]
        )

    def put_new(self, name: str, content: bytes) -> bool:
        """Create an object; False where there is one of that name with other content.

        A request whose answer was lost is sent again by the client and then meets its
        own object; so what stands there is compared.
        """
        with storage("writing to the object store"):
            try:
                self._store.put(name, content, mode="create")
            except (AlreadyExistsError, PreconditionError):
                return self.get(name) == content
        return True

    def put(self, name: str, content: bytes) -> None:
        """Write an object, whether or not there is one."""
        with storage("writing to the object store"):
            self._store.put(name, content)

    def put_file(self, name: str, file: Path) -> None:
        """Write a file's content as an object."""
        with storage("writing to the object store"):
            self._store.put(name, file)

    def get(self, name: str) -> bytes | None:
        """Read an object; None where there is none."""
        with storage("reading from the object store"):
            try:
                return bytes(self._store.get(name).bytes())
            except FileNotFoundError as error:
                if "NoSuchBucket" in str(error):
                    raise
                return None

    def found(self, name: str) -> Found | None:
        """Look at an object without reading it; None where there is none."""
        with storage("reading from the object store"):
            try:
                meta = self._store.head(name)
            except FileNotFoundError:
                return None
            return Found(name, meta["size"], meta["last_modified"])

    def below(self, prefix: str) -> list[Found]:
        """List the objects whose names begin with a prefix, by name."""
        with storage("reading from the object store"):
            listed = self._store.list(prefix).collect()
            return sorted(
                (Found(meta["path"], meta["size"], meta["last_modified"]) for meta in listed),
                key=lambda found: found.name,
            )

    def delete(self, names: Iterable[str]) -> None:
        """Remove objects, where they are there."""
        with storage("removing from the object store"):
            if listed := list(names):
                self._store.delete(listed)
