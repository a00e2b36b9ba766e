"""The parameters that details are weighed with: learned once, kept with the model, named by a hash.

A file beside the model holds them; it names levels, shares and counts, and no account. Not
here: how they are learned (`learning`) and used (`weigh`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from pathlib import Path

from cdr.lake import Lake
from cdr.schema import SCORES
from fraud.errors import ModelRefused
from fraud.identity.details import DETAILS

FILE = "identity.json"
"""Name of the file in a model's folder."""

OUTSET = {level.key: level.m for detail in DETAILS for level in detail.levels}
"""m before anything is learned, by key of the level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What an agreement is worth, as of the midnight it was learned for.

    Parameters
    ----------
    m : mapping of str to float
        For each level, how often two accounts of the same people agree in it and in no
        stronger one, 0..1.
    u : mapping of str to float
        The same for two accounts that have nothing to do with each other. A level that
        nobody had is missing: its agreement then weighs by its rarity alone.
    prior : float
        Chance that a pair drawn at random is of the same people, 0..1.
    matching_pairs : mapping of str to float
        For each detail, how many pairs of the same people its m was learned from, expected,
        a pair as often as other details made it; 0 where m stands as it was set.
    pairs : int
        Pairs looked at.
    learned_as_of : str
        Midnight before which all of it was known, ISO date.
    data_version : str
        Table versions that were read.
    seed : int
        Of the names drawn.
    splink : str
        Version of Splink that weighed the pairs.
    """

    m: Mapping[str, float] = field(default_factory=OUTSET.copy)
    u: Mapping[str, float] = field(default_factory=dict)
    prior: float = 0.5
    matching_pairs: Mapping[str, float] = field(default_factory=dict)
    pairs: int = 0
    learned_as_of: str = ""
    data_version: str = ""
    seed: int = 0
    splink: str = ""

    @property
    def version(self) -> str:
        """Name of these parameters: the hash of what their file holds."""
        return hashlib.sha256(self.as_text()).hexdigest()[:32]

    @property
    def learned(self) -> bool:
        """Whether any m was learned and not set."""
        return any(self.matching_pairs.values())

    def u_of(self, key: str) -> float:
        """Return u of a level, cut at m: no agreement speaks against, no difference for."""
        return min(self.u.get(key, self.m[key]), self.m[key])

    def as_text(self) -> bytes:
        """Return the content of the file."""
        return json.dumps(asdict(self), sort_keys=True, indent=1).encode()


def parameters_from(text: bytes) -> Parameters:
    """Read the content of a file back.

    Raises
    ------
    ValueError
        If another version of Callsieve wrote it: other fields, or other levels.
    """
    found = json.loads(text)
    if set(found) != {one.name for one in fields(Parameters)} or set(found["m"]) != set(OUTSET):
        raise ValueError("not the fields of this version")
    return Parameters(**found)


def parameters_of_night(lake: Lake, as_of: date) -> Parameters | None:
    """Return what the details of a scored midnight were weighed with.

    None where no model scored it, or the model is gone with its period.

    Raises
    ------
    ModelRefused
        If the file is damaged.
    """
    scored = lake.scan(SCORES, dates=[as_of]).select("model_id").drop_nulls().head(1).collect()
    if scored.is_empty():
        return None
    return stored_parameters(lake.home.models, str(scored.item()))


def stored_parameters(models: Path, model_id: str) -> Parameters | None:
    """Read the parameters of a model; None where it is gone. Raises as above."""
    try:
        text = (models / model_id / FILE).read_bytes()
    except FileNotFoundError:
        return None
    except OSError:
        raise ModelRefused(model_id, f"its {FILE} cannot be read; train again") from None
    try:
        return parameters_from(text)
    except (ValueError, KeyError, TypeError):
        raise ModelRefused(model_id, f"its {FILE} is damaged; train again") from None
