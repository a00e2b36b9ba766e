"""Why an account is a candidate, in words a person can check.

A model has a hundred and more signals, many of which say nearly the same. What they
contributed is added up by family, and a family speaks through its strongest member
that a person would see a difference in. The median of the good accounts that the model
learned from stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fraud.candidates import Reason
from fraud.features.registry import Signal
from fraud.features.words import describe, in_words
from fraud.identity.signals import IdentitySignal
from fraud.identity.signals import describe as describe_identity

REASONS_KEPT = 5
"""Reasons of a candidate. Ours: a reviewer reads three; two more tell a doubtful case."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What is needed to say a signal in words.

    Parameters
    ----------
    signals : mapping of str to Signal or IdentitySignal
        By name; also their order in the columns of what `explain` gives.
    good_medians : mapping of str to float or None
        Median of good accounts, in the signal's unit; None where unknown.
    """

    signals: Mapping[str, Signal | IdentitySignal]
    good_medians: Mapping[str, float | None]

    def text(self, name: str, values: Mapping[str, float | None]) -> str:
        """Say what an account's value means, and what good accounts have."""
        signal, value = self.signals[name], values[name]
        if isinstance(signal, IdentitySignal):
            return describe_identity(signal, value)
        text = describe(signal, value, values)
        usual = self.good_medians.get(name)
        if usual is None:
            return text
        return f"{text} (good accounts: {in_words(usual, signal.unit)})"

    def differs(self, name: str, value: float | None) -> bool:
        """Tell whether a value is known and reads otherwise than that of good accounts."""
        signal, usual = self.signals[name], self.good_medians.get(name)
        if value is None:
            return False
        if usual is None or isinstance(signal, IdentitySignal):
            return True
        return in_words(value, signal.unit) != in_words(usual, signal.unit)


def reasons_of(
    values: Mapping[str, float | None],
    parts: NDArray[np.float64],
    vocabulary: Vocabulary,
    shared_details: str | None,
) -> tuple[Reason, ...]:
    """Return the strongest reasons for likeness, one a family of signals.

    Parameters
    ----------
    values : mapping of str to float or None
        The account's signals.
    parts : float64 array, shape (signals,)
        What each signal contributed to the likeness; in the vocabulary's order.
    vocabulary : Vocabulary
        The words.
    shared_details : str or None
        What the account has in common with a blocked one, in words; takes the place
        of the bits of evidence.

    Returns
    -------
    tuple of Reason
        The strongest first. ``share`` is the family's part of all that families said
        for or against likeness, 0..1.
    """
    part_of = dict(zip(vocabulary.signals, parts.tolist(), strict=True))
    families: dict[str, list[str]] = {}
    for name, signal in vocabulary.signals.items():
        families.setdefault(signal.family, []).append(name)
    net = {family: sum(part_of[name] for name in names) for family, names in families.items()}
    whole = sum(map(abs, net.values())) or 1.0
    found = []
    for family in sorted(net, key=lambda family: (-net[family], family)):
        telling = [
            name
            for name in families[family]
            if part_of[name] > 0 and vocabulary.differs(name, values[name])
        ]
        if net[family] <= 0 or not telling:
            continue
        speaker = max(telling, key=lambda name: part_of[name])
        text = vocabulary.text(speaker, values)
        if family == "identity" and shared_details:
            text = shared_details
        found.append(Reason(speaker, values[speaker], text, net[family] / whole))
    return tuple(found[:REASONS_KEPT])
