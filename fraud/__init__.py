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
from fraud.truth import read_truth

if TYPE_CHECKING:
    from fraud.backtest import backtest
    from fraud.identity.waterfall import identity_waterfall
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
    "identity_waterfall",
    "read_truth",
    "score_night",
]

_SLOW_TO_IMPORT = {
    "BlockedAccountSimilarity": "fraud.model.similarity",
    "backtest": "fraud.backtest",
    "identity_waterfall": "fraud.identity.waterfall",
    "score_night": "fraud.scoring",
}


def __getattr__(name: str) -> Any:
    """Import what needs scikit-learn or Splink when it is asked for: that takes its time."""
    if name in _SLOW_TO_IMPORT:
        return getattr(import_module(_SLOW_TO_IMPORT[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
