"""Every table by its name, those of later packages included."""

from __future__ import annotations

from cdr.schema.accounts import ACCOUNT_EVENTS, ACCOUNT_NUMBERS, ACCOUNTS, LISTS, MESSAGE_TEMPLATES
from cdr.schema.calls import CALL_HISTORY, CALLS, INGESTS, REJECTS
from cdr.schema.fields import Table
from cdr.schema.scores import SCORES

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        CALLS,
        CALL_HISTORY,
        REJECTS,
        INGESTS,
        ACCOUNTS,
        ACCOUNT_NUMBERS,
        ACCOUNT_EVENTS,
        MESSAGE_TEMPLATES,
        LISTS,
        SCORES,
    )
}


def register(*tables: Table) -> None:
    """Make tables that a later package writes known to sessions, retention and rights.

    Safe to repeat. `fraud` calls it when it is imported.
    """
    for table in tables:
        TABLES[table.name] = table
