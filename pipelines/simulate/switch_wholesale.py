"""A plain CSV with a header, as a wholesale platform exports it, in local time.

A row is written when the call ends; a call that fails over has a row for each
route under the same call id.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from pipelines.simulate.dialling import addresses, stamps
from pipelines.simulate.draws import hashed
from pipelines.simulate.switch_records import Records, hexadecimal, lines_of

HEADER = (
    "record_id,call_id,account_id,direction,caller,callee,caller_ip,callee_ip,started_at,"
    "answered_at,ended_at,duration_s,disposition,cause_code"
)
_DIRECTION = ("outbound", "inbound", "internal")
_DISPOSITION = ("answered", "no_answer", "busy", "cancelled", "rejected", "failed")
_Q850 = ("16", "19", "17", "31", "21", "41")
_CARRIER_ADDRESS = 104 * 256**3 + 238 * 256**2 + 9 * 256 + 4


def lines(records: Records) -> pl.DataFrame:
    """Return the rows of the records with the instant at which each is written."""
    legs, zone = records.legs, records.switch.zone
    answered = legs.outcome == 0
    inbound = legs.direction == 1
    answer_ms = legs.start_ms + legs.ring_ms
    end_ms = answer_ms + legs.talk_ms
    columns = pl.DataFrame(
        {
            "record": hexadecimal(hashed(legs.bits, legs.leg), 16),
            "call": hexadecimal(legs.bits, 16),
            "account": records.account_ids,
            "direction": pl.Series(_DIRECTION).gather(legs.direction),
            "caller": records.caller,
            "callee": records.callee,
            "caller_ip": addresses(np.where(inbound, _CARRIER_ADDRESS, legs.address)),
            "callee_ip": addresses(np.where(inbound, legs.address, _CARRIER_ADDRESS)),
            "start": stamps(legs.start_ms, zone),
            "answer": stamps(answer_ms, zone).zip_with(pl.Series(answered), pl.Series([""])),
            "end": stamps(end_ms, zone),
            "duration": legs.talk_ms // 1000,
            "disposition": pl.Series(_DISPOSITION).gather(legs.outcome),
            "q850": pl.Series(_Q850).gather(legs.outcome),
        }
    )
    return lines_of(end_ms, columns, pl.concat_str(columns.columns, separator=","))
