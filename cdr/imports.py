"""How rows of the operator's files join what the lake has.

Accounts are kept with their history: a detail that changes closes the row that
held it. Numbers and list entries are replaced by key. Events are added once,
texts are reduced to templates at the door. Each import is one batch with one
row in `ingests`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from cdr.errors import FormatError, shown, storage
from cdr.keys import joined, key_16
from cdr.lake import Batch, Lake
from cdr.normalise.addresses import ip_country
from cdr.normalise.messages import leads_to_listed, template_hash, with_link
from cdr.operator_files import (
    ACCOUNTS_FILE,
    EVENTS_FILE,
    LISTS_FILE,
    MESSAGES_FILE,
    NUMBERS_FILE,
    OperatorFile,
    Understood,
    read_operator_file,
)
from cdr.schema import (
    ACCOUNT_EVENTS,
    ACCOUNT_NUMBERS,
    ACCOUNTS,
    INGESTS,
    INSTANT,
    LISTS,
    MESSAGE_TEMPLATES,
    REJECTS,
    Table,
)

LINK_DOMAINS = "link_domains"
KNOWN_LISTS = ("test_numbers", "high_risk_ranges", "networks", LINK_DOMAINS)

_RAW_CHARS = 65_536
"""Longest raw text kept of a row set aside. Ours: more than any sane record has."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of one file's rows; ``read`` is the sum of the next four."""

    file: str
    table: str
    read: int
    accepted: int
    duplicate: int
    corrected: int
    rejected: int
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Counts:
    accepted: int
    duplicate: int
    corrected: int


_Join = Callable[[Lake, Batch, pl.DataFrame, datetime, str], _Counts]


def import_accounts(lake: Lake, file: Path, *, now: datetime) -> ImportReport:
    """Take in account details; the rows say how each account stands now.

    An account's first details count from its creation, as far as we know.
    Accounts that are not in the file stay as they are.

    Raises
    ------
    FormatError, SchemaMismatch
        If the file cannot be read or lacks a required column.
    """
    return _import(lake, file, ACCOUNTS_FILE, _join_accounts, now=now)


def import_numbers(lake: Lake, file: Path, *, now: datetime) -> ImportReport:
    """Take in which account held which number when; same errors as accounts."""
    return _import(lake, file, NUMBERS_FILE, _join_numbers, now=now)


def import_events(lake: Lake, file: Path, *, now: datetime) -> ImportReport:
    """Take in sign-ins, payments and the like; an event counts once."""
    return _import(lake, file, EVENTS_FILE, _join_events, now=now)


def import_messages(lake: Lake, file: Path, *, now: datetime) -> ImportReport:
    """Take in texts as counts of templates; the texts themselves are dropped here.

    Whether a link's domain is listed is asked now, since nobody can ask later: take the list
    `link_domains` in before the texts.

    A file counts once. The same text in two files counts twice: what would tell
    is what was dropped.
    """
    return _import(lake, file, MESSAGES_FILE, _join_messages, now=now)


def import_lists(lake: Lake, file: Path, *, now: datetime) -> ImportReport:
    """Take in test numbers, high-risk ranges, networks and link domains, with their dates."""
    return _import(lake, file, LISTS_FILE, _join_lists, now=now)


def _import(
    lake: Lake, file: Path, kind: OperatorFile, join: _Join, *, now: datetime
) -> ImportReport:
    understood = _checked(read_operator_file(file, kind), kind)
    sha256 = _sha256(file)
    with lake.batch("import") as batch, lake.writing():
        counts = join(lake, batch, understood.rows, now, sha256)
        rejected = understood.rejects.height
        ingest_id = f"{batch.batch_id}-00000"
        batch.add(REJECTS, _rejects(understood.rejects, ingest_id, kind.name, shown(file), now))
        report = ImportReport(
            shown(file),
            kind.name,
            understood.rows.height + rejected,
            counts.accepted,
            counts.duplicate,
            counts.corrected,
            rejected,
            understood.ignored,
        )
        if counts.accepted or counts.corrected or rejected:
            batch.add(INGESTS, _ledger_row(report, batch.batch_id, ingest_id, sha256, file, now))
            batch.publish()
    return report


def _checked(understood: Understood, kind: OperatorFile) -> Understood:
    """Set aside what the columns alone cannot tell: repeated accounts, odd numbers and lists."""
    rows = understood.rows
    if kind is ACCOUNTS_FILE:
        later = pl.int_range(pl.len()).reverse().over("account_id") > 0
        reason, bad = "account_repeated_below", later
    elif kind is NUMBERS_FILE:
        reason, bad = "number_not_international", _e164(pl.col("number")).is_null()
    elif kind is LISTS_FILE:
        reason, bad = "list_unknown", ~pl.col("list").is_in(KNOWN_LISTS)
    else:
        return understood
    rows = rows.with_columns(bad.alias("bad"))
    aside = rows.filter("bad").select(
        "line",
        pl.lit([reason]).alias("reasons"),
        pl.concat_str(
            [
                (pl.col(c).list.join(";") if rows.schema[c] == pl.List(pl.String) else pl.col(c))
                .cast(pl.String)
                .fill_null("")
                for c in kind.columns
            ],
            separator=",",
        ).alias("raw"),
    )
    return Understood(
        rows=rows.filter(~pl.col("bad")).drop("bad"),
        rejects=pl.concat([understood.rejects, aside]),
        ignored=understood.ignored,
    )


def _join_accounts(
    lake: Lake, batch: Batch, rows: pl.DataFrame, now: datetime, sha256: str
) -> _Counts:
    details = [c for c in ACCOUNTS_FILE.columns if c != "account_id"]
    held = lake.scan(ACCOUNTS).collect()
    standing = held.filter(pl.col("valid_to").is_null())
    content = joined(
        [
            pl.col(c).list.join(";")
            if ACCOUNTS.polars_schema[c] == pl.List(pl.String)
            else pl.col(c)
            for c in details
        ]
    )
    compared = rows.with_columns(content.alias("content")).join(
        standing.select("account_id", content.alias("held")), on="account_id", how="left"
    )
    new = compared.filter(pl.col("held").is_null())
    changed = compared.filter(pl.col("held") != pl.col("content"))
    if new.height + changed.height:
        closed = held.with_columns(
            pl.when(
                pl.col("valid_to").is_null()
                & pl.col("account_id").is_in(changed["account_id"].implode())
            )
            .then(pl.lit(now).cast(ACCOUNTS.polars_schema["valid_to"]))
            .otherwise(pl.col("valid_to"))
            .alias("valid_to")
        )
        opened = pl.concat(
            [
                new.with_columns(pl.col("created_at").alias("valid_from")),
                changed.with_columns(_instant(now).alias("valid_from")),
            ]
        ).with_columns(
            _instant(None).alias("valid_to"),
            _instant(now).alias("imported_at"),
            pl.lit(None, pl.String).alias("kept_for"),
        )
        columns = ACCOUNTS.polars_schema.names()
        whole = pl.concat([closed.select(columns), opened.select(columns)])
        lake.replace(batch, ACCOUNTS, whole.sort("account_id", "valid_from"))
    return _Counts(new.height, rows.height - new.height - changed.height, changed.height)


def _join_numbers(
    lake: Lake, batch: Batch, rows: pl.DataFrame, now: datetime, sha256: str
) -> _Counts:
    rows = rows.with_columns(_e164(pl.col("number")).alias("number"))
    return _upsert(lake, batch, ACCOUNT_NUMBERS, ("account_id", "number", "valid_from"), rows, now)


def _join_lists(
    lake: Lake, batch: Batch, rows: pl.DataFrame, now: datetime, sha256: str
) -> _Counts:
    return _upsert(lake, batch, LISTS, ("list", "entry", "valid_from"), rows, now)


def _upsert(
    lake: Lake,
    batch: Batch,
    table: Table,
    key: tuple[str, ...],
    rows: pl.DataFrame,
    now: datetime,
) -> _Counts:
    """Replace rows of a small table by key; the last of a key in the file counts."""
    columns = table.polars_schema.names()
    held = lake.scan(table).collect()
    came = rows.with_columns(_instant(now).alias("imported_at")).select(columns)
    newest = came.unique(key, keep="last", maintain_order=True)
    unchanged = newest.join(
        held, on=[c for c in columns if c != "imported_at"], how="semi", nulls_equal=True
    )
    fresh = newest.join(unchanged, on=key, how="anti", nulls_equal=True)
    corrected = fresh.join(held, on=key, how="semi", nulls_equal=True)
    if fresh.height:
        kept = held.join(fresh, on=key, how="anti", nulls_equal=True)
        lake.replace(batch, table, pl.concat([kept, fresh]).sort(key))
    accepted = fresh.height - corrected.height
    return _Counts(accepted, came.height - fresh.height, corrected.height)


def _join_events(
    lake: Lake, batch: Batch, rows: pl.DataFrame, now: datetime, sha256: str
) -> _Counts:
    text = joined([pl.col(c) for c in EVENTS_FILE.columns])
    came = rows.with_columns(key_16(rows, text).alias("event_id")).with_columns(
        pl.col("at").dt.date().alias("event_date"),
        ip_country(pl.col("ip")).alias("ip_country"),
        _instant(now).alias("imported_at"),
        pl.lit(None, pl.String).alias("kept_for"),
    )
    held = lake.scan(ACCOUNT_EVENTS, dates=came["event_date"].unique()).select("event_id").collect()
    fresh = came.unique("event_id", keep="first", maintain_order=True).join(
        held, on="event_id", how="anti"
    )
    batch.add(ACCOUNT_EVENTS, fresh.select(ACCOUNT_EVENTS.polars_schema.names()))
    return _Counts(fresh.height, rows.height - fresh.height, 0)


def _join_messages(
    lake: Lake, batch: Batch, rows: pl.DataFrame, now: datetime, sha256: str
) -> _Counts:
    known = lake.scan(MESSAGE_TEMPLATES).select("import_id").unique().collect()["import_id"]
    if sha256 in known:
        return _Counts(0, rows.height, 0)
    texts = rows.drop("line").unique(maintain_order=True)
    listed = lake.scan(LISTS).filter(pl.col("list") == LINK_DOMAINS).collect()
    counted = (
        texts.with_columns(
            leads_to_listed(texts, listed),
            template_hash(pl.col("text")).alias("template_hash"),
            with_link(pl.col("text")).alias("linked"),
            pl.col("at").dt.date().alias("message_date"),
        )
        .group_by("account_id", "message_date", "template_hash", maintain_order=True)
        .agg(
            pl.len().cast(pl.Int64).alias("text_count"),
            pl.col("counterpart").drop_nulls().n_unique().cast(pl.Int64).alias("counterpart_count"),
            pl.col("linked").sum().cast(pl.Int64).alias("link_count"),
            pl.when(pl.col("listed").is_not_null().any())
            .then(pl.col("listed").sum())
            .cast(pl.Int64)
            .alias("listed_link_count"),
        )
        .with_columns(pl.lit(sha256).alias("import_id"), _instant(now).alias("imported_at"))
    )
    batch.add(MESSAGE_TEMPLATES, counted.select(MESSAGE_TEMPLATES.polars_schema.names()))
    return _Counts(texts.height, rows.height - texts.height, 0)


def _e164(number: pl.Expr) -> pl.Expr:
    """Write an international number, with or without plus and punctuation, as E.164.

    ITU-T E.164 (11/2010) allows 15 digits; fewer than 7 is no international number.
    """
    digits = number.str.replace_all(r"[\s().\-/]", "").str.replace(r"^(\+|00)", "")
    return pl.when(digits.str.contains(r"^[1-9]\d{6,14}$")).then("+" + digits)


def _instant(value: datetime | None) -> pl.Expr:
    return pl.lit(value, dtype=pl.Datetime("us", "UTC"))


def _rejects(
    rejects: pl.DataFrame, ingest_id: str, source: str, file: str, now: datetime
) -> pl.DataFrame:
    return rejects.select(
        pl.lit(ingest_id).alias("ingest_id"),
        pl.lit(source).alias("source"),
        pl.lit(file).alias("file"),
        "line",
        pl.lit(1, pl.Int16()).alias("source_rows"),
        "reasons",
        pl.col("raw").str.slice(0, _RAW_CHARS),
        pl.lit(None, pl.String).alias("source_record_id"),
        pl.lit(None, INSTANT).alias("at"),
        pl.lit(None, INSTANT).alias("explained_at"),
        _instant(now).alias("ingested_at"),
    )


def _ledger_row(
    report: ImportReport, batch_id: str, ingest_id: str, sha256: str, file: Path, now: datetime
) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "ingest_id": ingest_id,
                "batch_id": batch_id,
                "source": report.table,
                "file": report.file,
                "sha256": sha256,
                "bytes": file.stat().st_size,
                "read": report.read,
                "accepted": report.accepted,
                "duplicate": report.duplicate,
                "corrected": report.corrected,
                "rejected": report.rejected,
                "first_started_at": None,
                "last_started_at": None,
                "ingested_at": now,
                "state": "done",
            }
        ],
        schema=INGESTS.polars_schema,
    )


def _sha256(file: Path) -> str:
    try:
        with storage("reading a file"), file.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError:
        raise FormatError(shown(file), "cannot be read") from None
