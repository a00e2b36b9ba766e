"""What is suspicious: signals, comparison with blocked accounts, cases.

Notebooks and other people's scripts use the names below; everything else may
change. `features` is the function; the package of that name is imported from as
``from fraud.features.signals import SIGNALS``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fraud.tables  # noqa: F401 (makes the tables of scoring known to the store)
from fraud.features.midnight import features
from fraud.features.registry import Signal
from fraud.features.signals import SIGNALS

if TYPE_CHECKING:
    from fraud.model.similarity import BlockedAccountSimilarity
    from fraud.scoring import score_night

__all__ = ["SIGNALS", "BlockedAccountSimilarity", "Signal", "features", "score_night"]


def __getattr__(name: str) -> Any:
    """Import the model when it is asked for: scikit-learn takes its time."""
    if name == "BlockedAccountSimilarity":
        from fraud.model.similarity import BlockedAccountSimilarity

        return BlockedAccountSimilarity
    if name == "score_night":
        from fraud.scoring import score_night

        return score_night
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
