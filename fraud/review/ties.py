"""What accounts have in common with blocked ones: the rows that the associates' signals count.

Made from the relations of `fraud.features`, so that a page and a signal cannot differ.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta

from cdr.query import Query
from fraud.features.midnight import HISTORY_DAYS
from fraud.features.statements import relation, statement, text_of
from fraud.features.traces import SIGHTINGS
from fraud.features.zones import zones_sql
from fraud.review.midnights import instant, query

THROUGH = {
    "number": "number", "ip": "IP address", "device": "device", "payment": "means of payment",
    "postal": "postal address", "domain": "mail domain", "template": "text",
}  # fmt: skip
"""What ties accounts, in the words of the pages."""

_READ = ("subjects", *SIGHTINGS, "left_behind", "blocks", "links", "shared_traces")


def ties(accounts: Sequence[str], as_of: date, left_out: Collection[str]) -> Query:
    """Build the statement of the ties of accounts, with its values; pure.

    Parameters
    ----------
    accounts : sequence of str
        Whose.
    as_of : date
        The midnight that begins this UTC day.
    left_out : collection of str
        Accounts that may be neither described nor compared with.
    """
    pairs = [{"account_id": one, "as_of": instant(as_of), "as_of_date": as_of} for one in accounts]
    parts = (
        f"scored AS (\n{text_of('scored_pairs')}\n)",
        zones_sql(),
        *(relation(name) for name in _READ),
    )
    return Query(
        "ties",
        statement(parts, query("ties").sql),
        {
            "pairs": pairs,
            "left_out": sorted(left_out),
            "first_date": as_of - timedelta(days=HISTORY_DAYS),
            "until_date": as_of,
        },
    )
