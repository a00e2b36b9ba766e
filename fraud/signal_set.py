"""The signals that one scoring uses: those of behaviour and those of identity, less what is off."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from cdr.errors import SettingsError
from fraud.features.registry import Signal
from fraud.features.signals import feature_set_hash, signals_on
from fraud.identity.details import DETAILS
from fraud.identity.signals import SIGNALS as IDENTITY_SIGNALS
from fraud.identity.signals import IdentitySignal

CALLS_MADE = "outbound_calls_count_30d"
"""The signal that says whether behaviour tells anything of an account."""


@dataclass(frozen=True, slots=True)
class SignalSet:
    """Signals by where they come from."""

    behaviour: tuple[Signal, ...]
    identity: tuple[IdentitySignal, ...]

    @property
    def described(self) -> tuple[Signal, ...]:
        """Signals of behaviour, and the count of calls, which says whether they mean anything."""
        if any(signal.name == CALLS_MADE for signal in self.behaviour):
            return self.behaviour
        return (*self.behaviour, *(s for s in signals_on(()) if s.name == CALLS_MADE))

    @property
    def by_name(self) -> dict[str, Signal | IdentitySignal]:
        """Every signal, behaviour first."""
        behaviour: dict[str, Signal | IdentitySignal] = {s.name: s for s in self.behaviour}
        return behaviour | {s.name: s for s in self.identity}

    @property
    def version(self) -> str:
        """16 hex digits that change whenever a value of the set could."""
        identity = repr((DETAILS, [signal.name for signal in self.identity]))
        content = feature_set_hash(self.behaviour) + identity
        return sha256(content.encode()).hexdigest()[:16]


def signal_set(off: Iterable[str]) -> SignalSet:
    """Return every signal but those named.

    Raises
    ------
    SettingsError
        If a name is no signal's, or none is left.
    """
    names = set(off)
    identity = tuple(signal for signal in IDENTITY_SIGNALS if signal.name not in names)
    behaviour = signals_on(names - {s.name for s in IDENTITY_SIGNALS})
    if not behaviour and not identity:
        raise SettingsError("scoring.features_off", ["every signal is switched off; leave some on"])
    return SignalSet(behaviour, identity)
