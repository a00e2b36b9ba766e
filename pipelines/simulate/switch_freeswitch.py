"""FreeSWITCH ``mod_json_cdr``, one object a line.

Every value is text; ``*_stamp`` is local (here UTC), ``*_epoch`` are UTC seconds
and ``*_uepoch`` microseconds, ``"0"`` where it never happened. A transferred
call has two callflow entries; the failed routes before a call are records of their
own with the same ``call_uuid``. A record is written when the channel ends.
``call_direction`` is the dial plan's own variable and says which side the
account is on.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from pipelines.simulate.dialling import addresses, stamps
from pipelines.simulate.draws import Keys, below, hashed
from pipelines.simulate.switch_records import Records, filled, hexadecimal, lines_of

_CAUSE = (
    "NORMAL_CLEARING", "NO_ANSWER", "USER_BUSY", "ORIGINATOR_CANCEL", "CALL_REJECTED",
    "NORMAL_TEMPORARY_FAILURE",
)  # fmt: skip
_Q850 = ("16", "19", "17", "31", "21", "41")
_DIRECTION = ("outbound", "inbound", "local")
_TRANSFER_SHARE = 40  # one answered call in so many is transferred; ours
_FLOW = (
    '{"dialplan":"XML","profile_index":"%s","caller_profile":{"username":"«account»",'
    '"dialplan":"XML","caller_id_name":"«caller»","caller_id_number":"«caller»",'
    '"network_addr":"«ip»","destination_number":"«callee»","uuid":"«uuid»",'
    '"source":"mod_sofia","context":"public"},"times":{"created_time":"«start_us»",'
    '"answered_time":"«answer_us»","hangup_time":"«end_us»"}}'
)
_RECORD = (
    '{"core-uuid":"5b7c1c5e-8a51-4a37-9d0a-6f3e1b9f3c11","switchname":"soft1",'
    '"channel_data":{"state":"CS_REPORTING","direction":"inbound","state_number":"11"},'
    '"variables":{"uuid":"«uuid»","call_uuid":"«call_uuid»","call_direction":"«direction»","accountcode":"«account»",'
    '"sip_call_id":"«call»","sip_network_ip":"«ip»","start_stamp":"«start»",'
    '"end_stamp":"«end»","start_epoch":"«start_s»","start_uepoch":"«start_us»",'
    '"answer_epoch":"«answer_s»","answer_uepoch":"«answer_us»","end_epoch":"«end_s»",'
    '"end_uepoch":"«end_us»","duration":"«duration»","billsec":"«billsec»",'
    '"billmsec":"«billmsec»","hangup_cause":"«cause»","hangup_cause_q850":"«q850»"},'
    '"callflow":[«flow»]}'
)


def lines(records: Records) -> pl.DataFrame:
    """Return the rows of the records with the instant at which each is written."""
    legs = records.legs
    answered = legs.outcome == 0
    answer_ms = legs.start_ms + legs.ring_ms
    end_ms = answer_ms + legs.talk_ms
    transferred = answered & (below(legs.bits, _TRANSFER_SHARE) == 0)
    columns = pl.DataFrame(
        {
            "uuid": _uuid(hashed(legs.bits, legs.leg)),
            "call_uuid": _uuid(hashed(legs.bits, np.zeros(len(legs)))),
            "call": hexadecimal(legs.bits, 20),
            "account": records.account_ids,
            "direction": pl.Series(_DIRECTION).gather(legs.direction),
            "caller": records.caller,
            "callee": records.callee,
            "ip": addresses(legs.address),
            "start": stamps(legs.start_ms, records.switch.zone),
            "end": stamps(end_ms, records.switch.zone),
            "start_s": legs.start_ms // 1000,
            "start_us": legs.start_ms * 1000,
            "answer_s": np.where(answered, answer_ms // 1000, 0),
            "answer_us": np.where(answered, answer_ms * 1000, 0),
            "end_s": end_ms // 1000,
            "end_us": end_ms * 1000,
            "duration": (end_ms - legs.start_ms) // 1000,
            "billsec": legs.talk_ms // 1000,
            "billmsec": legs.talk_ms,
            "cause": pl.Series(_CAUSE).gather(legs.outcome),
            "q850": pl.Series(_Q850).gather(legs.outcome),
            "transferred": transferred,
        }
    )  # fmt: skip
    once = filled(_FLOW % 1)
    twice = pl.concat_str(filled(_FLOW % 2), pl.lit(","), once)
    columns = columns.with_columns(flow=pl.when("transferred").then(twice).otherwise(once))
    return lines_of(end_ms, columns, filled(_RECORD))


def _uuid(bits: Keys) -> pl.Series:
    """Write hashed bits as a version 4 UUID."""
    digits = hexadecimal(bits, 32)
    first, second, third = digits.str.slice(0, 8), digits.str.slice(8, 4), digits.str.slice(13, 3)
    fourth, last = digits.str.slice(17, 3), digits.str.slice(20)
    return first + "-" + second + "-4" + third + "-8" + fourth + "-" + last
