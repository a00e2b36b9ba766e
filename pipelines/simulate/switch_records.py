"""What every switch starts from: legs with their texts, and lines with their instant."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.simulate.dialling import Dialling
from pipelines.simulate.draws import Ints, Keys, hashed
from pipelines.simulate.places import Switch
from pipelines.simulate.population import Population
from pipelines.simulate.traffic import Direction, Legs

LINES = pl.Schema({"log_ms": pl.Int64(), "line": pl.String()})
"""One row per line of a call file; ``log_ms`` is when the switch writes it, UTC."""

_QUARTERS = pl.Series([f"{value:04x}" for value in range(65_536)])


@dataclass(frozen=True, slots=True)
class Records:
    """Legs that one switch handled, with caller and callee as it writes them.

    Attributes
    ----------
    switch : Switch
    legs : Legs
    account_ids, caller, callee : pl.Series of String
    """

    switch: Switch
    legs: Legs
    account_ids: pl.Series
    caller: pl.Series
    callee: pl.Series

    def where(self, rows: Ints) -> Records:
        """Return the records at some positions."""
        return Records(
            self.switch,
            self.legs.where(rows),
            self.account_ids.gather(rows),
            self.caller.gather(rows),
            self.callee.gather(rows),
        )


def records_of(legs: Legs, switch: Switch, people: Population, dialling: Dialling) -> Records:
    """Write down both ends of each leg as the switch's users and trunks do."""
    own = dialling.owns(
        legs.own,
        people.home[legs.account],
        hashed(legs.bits, np.full(len(legs), 101)),
        legs.direction == Direction.INTERNAL,
    )
    other = dialling.others(legs.other, legs.other_pool, hashed(legs.bits, np.full(len(legs), 102)))
    inbound = pl.Series(legs.direction == Direction.INBOUND)
    return Records(
        switch,
        legs,
        people.ids.gather(legs.account),
        caller=other.zip_with(inbound, own),
        callee=own.zip_with(inbound, other),
    )


def lines_of(log_ms: Ints, columns: pl.DataFrame, line: pl.Expr) -> pl.DataFrame:
    """Return the lines of some records with the schema ``LINES``."""
    return columns.select(pl.Series("log_ms", log_ms, dtype=pl.Int64), line=line)


def filled(template: str) -> pl.Expr:
    """Return the template with each ``«column»`` replaced by that column's text."""
    pieces = re.split(r"«(\w+)»", template)
    return pl.concat_str(
        pl.col(piece) if place % 2 else pl.lit(piece) for place, piece in enumerate(pieces)
    )


def hexadecimal(bits: Keys, digits: int) -> pl.Series:
    """Write 64 bits as lower-case hexadecimal text of 1 to 32 digits, mixed again beyond 16."""
    text = pl.Series([""])
    for piece in range(-(-digits // 4)):
        if piece == 4:
            bits = hashed(bits, np.full(len(bits), 4242))
        quarter = _QUARTERS.gather((bits >> np.uint64(16 * (piece % 4))) & np.uint64(65_535))
        text = text + quarter
    return text.str.slice(0, digits)
