"""FreeSWITCH's `mod_cdr_csv`: one line a channel, columns as its template puts them.

Without settings the columns are those of the template `example` that FreeSWITCH is
delivered with: 13, or 14 or 15 with the codecs. For another one give its name or its text
as in `cdr_csv.conf.xml` as `template` of the source (what stands before, between and behind
its `${variables}` is part of it), or the names of the variables, in order, as `header`.
What a row means:

- Times are `start_stamp`, `answer_stamp` and `end_stamp`, local; where the template has
  `start_epoch` as well, it proves the offset.
- A row with an answer time is answered; else its hangup cause tells the outcome.
- A unique id that comes again with another `bleg_uuid` or hangup cause is another leg
  of the call, numbered in the order of the file; the same row again keeps its number.
- `${...}` values are not quoted by FreeSWITCH: a name with a quote in it breaks the line,
  which is set aside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import polars as pl

from cdr.errors import FormatError, SettingsError, shown
from cdr.formats.assemble import records, when, with_columns
from cdr.formats.blocks import read_blocks, read_sample
from cdr.formats.causes import FREESWITCH, unanswered
from cdr.formats.delimited import layout_of, split_columns, without_headers
from cdr.formats.freeswitch_json import DIRECTIONS
from cdr.formats.legs import LegCounter
from cdr.formats.record import ISO_LAYOUTS, Clock, Format, Times
from cdr.formats.table import check_declared
from cdr.schema import Outcome
from cdr.settings import SourceSettings

_PLAIN = (
    "caller_id_name", "caller_id_number", "destination_number", "context", "start_stamp",
    "answer_stamp", "end_stamp", "duration", "billsec", "hangup_cause", "uuid", "bleg_uuid",
    "accountcode",
)  # fmt: skip
_EXAMPLE = (*_PLAIN, "read_codec", "write_codec")
_ASTERISK = (
    "accountcode", "caller_id_number", "destination_number", "context", "caller_id",
    "channel_name", "bridge_channel", "last_app", "last_arg", "start_stamp", "answer_stamp",
    "end_stamp", "duration", "billsec", "hangup_cause", "amaflags", "uuid", "userfield",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Template:
    """How a line is written: its variables, what is between them and around them all."""

    columns: tuple[str, ...]
    separator: str = ","
    before: str = ""
    behind: str = ""


TEMPLATES = {
    "example": Template(_EXAMPLE),
    "sql": Template(_PLAIN, before="INSERT INTO cdr VALUES (", behind=");"),
    "snom": Template(
        (*_EXAMPLE, "sip_user_agent", "call_clientcode", "sip_rtp_rxstat", "sip_rtp_txstat",
         "sofia_record_file")
    ),
    "linksys": Template((*_EXAMPLE, "sip_user_agent", "sip_p_rtp_stat")),
    "asterisk": Template(_ASTERISK),
}  # fmt: skip
"""Those of FreeSWITCH's `cdr_csv.conf.xml` that say what a call is."""

NEEDED = ("caller_id_number", "destination_number", "start_stamp", "answer_stamp", "end_stamp",
           "hangup_cause", "uuid")  # fmt: skip
COLUMNS = (
    *NEEDED, "bleg_uuid", "duration", "billsec", "billmsec", "accountcode", "start_epoch",
    "call_direction", "call_uuid", "originating_leg_uuid", "sip_gateway_name", "network_addr",
    "sip_network_ip", "remote_media_ip",
)  # fmt: skip


def _read(file: Path, source: SourceSettings, block_bytes: int) -> Iterator[pl.DataFrame]:
    template = _template_of(file, source)
    first, last = template.columns[0], template.columns[-1]
    counter = LegCounter()
    for block in read_blocks(file, block_bytes):
        rows = split_columns(
            block,
            template.columns,
            COLUMNS,
            separator=template.separator,
            keys=("uuid", "start_stamp"),
            mend=lambda line: _bare(line, template),
        )
        if template.before and first in rows.columns:
            rows = rows.with_columns(pl.col(first).str.strip_prefix(template.before))
        if template.behind and last in rows.columns:
            rows = rows.with_columns(pl.col(last).str.strip_suffix(template.behind))
        rows = with_columns(without_headers(rows, template.columns), COLUMNS)
        part = pl.concat_str("bleg_uuid", "hangup_cause", separator=";", ignore_nulls=True)
        rows = counter.number(rows.with_columns(part=part), "uuid", "part")
        yield _records(rows)


def _template_of(file: Path, source: SourceSettings) -> Template:
    setting = "template" if source.template else "header"
    if source.template or source.header:
        template = _read_template(source.template) if source.template else Template(source.header)
        check_declared(setting, template.columns, columns=COLUMNS, needed=NEEDED)
        return template
    sample = read_sample(file)
    layout = layout_of(sample, {count: _EXAMPLE[:count] for count in (13, 14, 15)})
    if layout is None and sample.data.strip():
        raise FormatError(
            shown(file),
            "no line has the 13 to 15 columns of FreeSWITCH's usual template; "
            "give yours as `template` of the source",
        )
    return Template(layout or _EXAMPLE)


def _read_template(text: str) -> Template:
    """Return the template of that name, or take one apart as `cdr_csv.conf.xml` has it."""
    if text in TEMPLATES:
        return TEMPLATES[text]
    variables = list(re.finditer(_VARIABLE, text))
    if len(variables) < 2:
        raise SettingsError(
            "template", [f"has no ${{variables}} and is none of {', '.join(TEMPLATES)}"]
        )
    between = {
        text[one.end() : next_one.start()].strip(" ") for one, next_one in pairwise(variables)
    }
    separator = between.pop()
    if between or len(separator) != 1:
        raise SettingsError("template", ["needs one character between its ${variables}"])
    return Template(
        tuple(found[1] for found in variables),
        separator,
        text[: variables[0].start()].lstrip(),
        text[variables[-1].end() :].rstrip(),
    )


_VARIABLE = r'"?\$\{((?:[^{}]|\{[^{}]*\})*)\}"?'


def _bare(line: pl.Expr, template: Template) -> pl.Expr:
    """Take away what stands around the variables, and blanks between them."""
    return (
        line.str.strip_prefix(template.before)
        .str.strip_suffix(template.behind)
        .str.replace_all(f'" *{re.escape(template.separator)} *"', f'"{template.separator}"')
    )


def _records(rows: pl.DataFrame) -> pl.DataFrame:
    answered = pl.col("answer_stamp").is_not_null()
    cause = pl.col("hangup_cause").str.to_uppercase()
    exact = pl.col("billmsec").cast(pl.Decimal(18, 3), strict=False) / 1000
    return records(
        rows,
        {
            "source_record_id": pl.col("uuid"),
            "call_id": pl.coalesce("call_uuid", "originating_leg_uuid", "uuid"),
            "leg": pl.col("leg"),
            "account_code": pl.col("accountcode"),
            "trunk": pl.col("sip_gateway_name"),
            "direction": pl.col("call_direction").replace_strict(
                DIRECTIONS, default=None, return_dtype=pl.String
            ),
            "caller": pl.col("caller_id_number"),
            "callee": pl.col("destination_number"),
            "caller_ip": pl.coalesce("network_addr", "sip_network_ip"),
            "callee_ip": pl.col("remote_media_ip"),
            "started": pl.col("start_stamp"),
            "answered": pl.col("answer_stamp"),
            "ended": pl.col("end_stamp"),
            "duration": pl.when(answered).then(pl.coalesce(exact.cast(pl.String), "billsec")),
            "elapsed": pl.col("duration"),
            "outcome": pl.when(answered)
            .then(pl.lit(Outcome.ANSWERED.value))
            .otherwise(unanswered(cause, FREESWITCH)),
            "cause_code": pl.col("hangup_cause"),
            "proof_epoch_s": pl.col("start_epoch"),
        },
        faults=(
            when(pl.col("started").is_null(), "no_start_time"),
            when(pl.col("outcome").is_null(), "no_hangup_cause"),
        ),
    )


FORMAT = Format(
    name="freeswitch_csv",
    title="FreeSWITCH mod_cdr_csv, 13 to 15 columns or those of `template`",
    example=(
        '"Front desk","+4930901820","+442079460018","public","2026-09-01 12:00:00",'
        '"2026-09-01 12:00:07","2026-09-01 12:01:07","67","60","NORMAL_CLEARING",'
        '"0b6f3a52-7a0e-4b7e-9f1e-3f4b8f0c2d11","","acme"'
    ),
    times=Times(Clock.LOCAL, ISO_LAYOUTS[Clock.LOCAL]),
    columns=COLUMNS,
    notes=__doc__,
    read=_read,
)
