"""FreeSWITCH's `mod_json_cdr`: one JSON object a call, a line each or a file each.

Every value is text, and may be URL-encoded. What a record means here:

- Caller, called number and address are those of the first callflow entry, which is the
  newest: after a transfer, where the call went last.
- `call_direction` (set by the dial plan) says which side the account is on.
  `direction` does not: it is the switch's view of the channel, and `inbound` also for
  a customer who calls out.
- Times are `*_uepoch`, or `*_epoch` where these are missing; `"0"` is never.
- A record with an answer time is answered; else its hangup cause tells the outcome.
- `call_uuid` joins the legs of a call; without it `originating_leg_uuid` does, or, of a
  channel the switch made, the `bridge_uuid`. A channel that is joined to another's is leg 1.
- Of a key that is there twice, the first one counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import polars as pl

from cdr.formats.assemble import records, when
from cdr.formats.blocks import MAX_LINE_BYTES, Block, read_blocks, scan_lines
from cdr.formats.causes import FREESWITCH, unanswered
from cdr.formats.json_lines import has_spoilt_key, refuse_list
from cdr.formats.record import Clock, Format, Times
from cdr.schema import Outcome
from cdr.settings import SourceSettings

_VARIABLES = (
    "uuid", "call_uuid", "originating_leg_uuid", "bridge_uuid", "accountcode", "call_direction",
    "direction", "sip_gateway_name", "sip_from_user", "sip_req_user", "sip_network_ip",
    "remote_media_ip", "video_read_codec",
    "start_uepoch", "start_epoch", "answer_uepoch", "answer_epoch", "end_uepoch", "end_epoch",
    "billmsec", "billsec", "hangup_cause",
)  # fmt: skip
_PROFILE = ("caller_id_number", "destination_number", "network_addr")


def _texts(names: tuple[str, ...]) -> pl.Struct:
    return pl.Struct(dict.fromkeys(names, pl.String))


_RECORD = pl.Struct(
    {
        "variables": _texts(_VARIABLES),
        "callflow": pl.List(pl.Struct({"caller_profile": _texts(_PROFILE)})),
    }
)

_ASCII = [chr(code) for code in range(128)]
_ENCODED = [f"%{code:02X}" for code in range(128)]

DIRECTIONS = {
    "outbound": "outbound",
    "inbound": "inbound",
    "local": "internal",
    "internal": "internal",
}
"""Of the dial plan's `call_direction`."""


def _read(file: Path, source: SourceSettings, block_bytes: int) -> Iterator[pl.DataFrame]:
    refuse_list(file)
    document = _lone_document(file)
    blocks = [document] if document else read_blocks(file, block_bytes)
    for block in blocks:
        yield _records(_decode(scan_lines(block).collect()))


def _lone_document(file: Path) -> Block | None:
    """Return a file that is one object over several lines, as one line."""
    start = list(islice(read_blocks(file, MAX_LINE_BYTES), 3))
    text = b"".join(block.data for block in start)
    if len(start) > 2 or text.count(b"\n") < 2:
        return None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return Block(text.replace(b"\n", b" ") + b"\n", 1, 1) if isinstance(document, dict) else None


def _decode(lines: pl.DataFrame) -> pl.DataFrame:
    """Take each line apart; `json_broken`, `cut_short` or `not_utf8` where that cannot be done."""
    text, spoilt = pl.col("raw").str.strip_chars(), has_spoilt_key(lines)
    readable = pl.col("fault").is_null() & ~spoilt
    readable &= text.str.starts_with("{") & text.str.ends_with("}")
    good, bad = lines.filter(readable), lines.filter(~readable)
    whole = _decoded(good)
    if whole is None:
        valid = pl.col("raw").str.json_path_match("$").is_not_null()
        bad = pl.concat([bad, good.filter(~valid)])
        good, broken = _halved(good.filter(valid))
        bad = pl.concat([bad, *broken])
    else:
        good = whole
    fault = pl.coalesce(
        when(pl.col("cut"), "cut_short"), when(spoilt, "not_utf8"), pl.lit("json_broken")
    )
    bad = bad.with_columns(fault=pl.coalesce("fault", fault))
    return pl.concat([good, bad], how="diagonal").sort("line")


def _decoded(lines: pl.DataFrame) -> pl.DataFrame | None:
    """Add the parts of each line as columns, or return None where a line has no such parts."""
    try:
        found = lines["raw"].str.json_decode(_RECORD)
    except pl.exceptions.ComputeError:
        return None
    if len(found) != lines.height:
        return None
    variables = found.struct.field("variables").struct.unnest()
    entry = found.struct.field("callflow").list.first()
    profile = entry.struct.field("caller_profile").struct.unnest()
    return pl.concat([lines, variables, profile], how="horizontal")


def _halved(lines: pl.DataFrame) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Find the lines that are JSON of another shape; a few among many, so by halves."""
    good, broken, open_parts = [lines.clear()], [], [lines]
    while open_parts:
        part = open_parts.pop()
        whole = _decoded(part)
        if whole is not None:
            good.append(whole)
        elif part.height == 1:
            broken.append(part)
        else:
            half = part.height // 2
            open_parts += [part.head(half), part.tail(-half)]
    return pl.concat(good, how="diagonal"), broken


def _records(rows: pl.DataFrame) -> pl.DataFrame:
    rows = _decoded_urls(rows)
    answered = _instant("answer")
    from_far_end = pl.col("direction") == "outbound"
    cause = pl.col("hangup_cause").str.to_uppercase()
    joined_to = pl.coalesce(
        "call_uuid", "originating_leg_uuid", pl.when(from_far_end).then("bridge_uuid")
    )
    return records(
        rows,
        {
            "source_record_id": pl.col("uuid"),
            "call_id": pl.coalesce(joined_to, "uuid"),
            "leg": (joined_to != pl.col("uuid")).fill_null(False),
            "account_code": pl.col("accountcode"),
            "trunk": pl.col("sip_gateway_name"),
            "direction": pl.col("call_direction").replace_strict(
                DIRECTIONS, default=None, return_dtype=pl.String
            ),
            "media": when(pl.col("video_read_codec").is_not_null(), "video"),
            "caller": pl.coalesce("caller_id_number", "sip_from_user"),
            "callee": pl.coalesce("destination_number", "sip_req_user"),
            "caller_ip": pl.coalesce(
                "network_addr", pl.when(~from_far_end.fill_null(False)).then("sip_network_ip")
            ),
            "callee_ip": pl.when(from_far_end).then("remote_media_ip"),
            "started": _instant("start"),
            "answered": answered,
            "ended": _instant("end"),
            "duration": pl.when(answered.is_not_null()).then(_billed_s()),
            "outcome": pl.when(answered.is_not_null())
            .then(pl.lit(Outcome.ANSWERED.value))
            .otherwise(unanswered(cause, FREESWITCH)),
            "cause_code": pl.col("hangup_cause"),
        },
        faults=(
            when(pl.col("started").is_null(), "no_start_time"),
            when(pl.col("outcome").is_null(), "no_hangup_cause"),
        ),
    )


def _decoded_urls(rows: pl.DataFrame) -> pl.DataFrame:
    """Write `%2B` as `+` and so on in what is used; empty text becomes null.

    Only ASCII: numbers, addresses and codes have nothing else.
    """
    said = (*_VARIABLES, *_PROFILE)
    missing = [name for name in said if name not in rows.columns]
    rows = rows.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in missing)
    text = pl.col(said)
    if rows["raw"].str.contains("%", literal=True).any():
        text = text.str.replace_many(_ENCODED, _ASCII, ascii_case_insensitive=True)
    rows = rows.with_columns(text)
    return rows.with_columns(pl.when(pl.col(name) != "").then(name) for name in said)


def _instant(event: str) -> pl.Expr:
    """Microseconds since 1970 as text; null where it never happened."""
    exact, whole = pl.col(f"{event}_uepoch"), pl.col(f"{event}_epoch")
    return pl.coalesce(
        pl.when(exact != "0").then(exact), pl.when(whole != "0").then(whole + "000000")
    )


def _billed_s() -> pl.Expr:
    """Answer to release in seconds as text, from milliseconds where they are there."""
    exact = pl.col("billmsec").str.zfill(4)
    return pl.coalesce(
        pl.when(exact.str.contains(r"^\d+$")).then(exact.str.head(-3) + "." + exact.str.tail(3)),
        "billsec",
    )


FORMAT = Format(
    name="freeswitch_json",
    title="FreeSWITCH mod_json_cdr, one object a line or a file",
    example=(
        '{"variables":{"uuid":"0b6f3a52-7a0e-4b7e-9f1e-3f4b8f0c2d11","accountcode":"acme",'
        '"call_direction":"outbound","start_uepoch":"1788256800123456",'
        '"answer_uepoch":"1788256807000000","end_uepoch":"1788256867000000",'
        '"billmsec":"60000","hangup_cause":"NORMAL_CLEARING"},"callflow":[{"caller_profile":'
        '{"caller_id_number":"+4930901820","destination_number":"+442079460018",'
        '"network_addr":"192.0.2.10"}}]}'
    ),
    times=Times(Clock.EPOCH_US),
    columns=(*_VARIABLES, *_PROFILE),
    notes=__doc__,
    read=_read,
)
"""A record with duplicate `uuid` stays as it is; the store tells repeats from corrections."""
