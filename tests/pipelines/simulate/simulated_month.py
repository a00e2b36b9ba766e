"""Thirty simulated days as columns, and the questions that tests ask of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.simulate.destinations import Destinations
from pipelines.simulate.draws import Flags
from pipelines.simulate.fraud_profiles import FRAUD_KINDS
from pipelines.simulate.population import Population
from pipelines.simulate.profiles import LOOKALIKE_KINDS
from pipelines.simulate.traffic import Direction, Legs


@dataclass(frozen=True)
class Month:
    """Thirty days of 300 accounts, before any switch has written them down."""

    people: Population
    legs: Legs
    destinations: Destinations
    first_ms: int
    last_ms: int

    def of(self, kind: str) -> Flags:
        """Return which legs are the fraud of a kind."""
        accounts = np.flatnonzero(self.people.fraud == FRAUD_KINDS.index(kind))
        chosen: Flags = np.isin(self.legs.account, accounts) & self.legs.fraudulent
        return chosen

    def by(self, lookalike: str) -> Flags:
        """Return which legs belong to a look-alike."""
        kind = LOOKALIKE_KINDS.index(lookalike)
        chosen: Flags = self.people.lookalike[self.legs.account] == kind
        return chosen

    def out(self) -> Flags:
        """Return which legs are outbound calls."""
        chosen: Flags = (self.legs.direction == Direction.OUTBOUND) & (self.legs.leg == 0)
        return chosen
