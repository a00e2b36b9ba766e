"""Cisco Unified Communications Manager: CDR flat files.

What a file looks like: a line of column names, then a line of SQL types, which is no
data; some files have only the types, and the columns are then the first ones of Cisco's
order. CMR files (call quality) look alike; they are recognised and refused by name.

What a row means here:

- Times are seconds since 1970 UTC; `dateTimeConnect` 0 is a call nobody answered, whose
  Q.850 cause (`destCause_value`, else `origCause_value`) tells the outcome.
- The called number is the one dialled (`originalCalledPartyNumber`); where the call ended
  at another (`finalCalledPartyNumber`), it was sent on to that one.
- Addresses are `origIpv4v6Addr` and `destIpv4v6Addr`, else signed 32-bit numbers with the
  first octet lowest: 239138826 is 10.248.64.14.
- A row made by call recording (caller `b00...`, redirected on behalf of 27, Recording) is
  a copy of another call's media and set aside as `recording_leg`.
- Rows of one call share manager, call id and cluster; `pkid` names the row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from cdr.errors import FormatError, shown
from cdr.formats.assemble import records, when, with_columns
from cdr.formats.blocks import read_blocks, read_sample
from cdr.formats.causes import Q850, unanswered
from cdr.formats.delimited import header_of, set_apart, split_columns, without_headers
from cdr.formats.record import Clock, Format, Times
from cdr.formats.table import refuse_repeated
from cdr.schema import Outcome
from cdr.settings import SourceSettings

_ORDER = (
    "cdrRecordType", "globalCallID_callManagerId", "globalCallID_callId", "origLegCallIdentifier",
    "dateTimeOrigination", "origNodeId", "origSpan", "origIpAddr", "callingPartyNumber",
    "callingPartyUnicodeLoginUserID", "origCause_location", "origCause_value",
    "origPrecedenceLevel", "origMediaTransportAddress_IP", "origMediaTransportAddress_Port",
    "origMediaCap_payloadCapability", "origMediaCap_maxFramesPerPacket",
    "origMediaCap_g723BitRate", "origVideoCap_Codec", "origVideoCap_Bandwidth",
    "origVideoCap_Resolution", "origVideoTransportAddress_IP", "origVideoTransportAddress_Port",
    "origRSVPAudioStat", "origRSVPVideoStat", "destLegIdentifier", "destNodeId", "destSpan",
    "destIpAddr", "originalCalledPartyNumber", "finalCalledPartyNumber",
    "finalCalledPartyUnicodeLoginUserID", "destCause_location", "destCause_value",
    "destPrecedenceLevel", "destMediaTransportAddress_IP", "destMediaTransportAddress_Port",
    "destMediaCap_payloadCapability", "destMediaCap_maxFramesPerPacket",
    "destMediaCap_g723BitRate", "destVideoCap_Codec", "destVideoCap_Bandwidth",
    "destVideoCap_Resolution", "destVideoTransportAddress_IP", "destVideoTransportAddress_Port",
    "destRSVPAudioStat", "destRSVPVideoStat", "dateTimeConnect", "dateTimeDisconnect",
    "lastRedirectDn", "pkid", "originalCalledPartyNumberPartition",
    "callingPartyNumberPartition", "finalCalledPartyNumberPartition", "lastRedirectDnPartition",
    "duration", "origDeviceName", "destDeviceName", "origCallTerminationOnBehalfOf",
    "destCallTerminationOnBehalfOf", "origCalledPartyRedirectOnBehalfOf",
    "lastRedirectRedirectOnBehalfOf", "origCalledPartyRedirectReason",
    "lastRedirectRedirectReason", "destConversationId", "globalCallId_ClusterID",
)  # fmt: skip
"""The first columns in Cisco's order (Call Detail Records Administration Guide, CDR field
descriptions); versions only add at the end."""

COLUMNS = (
    "cdrRecordType", "globalCallID_callManagerId", "globalCallID_callId", "globalCallId_ClusterID",
    "pkid", "dateTimeOrigination", "dateTimeConnect", "dateTimeDisconnect", "duration",
    "callingPartyNumber", "originalCalledPartyNumber", "finalCalledPartyNumber", "origIpAddr",
    "destIpAddr", "origIpv4v6Addr", "destIpv4v6Addr", "origCause_value", "destCause_value",
    "origDeviceName", "origVideoCap_Codec", "destVideoCap_Codec", "lastRedirectRedirectOnBehalfOf",
)  # fmt: skip

_TYPES = re.compile(r'^"?(INTEGER|STRING|UNIQUEIDENTIFIER|VARCHAR\(\d+\))"?(,|$)', re.ASCII)
_RECORDING = "27"  # Cisco, CDR guide, table of OnBehalfOf codes
_CMR = (
    "is a CMR file (call quality, no calls); take in the CDR file that belongs to it and leave "
    "CMR files out"
)


def _read(file: Path, source: SourceSettings, block_bytes: int) -> Iterator[pl.DataFrame]:
    start = _start_of(file)
    if start is None:
        return
    columns, skipped = start
    keys = ("pkid", "dateTimeOrigination") if "pkid" in columns else columns
    for block in read_blocks(file, block_bytes):
        rows = split_columns(block, columns, COLUMNS, keys=keys)
        rows = without_headers(rows.filter(~pl.col("line").is_in(skipped)), columns)
        types = pl.col("raw").str.contains(_TYPES.pattern)
        rows = set_apart(rows, when(types, "header_repeated"))
        yield _records(with_columns(rows, COLUMNS))


def _start_of(file: Path) -> tuple[tuple[str, ...], list[int]] | None:
    """Return the columns and the numbers of the lines that are no data."""
    lines = [
        (number, line)
        for number, line in enumerate(read_sample(file).data.decode().split("\n"), start=1)
        if line
    ]
    if not lines:
        return None
    names = header_of(lines[0][1], ",")
    has_names = "cdrRecordType" in names
    types_at = 1 if has_names else 0
    has_types = len(lines) > types_at and bool(_TYPES.match(lines[types_at][1]))
    if not has_names and not has_types:
        raise FormatError(shown(file), "has neither Cisco's line of names nor its line of types")
    skipped = [number for number, _ in lines[: has_names + has_types]]
    if has_names:
        if "dateTimeOrigination" not in names:
            raise FormatError(shown(file), _CMR)
        refuse_repeated(file, names, COLUMNS)
        return tuple(names), skipped
    if len(names) < len(_ORDER):
        raise FormatError(shown(file), _CMR)
    more = (f"column {number}" for number in range(len(_ORDER), len(names)))
    return (*_ORDER, *more), skipped


def _records(rows: pl.DataFrame) -> pl.DataFrame:
    answered = pl.col("dateTimeConnect").ne_missing("0") & pl.col("dateTimeConnect").is_not_null()
    dialled, final = pl.col("originalCalledPartyNumber"), pl.col("finalCalledPartyNumber")
    cause = pl.coalesce(_not_zero("destCause_value"), _not_zero("origCause_value"), pl.lit("0"))
    video = pl.coalesce(_not_zero("origVideoCap_Codec"), _not_zero("destVideoCap_Codec"))
    return records(
        rows,
        {
            "source_record_id": pl.col("pkid"),
            "call_id": pl.concat_str(
                "globalCallID_callManagerId",
                "globalCallID_callId",
                "globalCallId_ClusterID",
                separator="-",
                ignore_nulls=True,
            ),
            "trunk": pl.col("origDeviceName"),
            "media": when(video.is_not_null(), "video"),
            "caller": pl.col("callingPartyNumber"),
            "callee": pl.coalesce(dialled, final),
            "caller_ip": pl.coalesce("origIpv4v6Addr", _address("origIpAddr")),
            "callee_ip": pl.coalesce("destIpv4v6Addr", _address("destIpAddr")),
            "forwarded_to": pl.when(final != dialled).then(final),
            "started": pl.col("dateTimeOrigination"),
            "answered": pl.when(answered).then("dateTimeConnect"),
            "ended": pl.col("dateTimeDisconnect"),
            "duration": pl.when(answered).then(pl.col("duration")),
            "outcome": pl.when(answered)
            .then(pl.lit(Outcome.ANSWERED.value))
            .otherwise(unanswered(cause, Q850)),
            "cause_code": cause,
        },
        faults=(
            when(pl.col("cdrRecordType").ne_missing("1"), "not_a_cdr"),
            when(pl.col("lastRedirectRedirectOnBehalfOf") == _RECORDING, "recording_leg"),
            when(_not_zero("started").is_null(), "no_start_time"),
        ),
    )


def _not_zero(name: str) -> pl.Expr:
    return pl.when(pl.col(name) != "0").then(name)


def _address(name: str) -> pl.Expr:
    """Write a signed 32-bit number, first octet lowest, as an IPv4 address."""
    number = _not_zero(name).cast(pl.Int64, strict=False) & 0xFFFF_FFFF
    octets = [(number // 256**place) & 0xFF for place in range(4)]
    return pl.when(number.is_not_null()).then(pl.format("{}.{}.{}.{}", *octets))


_EXAMPLE = {
    "cdrRecordType": "1",
    "globalCallID_callManagerId": "2",
    "globalCallID_callId": "12345",
    "dateTimeOrigination": "1788256800",
    "origIpAddr": "167903424",
    "callingPartyNumber": "+4930901820",
    "originalCalledPartyNumber": "+442079460018",
    "finalCalledPartyNumber": "+442079460018",
    "dateTimeConnect": "1788256807",
    "dateTimeDisconnect": "1788256867",
    "pkid": "ed56fecd-bd2d-48d4-ae03-7ee3766d6048",
    "duration": "60",
    "globalCallId_ClusterID": "cluster1",
}

FORMAT = Format(
    name="cisco_cucm",
    title="Cisco Unified Communications Manager, CDR flat files",
    example="\n".join(
        (
            ",".join(f'"{name}"' for name in _ORDER),
            ",".join("VARCHAR(50)" for _ in _ORDER),
            ",".join(_EXAMPLE.get(name, "") for name in _ORDER),
        )
    ),
    times=Times(Clock.EPOCH_S),
    columns=COLUMNS,
    notes=__doc__,
    read=_read,
)
