"""Models that learned from an account that is erased: they go, champion or challenger or not.

A model keeps what it learned from each reference account, so leaving one out of its card
would not be enough. Without a champion each night learns anew, without that account.
"""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path

from cdr.errors import storage
from fraud.model.shelf import challenge, challenger_id, champion_id, promote


def learned_from(folder: Path, account_id: str) -> tuple[str, ...]:
    """Return the models that have an account among those they learned from."""
    with storage("reading a model's card"):
        return tuple(
            file.parent.name
            for file in sorted(folder.glob("*/card.json"))
            if account_id in json.loads(file.read_bytes()).get("reference_ids", ())
        )


def forget(folder: Path, account_id: str, *, now: datetime) -> tuple[tuple[str, ...], bool]:
    """Remove the models that learned from an account; safe to repeat.

    Returns
    -------
    tuple of str
        The models removed.
    bool
        Whether one of them was the champion: another has to be trained and promoted.
    """
    models = learned_from(folder, account_id)
    was_champion = champion_id(folder) in models
    if was_champion:
        promote(folder, None, now=now)
    if challenger_id(folder) in models:
        challenge(folder, None)
    for model_id in models:
        with storage("removing a model"):
            shutil.rmtree(folder / model_id)
    return models, was_champion
