"""The trained models of a home: which there are, and which one scores.

One file, `champion.json`, names the model that scores and those that did before, so
that a step back is one step. Without a champion each night learns anew. What a model is
and how it is read is in :mod:`fraud.model.training`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cdr.errors import WrongUse, storage
from cdr.lake.home import write_whole
from fraud.errors import ModelRefused

_CHAMPION = "champion.json"


@dataclass(frozen=True, slots=True)
class Shelved:
    """One model of the shelf.

    Parameters
    ----------
    model_id : str
        Hash of the artifact.
    trained_as_of : str
        Midnight before which all it learned from was known, ISO date.
    blocked_count, good_count : int
        Accounts it learned from.
    feature_set : str
        Hash of its signals.
    is_champion : bool
        Whether it is the one that scores.
    """

    model_id: str
    trained_as_of: str
    blocked_count: int
    good_count: int
    feature_set: str
    is_champion: bool


def shelved(folder: Path) -> tuple[Shelved, ...]:
    """Return every model, the newest first."""
    champion = champion_id(folder)
    found = []
    for file in folder.glob("*/card.json"):
        with storage("reading a model's card"):
            card: dict[str, Any] = json.loads(file.read_bytes())
        found.append(
            Shelved(
                model_id=file.parent.name,
                trained_as_of=card["trained_as_of"],
                blocked_count=card["blocked_count"],
                good_count=card["good_count"],
                feature_set=card["feature_set"],
                is_champion=file.parent.name == champion,
            )
        )
    return tuple(sorted(found, key=lambda one: (one.trained_as_of, one.model_id), reverse=True))


def champion_id(folder: Path) -> str | None:
    """Return the model that scores; None where each night learns anew."""
    history = _history(folder)
    return history[-1]["model_id"] if history else None


def promote(folder: Path, model_id: str | None, *, now: datetime) -> None:
    """Let a model score from now on; None lets each night learn anew.

    Raises
    ------
    ModelRefused
        If it cannot be read here; the champion stays who it was.
    """
    if model_id is not None:
        _read(folder, model_id)
    _write(folder, [*_history(folder), {"model_id": model_id, "since": now.isoformat()}])


def roll_back(folder: Path) -> str | None:
    """Undo the last promotion; return who scores then, None where each night learns anew.

    Raises
    ------
    WrongUse
        If nothing was ever promoted.
    ModelRefused
        If the model before cannot be read any more; the champion stays who it was.
    """
    history = _history(folder)
    if not history:
        raise WrongUse("no model was ever promoted, so there is nothing to go back to")
    before: str | None = history[-2]["model_id"] if len(history) > 1 else None
    if before is not None:
        _read(folder, before)
    _write(folder, history[:-1])
    return before


def named(folder: Path, prefix: str) -> str:
    """Return the one model whose id begins so.

    Raises
    ------
    WrongUse
        If none does, or several do.
    """
    found = [one.model_id for one in shelved(folder) if one.model_id.startswith(prefix)]
    if len(found) != 1:
        how_many = "no model begins" if not found else f"{len(found)} models begin"
        raise WrongUse(f"{how_many} with {prefix!r}; `callsieve model list` shows them")
    return found[0]


def _read(folder: Path, model_id: str) -> None:
    """Refuse a model that cannot be read here."""
    from fraud.model.training import load  # scikit-learn takes its time to import

    load(folder, model_id)


def _history(folder: Path) -> list[dict[str, Any]]:
    file = folder / _CHAMPION
    if not file.exists():
        return []
    try:
        found: list[dict[str, Any]] = json.loads(file.read_bytes())["history"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ModelRefused(
            "champion", "champion.json is damaged; remove it and promote a model"
        ) from None
    return found


def _write(folder: Path, history: list[dict[str, Any]]) -> None:
    with storage("promoting a model"):
        write_whole(folder / _CHAMPION, json.dumps({"history": history}).encode())
