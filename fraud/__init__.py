"""What is suspicious: signals, comparison with blocked accounts, cases.

Notebooks and other people's scripts use the names below; everything else may
change. `features` is the function; the package of that name is imported from as
``from fraud.features.signals import SIGNALS``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import fraud.tables  # noqa: F401 (makes the tables of scoring known to the store)
from fraud.features.midnight import features
from fraud.features.registry import Direction, Relation, Signal, Unit
from fraud.features.signals import SIGNALS

if TYPE_CHECKING:
    from fraud.backtest import backtest
    from fraud.model.similarity import BlockedAccountSimilarity
    from fraud.scoring import score_night

__all__ = [
    "SIGNALS",
    "BlockedAccountSimilarity",
    "Direction",
    "Relation",
    "Signal",
    "Unit",
    "backtest",
    "features",
    "score_night",
]

_WITH_SCIKIT_LEARN = {
    "BlockedAccountSimilarity": "fraud.model.similarity",
    "backtest": "fraud.backtest",
    "score_night": "fraud.scoring",
}


def __getattr__(name: str) -> Any:
    """Import what needs scikit-learn when it is asked for: that takes its time."""
    if name in _WITH_SCIKIT_LEARN:
        return getattr(import_module(_WITH_SCIKIT_LEARN[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
