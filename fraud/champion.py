"""Which model of the shelf may score a midnight: one that fits what was known then."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from fraud.errors import ModelRefused
from fraud.model.shelf import champion_id
from fraud.model.training import Model, load
from fraud.signal_set import SignalSet


@dataclass(frozen=True, slots=True)
class Known:
    """What was so at a midnight, which a model has to fit.

    Parameters
    ----------
    as_of : datetime
        Midnight UTC.
    signals : SignalSet
        Those in use.
    patterns : Series of str
        Accounts that are blocked for fraud or misuse.
    left_out : collection of str
        Accounts under a restriction or an objection.
    """

    as_of: datetime
    signals: SignalSet
    patterns: pl.Series
    left_out: Collection[str]

    def unfit(self, model: Model) -> str | None:
        """Say why a model cannot score here; None where it can."""
        card = model.card
        learned = pl.Series(card.reference_ids[: card.blocked_count], dtype=pl.String)
        if card.feature_set != self.signals.version:
            return "it was trained on another set of signals"
        if card.trained_as_of > self.as_of.date().isoformat():
            return "it was trained on what became known later"
        if not learned.is_in(self.patterns.implode()).all():
            return "an account it learned from is no longer blocked for fraud or misuse"
        if not set(card.reference_ids).isdisjoint(self.left_out):
            return "an account it learned from is under a restriction or an objection"
        return None


def champion_of(models: Path, known: Known) -> tuple[Model | None, str | None]:
    """Return the champion; else None, and why it cannot be used where there is one.

    One that cannot be read is not used either, so that a night after an upgrade takes place.
    """
    champion = champion_id(models)
    if champion is None:
        return None, None
    try:
        model = load(models, champion)
    except ModelRefused as refused:
        return None, f"the champion was not used: {refused.why}"
    unfit = known.unfit(model)
    if unfit:
        return None, f"the champion was not used: {unfit}; train and promote another"
    return model, None


def fitting_model(models: Path, model_id: str, known: Known) -> Model:
    """Read a model that is to score a midnight.

    Raises
    ------
    ModelRefused
        If it cannot be read or does not fit.
    """
    model = load(models, model_id)
    unfit = known.unfit(model)
    if unfit:
        raise ModelRefused(model_id, f"{unfit}; train again")
    return model
