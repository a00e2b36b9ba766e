"""What a column and a table are: type, unit, meaning, who may see it and how long it is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import polars as pl

from cdr.errors import SchemaMismatch


class Personal(StrEnum):
    """How closely a value points to a person; drives masking and erasure."""

    NONE = "none"
    INDIRECT = "indirect"  # a time, a country: identifies together with other data
    DIRECT = "direct"  # a number, an address, a name: identifies alone


class Purpose(StrEnum):
    """Why a column is kept and who may see it; on which ground stands in `privacy.purposes`."""

    BILLING = "billing"
    FRAUD = "fraud"
    SECURITY = "security"  # of the network and of this system
    RIGHTS = "rights"  # to answer the people in the data


@dataclass(frozen=True, slots=True)
class Kept:
    """How long one purpose keeps a table's rows.

    Parameters
    ----------
    purpose : Purpose
        Which.
    periods : tuple of str
        Names of settings under `[retention]`; the latest that applies to a row counts. Empty:
        as long as another purpose keeps it, or it is about nobody.
    """

    purpose: Purpose
    periods: tuple[str, ...] = ()


class Outcome(StrEnum):
    """How an attempt to call ended."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELLED = "cancelled"


EVERY = frozenset({Purpose.BILLING, Purpose.FRAUD, Purpose.SECURITY})
BOTH = frozenset({Purpose.BILLING, Purpose.FRAUD})
BILLING = frozenset({Purpose.BILLING})
FRAUD = frozenset({Purpose.FRAUD})
NETWORK = frozenset({Purpose.FRAUD, Purpose.SECURITY})
NOBODY: frozenset[Purpose] = frozenset()
"""Only whoever answers a person sees it."""

PSEUDONYMOUS = frozenset(Purpose) - BILLING
"""Purposes whose sessions show pseudonyms: patterns are found without knowing who it is. A bill
lists the numbers that were called."""

FOR_RIGHTS = Kept(Purpose.RIGHTS)
OF_CALLS = (
    Kept(Purpose.BILLING, ("billed_days", "unbilled_days")),
    Kept(Purpose.FRAUD, ("call_days", "attempt_days")),
    FOR_RIGHTS,
)

INSTANT = pl.Datetime("us", "UTC")
KEY = pl.Binary()
TEXTS = pl.List(pl.String)
CODES = pl.Categorical(pl.Categories("callsieve.codes"))
"""Stands for a column of text on its way to the lake, where its values are few: four bytes a row,
split and written at half the cost. In files it is the text."""

MONEY = pl.Decimal(18, 6)

NONE, INDIRECT, DIRECT = Personal.NONE, Personal.INDIRECT, Personal.DIRECT


@dataclass(frozen=True, slots=True)
class Field:
    """One column. ``unit`` is never empty: text columns say ``"text"``."""

    name: str
    dtype: pl.DataType
    unit: str
    meaning: str
    nullable: bool = False
    personal: Personal = Personal.NONE
    purposes: frozenset[Purpose] = EVERY
    """Of the table's purposes, who sees it; the purpose of rights sees all."""
    names_host: bool = False
    """A host may stand in it behind an `@`, as in the Call-ID of SIP (RFC 3261, 8.1.1.4)."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table; ``grain`` completes the sentence "one row per ..."."""

    name: str
    grain: str
    fields: tuple[Field, ...]
    partition_by: tuple[str, ...] = ()
    statistics: tuple[str, ...] = ()
    """Columns whose smallest and largest value may stand in the log: never personal ones."""
    kept: tuple[Kept, ...] = ()
    """Its purposes, each with its periods; columns of their own stand in the rules of retention."""
    derived: bool = False
    """It can be made again from other tables, and its columns come and go with a registry."""
    polars_schema: pl.Schema = field(init=False, repr=False, compare=False)
    """Name and type of each column, in order."""

    def __post_init__(self) -> None:
        schema = pl.Schema({f.name: f.dtype for f in self.fields})
        object.__setattr__(self, "polars_schema", schema)

    def columns_of(self, purpose: Purpose) -> tuple[str, ...]:
        """Names of the columns that ``purpose`` may see, in order."""
        if not any(kept.purpose is purpose for kept in self.kept):
            return ()
        return tuple(
            f.name for f in self.fields if purpose is Purpose.RIGHTS or purpose in f.purposes
        )

    @property
    def shielded(self) -> frozenset[str]:
        """Names of the columns that identify a person alone."""
        return frozenset(f.name for f in self.fields if f.personal is DIRECT)

    @property
    def hosts(self) -> frozenset[str]:
        """Names of the columns in which a host may stand."""
        return frozenset(f.name for f in self.fields if f.names_host)

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return ``frame`` with exactly this table's columns, in order and type.

        A column of text may be `CODES`, and stays so.

        Raises
        ------
        SchemaMismatch
            If a column is missing or not known to the schema.
        """
        want, have = self.polars_schema, frame.schema
        if want.keys() != have.keys():
            raise SchemaMismatch(
                self.name, missing=want.keys() - have.keys(), extra=have.keys() - want.keys()
            )
        return frame.select(
            pl.col(name) if _fits(have[name], dtype) else pl.col(name).cast(dtype)
            for name, dtype in want.items()
        )

    def empty(self) -> pl.DataFrame:
        """Return no rows with this table's columns."""
        return pl.DataFrame(schema=self.polars_schema)


def _fits(have: pl.DataType, want: pl.DataType) -> bool:
    return have == want or (have == CODES and want == pl.String)


FOR_A_HOLD = "hold"
"""In `kept_for`: only a legal hold keeps the row of a person who was erased."""

KEPT_FOR = Field(
    "kept_for",
    pl.String(),
    "code",
    "Null: every purpose of its columns. `billing`: the fraud purpose is over or the person was "
    "erased, and only billing, and who answers for the person's rights, sees the row; `fraud`: its "
    "bill can no longer be contested, and billing does not see it; `hold`: only a legal hold keeps "
    "it, and neither sees it.",
    True,
    NONE,
    frozenset(Purpose),
)
"""In tables with rows that one purpose keeps longer than others."""
