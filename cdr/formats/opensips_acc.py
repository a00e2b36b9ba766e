"""Accounting rows of OpenSIPS and Kamailio (`acc`) as CSV with a header.

The proxies write a row a transaction; the rows of a dialog become one record. The
columns are `COLUMNS`, or those that `columns` of the source maps to them.

What a dialog means here:

- An INVITE answered 2xx is an answered call, from that row's time to the BYE's. Later
  INVITEs of the dialog change nothing; several of one time are the legs of a call that was
  sent on (`multi_leg_info`), and the last of them says where to. Without a BYE there is no end and
  the flag `missing_bye`; the duration is never given, it follows from the times.
- With `do_accounting("db", "cdr")` OpenSIPS writes one row a call, when it is over: an
  INVITE with `duration` or `ms_duration` above 0, from `time` on. It needs no BYE.
- `time` is when the proxy saw the final answer. When the call came in is `created`;
  without that column the start is the answer, and the flag is `start_at_answer`.
- Of an INVITE never answered 2xx, the last final code tells the outcome; repeated ones
  and a CANCEL of the same caller's tag belong to it.
- A BYE or a CANCEL without its INVITE, and rows of other methods, are faults. A BYE whose INVITE
  stands in another file of the source ends that call once both were taken in. So does a later
  final code of an attempt take the place of one that another file brought; a CANCEL in another
  file tells nothing that the INVITE's row does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import polars as pl

from cdr.formats.assemble import records, when, with_columns
from cdr.formats.blocks import read_blocks
from cdr.formats.causes import SIP, unanswered
from cdr.formats.delimited import OURS
from cdr.formats.dialogs import Dialogs
from cdr.formats.record import ISO_LAYOUTS, Clock, Format, Times
from cdr.formats.table import read_header, split_table
from cdr.schema import Outcome
from cdr.settings import SourceSettings

_NEEDED = (
    "method", "from_tag", "to_tag", "callid", "sip_code", "time", "from_uri", "to_uri",
)  # fmt: skip
CDR_COLUMNS = ("duration", "ms_duration")
COLUMNS = (*_NEEDED, "src_ip", "dst_ip", "account", "trunk", "created", *CDR_COLUMNS)
"""Names of the columns: those of the `acc` table, then what operators add to it
(`extra_fields` of OpenSIPS, `db_extra` of Kamailio), under names of ours."""

_KEYS = ("callid", "from_tag", "to_tag", "time", "created")
_RANK = {"ok": 0, "failed": 1, "bye": 2, "cancel": 3, "other": 4}


Read = Callable[[Path, SourceSettings, int], Iterator[pl.DataFrame]]
Adapt = Callable[[pl.DataFrame], pl.DataFrame]


def dialog_reader(columns: Sequence[str], needed: Sequence[str], adapt: Adapt) -> Read:
    """Make the reader of a table of transactions, whose dialogs become records.

    Parameters
    ----------
    columns, needed : sequence of str
        Columns the dialect knows; those of them a file must have. `method`, `from_tag`,
        `to_tag`, `callid`, `sip_code`, `time`, `src_ip`, `dst_ip`, `account`, `trunk`,
        `created` and `CDR_COLUMNS` mean the same in every dialect.
    adapt : callable
        Adds `from_uri`, `to_uri` and `sent_on_to` to rows with these columns.
    """

    def read(file: Path, source: SourceSettings, block_bytes: int) -> Iterator[pl.DataFrame]:
        header = read_header(file, source, columns=columns, needed=needed)
        if header is None:
            return
        dialogs = Dialogs()
        for block in read_blocks(file, block_bytes):
            rows = _unpadded(split_table(block, header, columns, keys=_KEYS))
            rows = with_columns(rows, columns)
            lost = when(pl.col("callid").is_null(), "no_call_id")
            rows = rows.select("line", "raw", *columns, fault=pl.coalesce("fault", lost))
            faulty = pl.col("fault").is_not_null()
            whole = adapt(rows.filter(~faulty)).with_columns(_length_s().alias("length_s"))
            whole = whole.with_columns(closes=pl.col("length_s").is_not_null())
            yield pl.concat(
                [
                    records(rows.filter(faulty), {}),
                    _records(dialogs.add(whole, block.last_line)),
                ]
            )
        rest = dialogs.rest()
        if rest is not None:
            yield _records(rest)

    return read


def _unpadded(rows: pl.DataFrame) -> pl.DataFrame:
    """Take the blanks off that PostgreSQL fills a text of a `CHAR(n)` column up with."""
    said = [name for name in rows.columns if name not in OURS]
    padded = [name for name in said if rows[name].str.ends_with(" ").any()]
    text = pl.col(padded).str.strip_chars_end(" ")
    return rows.with_columns(pl.when(text != "").then(text))


def _records(rows: pl.DataFrame) -> pl.DataFrame:
    calls = _calls(rows)
    code = pl.col("sip_code")
    answered, created = pl.col("answered_2xx"), pl.col("created").is_not_null()
    failed = pl.col("kind") == "failed"
    outcome = (
        pl.when(answered)
        .then(pl.lit(Outcome.ANSWERED.value))
        .when(failed & code.str.contains(r"^[3-6]\d\d$"))
        .then(unanswered(code, SIP))
    )
    return records(
        calls,
        {
            "source_record_id": pl.concat_str(
                "callid", pl.col("from_tag", "to_tag").fill_null(""), separator=";"
            ),
            "call_id": pl.col("callid"),
            "account_code": pl.col("account"),
            "caller": pl.col("from_uri"),
            "callee": pl.col("to_uri"),
            "caller_ip": pl.col("src_ip"),
            "callee_ip": pl.col("dst_ip"),
            "forwarded_to": pl.when(answered & (pl.col("last_leg") != pl.col("to_uri")))
            .then("last_leg")
            .otherwise("sent_on_to"),
            "trunk": pl.col("trunk"),
            "started": pl.coalesce("created", "time"),
            "answered": pl.when(answered).then("time"),
            "ended": pl.when(answered).then("bye_time").when(failed & created).then("time"),
            "duration": pl.when(answered).then("length_s"),
            "outcome": outcome,
            "cause_code": pl.when(answered | failed).then(code),
        },
        faults=(
            when(pl.col("part") > 0, "too_many_rows"),
            when(pl.col("kind") == "bye", "bye_without_invite"),
            when(pl.col("kind") == "cancel", "cancel_without_invite"),
            when(pl.col("kind") == "other", "not_a_call"),
            when(failed & pl.col("outcome").is_null(), "unknown_sip_code"),
            when(pl.col("started").is_null(), "no_start_time"),
        ),
        flags=(
            when(answered & pl.coalesce("bye_time", "length_s").is_null(), "missing_bye"),
            when(answered & ~created, "start_at_answer"),
        ),
    )


def _calls(rows: pl.DataFrame) -> pl.DataFrame:
    """Make one row of each dialog: the INVITE that decided it, and what the others say.

    That is the first one answered 2xx, else the last one; without any the first BYE,
    CANCEL or other row.
    """
    rows = rows.sort("line").with_row_index("place")
    kind, place = pl.col("kind"), pl.col("place").cast(pl.Int64)
    rank = kind.replace_strict(_RANK, return_dtype=pl.Int64)
    nearness = pl.when(kind == "failed").then(rows.height - place).otherwise(place)
    joined = rows.group_by("dialog", "part", maintain_order=True).agg(
        pl.col("line").first(),
        pl.len().alias("source_rows"),
        pl.col("raw").str.join("\n"),
        pl.col("time").filter(kind == "bye").first().alias("bye_time"),
        _last_leg(rows).alias("last_leg"),
        (rank * (rows.height + 1) + nearness).arg_min().alias("at"),
        pl.col("place"),
    )
    deciding = joined.select(pl.col("place").list.get(pl.col("at"))).to_series()
    said = rows.drop("line", "raw", "dialog", "part", "place", "fault")[deciding]
    calls = pl.concat([joined.drop("at", "place"), said], how="horizontal")
    return calls.with_columns(answered_2xx=kind == "ok", fault=pl.lit(None, dtype=pl.String))


def _last_leg(rows: pl.DataFrame) -> pl.Expr:
    """Return where the last of the legs that one final answer closed went; most calls have one."""
    ok = pl.col("kind") == "ok"
    if not rows.filter(ok)["dialog"].is_duplicated().any():
        return pl.lit(None, dtype=pl.String)
    at_once = pl.col("time") == pl.col("time").filter(ok).first()
    return pl.coalesce("sent_on_to", "to_uri").filter(ok & at_once).last()


def _length_s() -> pl.Expr:
    """Read the length that a row for a whole call tells; the table's default is 0."""
    exact, whole = (
        pl.col(name).cast(pl.Decimal(18, 3), strict=False) for name in ("ms_duration", "duration")
    )
    exact = pl.when(exact > 0).then(exact / 1000)
    length = pl.coalesce(exact, pl.when(whole > 0).then(whole))
    invited = pl.col("method").str.to_uppercase() == "INVITE"
    return pl.when(invited & pl.col("sip_code").str.contains(r"^2\d\d$")).then(
        length.cast(pl.String)
    )


def _without_forwarding(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(sent_on_to=pl.lit(None, dtype=pl.String))


FORMAT = Format(
    name="opensips_acc",
    title="OpenSIPS and Kamailio accounting rows (acc), CSV with a header",
    example=(
        "method,from_tag,to_tag,callid,sip_code,sip_reason,time,from_uri,to_uri,src_ip,dst_ip\n"
        "INVITE,8a1,c07,f3e9@192.0.2.10,200,OK,2026-09-01 12:00:07,sip:+4930901820@example.net,"
        "sip:+442079460018@example.net,192.0.2.10,198.51.100.7\n"
        "BYE,8a1,c07,f3e9@192.0.2.10,200,OK,2026-09-01 12:01:07,sip:+4930901820@example.net,"
        "sip:+442079460018@example.net,192.0.2.10,198.51.100.7"
    ),
    times=Times(Clock.LOCAL, ISO_LAYOUTS[Clock.LOCAL]),
    columns=COLUMNS,
    notes=__doc__,
    read=dialog_reader(COLUMNS, _NEEDED, _without_forwarding),
    dialogs=True,
)
