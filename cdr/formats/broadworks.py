"""What a BroadWorks accounting record means, however it is written.

The XML and the CSV files of one release say the same under the same names; their
modules find the records and the fields.
"""

from __future__ import annotations

import polars as pl

from cdr.formats.assemble import records, when
from cdr.formats.causes import Q850, unanswered
from cdr.formats.record import Clock, Times
from cdr.schema import Outcome

COLUMNS = (
    "type", "userNumber", "direction", "callingNumber", "calledNumber", "originalCalledNumber",
    "startTime", "answerIndicator", "answerTime", "releaseTime", "terminationCause",
    "localCallId", "remoteCallId", "networkCallID", "group", "serviceProvider",
    "trunkGroupName", "accessDeviceAddress",
)  # fmt: skip
"""Fields that are read."""

TIMES = Times(Clock.OFFSET, ("%Y%m%d%H%M%S%.f%#z",))

MEANING = """\
What a record means here:

- Times are UTC (`20260901100000.123`), whatever `userTimeZone` says.
- `Normal` is a whole call. `Start`, `Interim`, `Long Duration` and `Failover` tell of a call
  whose end is not known: taken as a call without an end, with the flag `missing_bye`,
  until its `Normal` record corrects it. Other types are set aside as `not_a_call`, and so is
  what names neither a user nor a start: the marks at the beginning and end of a file.
- Each user of a call has a record: `Originating` is outbound, `Terminating` inbound; the
  two of a call between users share the smaller of the local and the remote call id.
- The called number is the one first called (`originalCalledNumber`); another
  `calledNumber` is where the call was sent on to.
- The account is the group, else the service provider; the trunk is `trunkGroupName`.
- `terminationCause` is a Q.850 cause with leading zeros.
"""
"""For the pages of both formats."""

TYPES = ("start", "normal", "interim", "long duration", "failover", "event", "end")
"""Words of the field `type`, in lower case."""

_OPEN_ENDED = ("start", "interim", "long duration", "failover")
_DIRECTIONS = {"originating": "outbound", "terminating": "inbound"}


def records_of(rows: pl.DataFrame) -> pl.DataFrame:
    """Make records of rows with `line`, `raw`, `fault` and the columns `COLUMNS`.

    An unanswered `Start` is left to its `Normal` record: its cause is not known yet.

    Parameters
    ----------
    rows : pl.DataFrame
        Fields as text, null where empty.

    Returns
    -------
    pl.DataFrame
        With the columns of `cdr.formats.record.RECORD`.
    """
    kind = pl.col("type").str.to_lowercase()
    mark = pl.col("userNumber").is_null() & pl.col("startTime").is_null()
    answered = pl.col("answerIndicator").str.to_lowercase().str.starts_with("yes").fill_null(False)
    open_ended = kind.is_in(_OPEN_ENDED)
    way = pl.col("direction").str.to_lowercase()
    outbound = way == "originating"
    first = pl.coalesce("originalCalledNumber", "calledNumber")
    cause = pl.col("terminationCause").str.strip_chars_start("0")
    ids = (pl.col("localCallId"), pl.col("remoteCallId"))
    return records(
        rows,
        {
            "source_record_id": pl.concat_str(
                pl.coalesce("localCallId", "networkCallID"), "userNumber", way,
                separator=";", ignore_nulls=True,
            ),
            "call_id": pl.coalesce(pl.min_horizontal(ids), "networkCallID"),
            "account_code": pl.coalesce("group", "serviceProvider"),
            "trunk": pl.col("trunkGroupName"),
            "direction": way.replace_strict(_DIRECTIONS, default=None, return_dtype=pl.String),
            "caller": pl.coalesce("callingNumber", pl.when(outbound).then("userNumber")),
            "callee": first,
            "caller_ip": pl.when(outbound).then("accessDeviceAddress"),
            "callee_ip": pl.when(~outbound).then("accessDeviceAddress"),
            "forwarded_to": pl.when(pl.col("calledNumber") != first).then("calledNumber"),
            "started": _utc("startTime"),
            "answered": pl.when(answered).then(_utc("answerTime")),
            "ended": _utc("releaseTime"),
            "outcome": pl.when(answered)
            .then(pl.lit(Outcome.ANSWERED.value))
            .otherwise(unanswered(cause.replace("", "0"), Q850)),
            "cause_code": pl.col("terminationCause"),
        },
        faults=(
            when(mark | (kind.ne_missing("normal") & ~open_ended.fill_null(False)), "not_a_call"),
            when(~mark & pl.col("started").is_null(), "no_start_time"),
            when(~mark & pl.col("outcome").is_null(), "no_hangup_cause"),
        ),
        flags=(when(open_ended & answered, "missing_bye"),),
    )  # fmt: skip


def _utc(name: str) -> pl.Expr:
    return pl.col(name) + "Z"
