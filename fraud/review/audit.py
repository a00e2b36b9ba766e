"""The audit log of the queue: who saw or did what, when, before, after, why.

Written in the transaction of what it records, never changed afterwards. Values of
personal data do not enter it: it names accounts and cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fraud.review import models

SEEN = {
    "see_case": "opened the case",
    "search": "searched for an account",
    "see_requests": "looked at the requests of persons",
    "see_calls": "looked at the calls behind a number",
    "see_events": "looked at the events behind a number",
    "see_texts": "looked at the texts behind a number",
    "see_numbers": "looked at the numbers held behind a number",
    "see_ties": "looked at the ties to blocked accounts behind a number",
    "see_evidence": "read the evidence through the API",
    "reveal": "revealed personal data",
}
"""Entries that record a look, in words; the others record an action."""


def note_action(
    action: str,
    *,
    by: str,
    at: datetime,
    case: models.Case | None = None,
    account_id: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    why: str = "",
) -> None:
    """Write one entry.

    Parameters
    ----------
    action : str
        Code: of `decisions.Action`, of :data:`SEEN`, or what was done to a person's account.
    by : str
        User name, or ``command line``.
    at : datetime
        UTC instant.
    case : Case, optional
        The case it was about.
    account_id : str, default=""
        The account it was about, where there is no case.
    before, after : mapping, optional
        What changed, as JSON keeps it.
    why : str, default=""
        Reason given.
    """
    models.AuditEntry.objects.create(
        at=at,
        by=by,
        action=action,
        case=case,
        account_id=case.account_id if case else account_id,
        before=before,
        after=after,
        why=why,
    )
