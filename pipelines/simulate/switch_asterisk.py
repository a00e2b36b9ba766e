"""Asterisk ``Master.csv`` as ``cdr_csv`` writes it with unique id and user field: 18 columns.

Columns: accountcode, src, dst, dcontext, clid, channel, dstchannel, lastapp,
lastdata, start, answer, end, duration, billsec, disposition, amaflags,
uniqueid, userfield. There is no header; text is quoted, numbers are not; times
are local. A row is written when the call ends. The phones of a ring group and
the failed routes before a call are rows of their own under the same unique id.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from pipelines.simulate.dialling import stamps
from pipelines.simulate.draws import Ints, below
from pipelines.simulate.switch_records import Records, filled, lines_of

_DISPOSITION = ("ANSWERED", "NO ANSWER", "BUSY", "NO ANSWER", "FAILED", "FAILED")
_CONTEXT = ("from-internal", "from-trunk", "from-internal")
_DISPLAY = ("Reception", "", "Office", "Sales")
_RING_GROUP_SHARE = 8  # one inbound call in so many rings a second phone; ours

_ROW = (
    '"«account»","«src»","«dst»","«context»","""«name»"" <«src»>","PJSIP/«account»-«suffix»",'
    '"PJSIP/route«route»-«suffix»","Dial","PJSIP/«dst»@route«route»,60","«start»","«answer»",'
    '"«end»",«duration»,«billsec»,"«disposition»","DOCUMENTATION","«epoch».«suffix»",""'
)


def lines(records: Records) -> pl.DataFrame:
    """Return the rows of the records with the instant at which each is written."""
    decided = _lines(records, answered=records.legs.outcome == 0)
    inbound = (records.legs.direction == 1) & (records.legs.leg == 0)
    group = np.flatnonzero(inbound & (below(records.legs.bits, _RING_GROUP_SHARE) == 0))
    rung = _lines(records.where(group), answered=np.zeros(len(group), dtype=bool), phone=1)
    return pl.concat([rung, decided])


def _lines(records: Records, *, answered: Ints, phone: int = 0) -> pl.DataFrame:
    legs, zone = records.legs, records.switch.zone
    talk_ms = np.where(answered, legs.talk_ms, 0)
    answer_ms = legs.start_ms + legs.ring_ms
    end_ms = answer_ms + talk_ms
    outbound = legs.direction == 0
    outcome = np.where(answered, 0, np.where(legs.outcome == 0, 1, legs.outcome))
    start = stamps(legs.start_ms, zone)
    route = pl.Series((legs.leg + phone).astype(np.int64)).cast(pl.String)
    suffix = pl.Series(below(legs.bits, 10**7)).cast(pl.String)
    columns = pl.DataFrame(
        {
            "account": records.account_ids,
            "src": records.caller,
            "dst": records.callee,
            "context": pl.Series(_CONTEXT).gather(legs.direction),
            "name": pl.Series(_DISPLAY).gather(
                np.where(outbound, below(legs.bits, len(_DISPLAY)), 1)
            ),
            "suffix": suffix,
            "route": route,
            "start": start,
            "answer": stamps(answer_ms, zone).zip_with(pl.Series(answered), pl.Series([""])),
            "end": stamps(end_ms, zone),
            "duration": (end_ms - legs.start_ms) // 1000,
            "billsec": talk_ms // 1000,
            "disposition": pl.Series(_DISPOSITION).gather(outcome),
            "epoch": legs.start_ms // 1000,
        }
    )
    return lines_of(end_ms, columns, filled(_ROW))
