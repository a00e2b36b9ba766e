"""The trained models of a home: which there are, which one scores, and which one in shadow.

One file, `champion.json`, names the model that scores and those that did before, so
that a step back is one step, and the challenger, which nights score with beside it.
Without a champion each night learns anew. What a model is and how it is read is in
:mod:`fraud.model.training`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
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
    is_challenger : bool
        Whether nights score with it too, in shadow.
    """

    model_id: str
    trained_as_of: str
    blocked_count: int
    good_count: int
    feature_set: str
    is_champion: bool
    is_challenger: bool


def shelved(folder: Path) -> tuple[Shelved, ...]:
    """Return every model, the newest first."""
    champion, challenger = champion_id(folder), challenger_id(folder)
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
                is_challenger=file.parent.name == challenger,
            )
        )
    return tuple(sorted(found, key=lambda one: (one.trained_as_of, one.model_id), reverse=True))


def champion_id(folder: Path) -> str | None:
    """Return the model that scores; None where each night learns anew."""
    history = _standing(folder).history
    return history[-1]["model_id"] if history else None


def challenger_id(folder: Path) -> str | None:
    """Return the model that nights score with in shadow; None where there is none."""
    return _standing(folder).challenger


def promote(folder: Path, model_id: str | None, *, now: datetime) -> None:
    """Let a model score from now on; None lets each night learn anew.

    A challenger that is promoted challenges no longer.

    Raises
    ------
    ModelRefused
        If it cannot be read here; the champion stays who it was.
    """
    if model_id is not None:
        _read(folder, model_id)
    standing = _standing(folder)
    history = (*standing.history, {"model_id": model_id, "since": now.isoformat()})
    challenger = None if standing.challenger == model_id else standing.challenger
    _write(folder, _Standing(history, challenger))


def challenge(folder: Path, model_id: str | None) -> None:
    """Let nights score with a model in shadow, beside whatever scores; None ends that.

    Raises
    ------
    WrongUse
        If it is the champion: it would be compared with itself.
    ModelRefused
        If it cannot be read here; the challenger stays who it was.
    """
    if model_id is not None:
        if model_id == champion_id(folder):
            raise WrongUse("that model is the champion; name another to challenge it")
        _read(folder, model_id)
    _write(folder, _Standing(_standing(folder).history, model_id))


def roll_back(folder: Path) -> tuple[str, ...]:
    """Undo promotions until a model that can be read scores, or each night learns anew.

    Returns
    -------
    tuple of str
        Models on the way that cannot be read any more; they are no longer gone back to.

    Raises
    ------
    WrongUse
        If nothing was ever promoted.
    """
    standing = _standing(folder)
    if not standing.history:
        raise WrongUse("no model was ever promoted, so there is nothing to go back to")
    left = standing.history[:-1]
    skipped: list[str] = []
    while left and (before := left[-1]["model_id"]) is not None:
        try:
            _read(folder, before)
            break
        except ModelRefused:
            skipped.append(before)
            left = left[:-1]
    champion = left[-1]["model_id"] if left else None
    challenger = None if standing.challenger == champion else standing.challenger
    _write(folder, _Standing(left, challenger))
    return tuple(skipped)


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


@dataclass(frozen=True, slots=True)
class _Standing:
    """What `champion.json` says: promotions, the last one last, and who challenges."""

    history: tuple[dict[str, Any], ...] = ()
    challenger: str | None = None


def _standing(folder: Path) -> _Standing:
    file = folder / _CHAMPION
    if not file.exists():
        return _Standing()
    try:
        found: dict[str, Any] = json.loads(file.read_bytes())
        return _Standing(tuple(found["history"]), found.get("challenger"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise ModelRefused(
            "champion", "champion.json is damaged; remove it and promote a model"
        ) from None


def _write(folder: Path, standing: _Standing) -> None:
    with storage("writing which model scores"):
        write_whole(folder / _CHAMPION, json.dumps(asdict(standing)).encode())
