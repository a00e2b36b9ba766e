"""OpenSIPS accounting rows as CSV with a header, one row a transaction, times in UTC.

An answered call is an INVITE row at the answer and a BYE row at the end, joined
by call id and tags; an unanswered one is a single INVITE row with the final
code. Some BYE rows are missing, and some come only when the proxy's timer ends
the dialogue. Nothing names the account: it follows from who owns the numbers.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from pipelines.simulate.dialling import ANONYMOUS, addresses, stamps
from pipelines.simulate.draws import Ints, below, hashed, unit
from pipelines.simulate.switch_records import Records, filled, hexadecimal, lines_of

HEADER = "method,from_tag,to_tag,callid,sip_code,sip_reason,time,from_uri,to_uri,src_ip,dst_ip"
_CODE = ("200", "480", "486", "487", "603", "503")
_REASON = (
    "OK", "Temporarily Unavailable", "Busy Here", "Request Terminated", "Decline",
    "Service Unavailable",
)  # fmt: skip
_LOST_BYE_SHARE = 0.003
_TIMED_OUT_SHARE = 0.001
_TIME_OUT_MS = 10_800_000
"""Ours as shares; the length is that of a known case (ivozprovider, issue 983)."""
_TRUNK_ADDRESS = 45 * 256**3 + 76 * 256**2 + 20 * 256 + 10

_ROW = (
    "%s,«from_tag»,«to_tag»,«call»@sip.example.net,«code»,«reason»,«time»,"
    "sip:«from»«phone»,sip:«to»«phone»,«src»,«dst»"
)


def lines(records: Records) -> pl.DataFrame:
    """Return the rows of the records with the instant at which each is written."""
    legs = records.legs
    answered = np.flatnonzero(legs.outcome == 0)
    answer_ms = legs.start_ms + legs.ring_ms
    invites = _rows(records, "INVITE", answer_ms)
    fate = unit(hashed(legs.bits, np.full(len(legs), 77)))[answered]
    ended_ms = answer_ms[answered] + np.where(
        fate > 1 - _TIMED_OUT_SHARE, _TIME_OUT_MS, legs.talk_ms[answered]
    )
    kept = fate >= _LOST_BYE_SHARE
    byes = _rows(records.where(answered[kept]), "BYE", ended_ms[kept])
    return pl.concat([invites, byes])


def _rows(records: Records, method: str, at_ms: Ints) -> pl.DataFrame:
    legs = records.legs
    inbound = legs.direction == 1
    columns = pl.DataFrame(
        {
            "from_tag": hexadecimal(hashed(legs.bits, legs.leg * 2 + 1), 10),
            "to_tag": hexadecimal(hashed(legs.bits, legs.leg * 2 + 2), 10).zip_with(
                pl.Series(legs.outcome != 5), pl.Series([""])
            ),
            "call": hexadecimal(legs.bits, 20),
            "code": pl.Series(_CODE).gather(legs.outcome),
            "reason": pl.Series(_REASON).gather(legs.outcome),
            "time": stamps(at_ms, records.switch.zone),
            "from": _user_at_host(records.caller),
            "to": _user_at_host(records.callee),
            "phone": pl.Series([";user=phone", ""]).gather(below(legs.bits, 2)),
            "src": addresses(np.where(inbound, _TRUNK_ADDRESS, legs.address)),
            "dst": addresses(np.where(inbound, legs.address, _TRUNK_ADDRESS)),
        }
    )
    return lines_of(at_ms, columns, filled(_ROW % method))


def _user_at_host(number: pl.Series) -> pl.Series:
    """Return the address of a user; RFC 3323 gives the host of anonymous callers."""
    host = pl.Series(["@anonymous.invalid"]).zip_with(
        number == ANONYMOUS, pl.Series(["@sip.example.net"])
    )
    return number + host
