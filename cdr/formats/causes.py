"""What release causes say of a call that was not answered.

One table for each of the code lists in use; which one a switch writes is the business
of its dialect. A code that is in no table is a failure of the network, the number or
the switch.
"""

from __future__ import annotations

import polars as pl

from cdr.schema import Outcome

SIP = {
    "401": Outcome.REJECTED,
    "403": Outcome.REJECTED,
    "407": Outcome.REJECTED,
    "408": Outcome.NO_ANSWER,
    "433": Outcome.REJECTED,
    "480": Outcome.NO_ANSWER,
    "486": Outcome.BUSY,
    "487": Outcome.CANCELLED,
    "600": Outcome.BUSY,
    "603": Outcome.REJECTED,
    "607": Outcome.REJECTED,
    "608": Outcome.REJECTED,
}
"""Final codes (RFC 3261, section 21; RFC 5079; RFC 8197; RFC 8688)."""

Q850 = {
    "0": Outcome.NO_ANSWER,
    "16": Outcome.NO_ANSWER,
    "17": Outcome.BUSY,
    "18": Outcome.NO_ANSWER,
    "19": Outcome.NO_ANSWER,
    "20": Outcome.NO_ANSWER,
    "21": Outcome.REJECTED,
    "31": Outcome.NO_ANSWER,
    "52": Outcome.REJECTED,
    "54": Outcome.REJECTED,
    "57": Outcome.REJECTED,
}
"""Cause values (ITU-T Q.850, table 1). 0 is no cause at all: nobody answered."""

FREESWITCH = {
    "ORIGINATOR_CANCEL": Outcome.CANCELLED,
    "LOSE_RACE": Outcome.CANCELLED,
    "PICKED_OFF": Outcome.CANCELLED,
    "NORMAL_CLEARING": Outcome.NO_ANSWER,
    "NO_ANSWER": Outcome.NO_ANSWER,
    "NO_USER_RESPONSE": Outcome.NO_ANSWER,
    "ALLOTTED_TIMEOUT": Outcome.NO_ANSWER,
    "PROGRESS_TIMEOUT": Outcome.NO_ANSWER,
    "SUBSCRIBER_ABSENT": Outcome.NO_ANSWER,
    "USER_BUSY": Outcome.BUSY,
    "CALL_REJECTED": Outcome.REJECTED,
    "OUTGOING_CALL_BARRED": Outcome.REJECTED,
    "INCOMING_CALL_BARRED": Outcome.REJECTED,
    "BEARERCAPABILITY_NOTAUTH": Outcome.REJECTED,
    "USER_CHALLENGE": Outcome.REJECTED,
}
"""Hangup causes (FreeSWITCH, `switch_types.h`, after Q.850)."""


def unanswered(code: pl.Expr, table: dict[str, Outcome]) -> pl.Expr:
    """Return the outcome of a call that was not answered; null without a code."""
    outcome = code.replace_strict(table, default=Outcome.FAILED.value, return_dtype=pl.String)
    return pl.when(code.is_not_null()).then(outcome)
