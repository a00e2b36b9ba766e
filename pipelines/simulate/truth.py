"""What really happened: for the evaluation of scoring, never for scoring.

The files lie apart from everything that ``callsieve.toml`` points to.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from pipelines.simulate.draws import Ints
from pipelines.simulate.fraud_profiles import FRAUD_KINDS
from pipelines.simulate.frauds import NEVER
from pipelines.simulate.population import Population
from pipelines.simulate.profiles import LOOKALIKE_KINDS
from pipelines.simulate.traffic import Direction, Legs


class CallCounts:
    """Counts calls by account and side, and how many were fraudulent."""

    def __init__(self, accounts: int) -> None:
        self._by_direction = np.zeros((len(Direction), accounts), dtype=np.int64)
        self._fraudulent = np.zeros(accounts, dtype=np.int64)

    def add(self, legs: Legs) -> None:
        """Count the calls of one day; a call with failed attempts is one call."""
        calls = legs.leg == 0
        accounts = self._by_direction.shape[1]
        for direction in Direction:
            side = legs.account[calls & (legs.direction == direction)]
            self._by_direction[direction] += np.bincount(side, minlength=accounts)
        self._fraudulent += np.bincount(legs.account[calls & legs.fraudulent], minlength=accounts)

    def table(self, ids: pl.Series) -> pl.DataFrame:
        """Return one row per account: identifier and counts of calls."""
        return pl.DataFrame(
            {
                "account_id": ids,
                **{f"{d.name.lower()}_count": self._by_direction[d] for d in Direction},
                "fraudulent_count": self._fraudulent,
            }
        ).sort("account_id")


def accounts_truth(people: Population) -> pl.DataFrame:
    """Return one row per account.

    Columns: ``account_id``, ``is_fraud``, ``kind`` and ``lookalike_kind`` (null
    for none), ``fraud_from_at`` (UTC; null for the honest), ``known_at`` (block;
    null when not caught in the range), ``group_id`` (ring or returning person),
    ``predecessor_account_id``.
    """
    before = people.predecessor
    return pl.DataFrame(
        {
            "account_id": people.ids,
            "is_fraud": people.fraud >= 0,
            "kind": _named(FRAUD_KINDS, people.fraud),
            "lookalike_kind": _named(LOOKALIKE_KINDS, people.lookalike),
            "fraud_from_at": _at(people.fraud_from_ms),
            "known_at": _at(people.blocked_ms),
            "group_id": pl.Series(np.maximum(people.group, 0)).zip_with(
                pl.Series(people.group >= 0), pl.Series([None], dtype=pl.Int64)
            ),
            "predecessor_account_id": people.ids.gather(np.maximum(before, 0)).zip_with(
                pl.Series(before >= 0), pl.Series([None], dtype=pl.String)
            ),
        }
    ).sort("account_id")


def write_truth(folder: Path, people: Population, counts: CallCounts) -> None:
    """Write ``accounts.parquet`` and ``calls.parquet``."""
    folder.mkdir()
    accounts_truth(people).write_parquet(folder / "accounts.parquet")
    counts.table(people.ids).write_parquet(folder / "calls.parquet")


def _named(names: tuple[str, ...], index: Ints) -> pl.Series:
    return pl.Series([*names, None], dtype=pl.String).gather(np.where(index < 0, len(names), index))


def _at(at_ms: Ints) -> pl.Series:
    known = pl.Series(at_ms < NEVER)
    at = pl.Series(np.where(at_ms < NEVER, at_ms, 0)).cast(pl.Datetime("ms", "UTC"))
    return at.cast(pl.Datetime("us", "UTC")).zip_with(
        known, pl.Series([None], dtype=pl.Datetime("us", "UTC"))
    )
