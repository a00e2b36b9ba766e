"""What a call to where costs and risks, until rate decks say it exactly.

Here: the package's small table ``destination_risk.csv``, prefix by prefix; the
longest prefix wins. Not here: an operator's own ranges and test numbers, which
are in the table `lists`.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache
from importlib.resources import files

from fraud.features.statements import rows_as


class Risk(StrEnum):
    """What a destination is known for."""

    NORMAL = "normal"
    ELEVATED = "elevated"  # advertised for revenue-share fraud; much honest traffic too
    HIGH = "high"  # named among the top destinations of fraud; little other traffic
    PREMIUM = "premium"  # the called side is paid
    SATELLITE = "satellite"


@dataclass(frozen=True, slots=True)
class Destination:
    """One prefix with its risk and indicative cost per minute in USD."""

    prefix: str
    destination: str
    risk: Risk
    usd_per_min: Decimal
    source: str


@cache
def destinations() -> tuple[Destination, ...]:
    """Return the table, in the order of the file.

    The cost is the indicative wholesale price: ours, rounded from published
    price lists to one significant digit, to rank destinations and not to bill.
    """
    text = files("fraud.features").joinpath("destination_risk.csv").read_text("utf-8")
    return tuple(
        Destination(
            row["prefix"],
            row["destination"],
            Risk(row["risk"]),
            Decimal(row["usd_per_min"]),
            row["source"],
        )
        for row in csv.DictReader(text.splitlines())
    )


@cache
def destinations_sql() -> str:
    """Return the table as relation ``destination_risk``; cost in micro-dollars a minute."""
    rows = ((d.prefix, str(d.risk), int(d.usd_per_min * 1_000_000)) for d in destinations())
    return rows_as("destination_risk", ("prefix", "risk", "usd_micro_per_min"), rows)
