"""What every ground a lake can lie on offers: a folder of this machine, or an object store.

`local` and `bucket` are the two. What a batch changes is the same on both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import pyarrow.fs as pa_fs
from deltalake import DeltaTable

from cdr.lake.tables import DataFile, Place
from cdr.schema import Table


@dataclass(frozen=True, slots=True)
class Change:
    """Files that one table gets and lets go of."""

    add: tuple[DataFile, ...] = ()
    remove: tuple[DataFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a batch changes, by table; what it is `did` for is a word of ours."""

    batch_id: str
    did: str
    tables: Mapping[str, Change]

    def to_json(self) -> bytes:
        """Write it as the journal keeps it."""
        tables = {name: asdict(change) for name, change in self.tables.items()}
        return json.dumps({"batch_id": self.batch_id, "did": self.did, "tables": tables}).encode()

    @classmethod
    def from_json(cls, content: bytes) -> Plan:
        """Read it back."""
        found = json.loads(content)
        tables = {
            name: Change(
                tuple(map(_data_file, change["add"])), tuple(map(_data_file, change["remove"]))
            )
            for name, change in found["tables"].items()
        }
        return cls(found["batch_id"], found["did"], tables)


def _data_file(fields: dict[str, Any]) -> DataFile:
    bounds = {column: (ends[0], ends[1]) for column, ends in fields["bounds"].items()}
    return DataFile(**fields | {"bounds": bounds})


@dataclass(frozen=True, slots=True)
class Lying:
    """A Parquet file in a table's folder, whether or not the log names it."""

    path: str
    size: int
    modified: datetime


@dataclass(slots=True)
class Staged:
    """A batch ready to be published: its plan, its tables and the folder its files lie in."""

    plan: Plan
    tables: Mapping[str, Table]
    folder: Path = field(repr=False)


class Store(Protocol):
    """The ground a lake lies on."""

    def exists(self) -> bool:
        """Tell whether a lake was made here."""

    def create(self) -> None:
        """Make what is missing; safe to repeat."""

    def check(self) -> None:
        """Refuse a lake that is not there or that a newer version made."""

    def place(self, table: Table) -> Place:
        """Say where a table lies and how it is reached."""

    def filesystem(self, table: Table) -> pa_fs.FileSystem | None:
        """Give Arrow the way to a table's folder; None for folders of this machine."""

    def opened(self, table: Table) -> DeltaTable | None:
        """Open a table as readers see it now; None where it has no rows yet."""

    def writing(self) -> AbstractContextManager[None]:
        """Be the only writer; what a killed one left is finished or forgotten first."""

    def reading(self) -> AbstractContextManager[None]:
        """See every batch in all tables or in none, as long as this lasts."""

    def alone(self, job: str) -> AbstractContextManager[None]:
        """Be the only one at a job; raises `LakeBusy` where it is running already."""

    def settle(self) -> None:
        """Finish batches whose process was killed while it published them."""

    def publish(self, staged: Staged) -> None:
        """Make a batch part of the lake; inside `writing`."""

    def lying(self, table: Table) -> list[Lying]:
        """List the Parquet files in a table's folder."""

    def delete(self, table: Table, path: str) -> None:
        """Remove a file that no version of the table needs."""
