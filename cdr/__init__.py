"""The call store: what a call record is, how it comes in, where it lies, who may see it.

This package knows nothing of fraud. Notebooks and other people's scripts use
the names below; everything else may change.
"""

import cdr.allocation  # before Polars, which reads it once
import cdr.billing.tables  # noqa: F401 - makes billing's tables known to sessions, retention and rights
from cdr.errors import CdrError
from cdr.lake import Lake, open_lake
from cdr.settings import Settings, load_settings

__all__ = ["CdrError", "Lake", "Settings", "load_settings", "open_lake"]
