"""Every column of every table, once.

Delta schemas, Parquet types, purpose views, documentation and tests are derived
from what stands here. A column means the same wherever it occurs. Tables that
only one later package writes are here too: retention and rights must see all.
"""

from cdr.schema.accounts import ACCOUNT_EVENTS, ACCOUNT_NUMBERS, ACCOUNTS, LISTS, MESSAGE_TEMPLATES
from cdr.schema.calls import CALL_HISTORY, CALLS, INGESTS, REJECTS
from cdr.schema.fields import (
    BILLING,
    BOTH,
    CODES,
    DIRECT,
    EVERY,
    FOR_A_HOLD,
    FOR_RIGHTS,
    FRAUD,
    INDIRECT,
    INSTANT,
    KEPT_FOR,
    KEY,
    MONEY,
    NETWORK,
    NOBODY,
    NONE,
    OF_CALLS,
    PSEUDONYMOUS,
    TEXTS,
    Field,
    Kept,
    Outcome,
    Personal,
    Purpose,
    Table,
)
from cdr.schema.registry import TABLES, register
from cdr.schema.scores import SCORES

__all__ = [
    "ACCOUNTS",
    "ACCOUNT_EVENTS",
    "ACCOUNT_NUMBERS",
    "BILLING",
    "BOTH",
    "CALLS",
    "CALL_HISTORY",
    "CODES",
    "DIRECT",
    "EVERY",
    "FOR_A_HOLD",
    "FOR_RIGHTS",
    "FRAUD",
    "INDIRECT",
    "INGESTS",
    "INSTANT",
    "KEPT_FOR",
    "KEY",
    "LISTS",
    "MESSAGE_TEMPLATES",
    "MONEY",
    "NETWORK",
    "NOBODY",
    "NONE",
    "OF_CALLS",
    "PSEUDONYMOUS",
    "REJECTS",
    "SCORES",
    "TABLES",
    "TEXTS",
    "Field",
    "Kept",
    "Outcome",
    "Personal",
    "Purpose",
    "Table",
    "register",
]
