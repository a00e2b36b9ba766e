"""Every column of every table, once.

Delta schemas, Parquet types, purpose views, documentation and tests are derived
from what stands here. A column means the same wherever it occurs. Tables that
only one later package writes are here too: retention and rights must see all.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from cdr.errors import SchemaMismatch


class Personal(StrEnum):
    """How closely a value points to a person; drives masking and erasure."""

    NONE = "none"
    INDIRECT = "indirect"  # a time, a country: identifies together with other data
    DIRECT = "direct"  # a number, an address, a name: identifies alone


class Purpose(StrEnum):
    """Why a column is kept and who may see it; on which ground stands in `privacy.purposes`."""

    BILLING = "billing"
    FRAUD = "fraud"
    SECURITY = "security"  # of the network and of this system
    RIGHTS = "rights"  # to answer the people in the data


@dataclass(frozen=True, slots=True)
class Kept:
    """How long one purpose keeps a table's rows.

    Parameters
    ----------
    purpose : Purpose
        Which.
    periods : tuple of str
        Names of settings under `[retention]`; the latest that applies to a row counts. Empty:
        as long as another purpose keeps it, or it is about nobody.
    """

    purpose: Purpose
    periods: tuple[str, ...] = ()


class Outcome(StrEnum):
    """How an attempt to call ended."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELLED = "cancelled"


EVERY = frozenset({Purpose.BILLING, Purpose.FRAUD, Purpose.SECURITY})
BOTH = frozenset({Purpose.BILLING, Purpose.FRAUD})
BILLING = frozenset({Purpose.BILLING})
FRAUD = frozenset({Purpose.FRAUD})
NETWORK = frozenset({Purpose.FRAUD, Purpose.SECURITY})
NOBODY: frozenset[Purpose] = frozenset()
"""Only whoever answers a person sees it."""

PSEUDONYMOUS = frozenset(Purpose) - BILLING
"""Purposes whose sessions show pseudonyms: patterns are found without knowing who it is. A bill
lists the numbers that were called."""

FOR_RIGHTS = Kept(Purpose.RIGHTS)
OF_CALLS = (
    Kept(Purpose.BILLING, ("billed_days", "unbilled_days")),
    Kept(Purpose.FRAUD, ("call_days", "attempt_days")),
    FOR_RIGHTS,
)

INSTANT = pl.Datetime("us", "UTC")
KEY = pl.Binary()
TEXTS = pl.List(pl.String)
MONEY = pl.Decimal(18, 6)

NONE, INDIRECT, DIRECT = Personal.NONE, Personal.INDIRECT, Personal.DIRECT


@dataclass(frozen=True, slots=True)
class Field:
    """One column. ``unit`` is never empty: text columns say ``"text"``."""

    name: str
    dtype: pl.DataType
    unit: str
    meaning: str
    nullable: bool = False
    personal: Personal = Personal.NONE
    purposes: frozenset[Purpose] = EVERY
    """Of the table's purposes, who sees it; the purpose of rights sees all."""
    names_host: bool = False
    """A host may stand in it behind an `@`, as in the Call-ID of SIP (RFC 3261, 8.1.1.4)."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table; ``grain`` completes the sentence "one row per ..."."""

    name: str
    grain: str
    fields: tuple[Field, ...]
    partition_by: tuple[str, ...] = ()
    statistics: tuple[str, ...] = ()
    """Columns whose smallest and largest value may stand in the log: never personal ones."""
    kept: tuple[Kept, ...] = ()
    """Its purposes, each with its periods; columns of their own stand in the rules of retention."""
    derived: bool = False
    """It can be made again from other tables, and its columns come and go with a registry."""

    @property
    def polars_schema(self) -> pl.Schema:
        """Name and type of each column, in order."""
        return pl.Schema({f.name: f.dtype for f in self.fields})

    def columns_of(self, purpose: Purpose) -> tuple[str, ...]:
        """Names of the columns that ``purpose`` may see, in order."""
        if not any(kept.purpose is purpose for kept in self.kept):
            return ()
        return tuple(
            f.name for f in self.fields if purpose is Purpose.RIGHTS or purpose in f.purposes
        )

    @property
    def shielded(self) -> frozenset[str]:
        """Names of the columns that identify a person alone."""
        return frozenset(f.name for f in self.fields if f.personal is DIRECT)

    @property
    def hosts(self) -> frozenset[str]:
        """Names of the columns in which a host may stand."""
        return frozenset(f.name for f in self.fields if f.names_host)

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return ``frame`` with exactly this table's columns, in order and type.

        Raises
        ------
        SchemaMismatch
            If a column is missing or not known to the schema.
        """
        want, have = set(self.polars_schema), set(frame.columns)
        if want != have:
            raise SchemaMismatch(self.name, missing=want - have, extra=have - want)
        return frame.select(pl.col(name).cast(dtype) for name, dtype in self.polars_schema.items())

    def empty(self) -> pl.DataFrame:
        """Return no rows with this table's columns."""
        return pl.DataFrame(schema=self.polars_schema)


def _party(side: str, who: str) -> tuple[Field, ...]:
    """Return the columns that describe one end of a call."""
    return (
        Field(
            f"{side}_raw",
            pl.String(),
            "text",
            f"The {who} as the switch wrote it.",
            True,
            DIRECT,
        ),
        Field(
            f"{side}_number",
            pl.String(),
            "E.164",
            f"The {who}'s number; null where it is not one.",
            True,
            DIRECT,
        ),
        Field(
            f"{side}_party",
            pl.String(),
            "text",
            f"SIP user, URI or name of the {who} where it is not a number.",
            True,
            DIRECT,
        ),
        Field(
            f"{side}_ip",
            pl.String(),
            "IP address",
            f"Address of the {who}; v4, or v6 in short form.",
            True,
            DIRECT,
            FRAUD,
        ),
        Field(
            f"{side}_ip_kind",
            pl.String(),
            "code",
            f"Kind of the {who}'s address: public, private, carrier_nat and so on; see `IpKind`.",
            True,
            NONE,
            FRAUD,
        ),
        Field(
            f"{side}_ip_country",
            pl.String(),
            "ISO 3166-1 alpha-2",
            f"Country the {who}'s address was given to by a registry; null unless public.",
            True,
            INDIRECT,
            FRAUD,
        ),
        Field(
            f"{side}_country",
            pl.String(),
            "ISO 3166-1 alpha-2",
            f"Country or region of the {who}'s number; `001` for worldwide ranges.",
            True,
            INDIRECT,
        ),
        Field(
            f"{side}_number_type",
            pl.String(),
            "code",
            f"Kind of the {who}'s number: mobile, fixed, premium, satellite and so on.",
            True,
            INDIRECT,
        ),
    )


FOR_A_HOLD = "hold"
"""In `kept_for`: only a legal hold keeps the row of a person who was erased."""

KEPT_FOR = Field(
    "kept_for",
    pl.String(),
    "code",
    "Null: every purpose of its columns. `billing`: the fraud purpose is over or the person was "
    "erased, and only billing, and who answers for the person's rights, sees the row; `hold`: only "
    "a legal hold keeps it, and not even billing sees it.",
    True,
    NONE,
    frozenset(Purpose),
)
"""In tables with rows that one purpose keeps longer than others."""

CALLS = Table(
    "calls",
    "leg of a call",
    (
        Field(
            "record_id",
            KEY,
            "16 bytes",
            "Key of source, source_record_id, leg and started_at; see `cdr.keys.leg_16`.",
        ),
        Field("source", pl.String(), "text", "Name of the source in the settings."),
        Field(
            "source_record_id",
            pl.String(),
            "text",
            "The source's own id; the hash of the content where it gave none.",
            False,
            INDIRECT,
            names_host=True,
        ),
        Field(
            "call_id",
            pl.String(),
            "text",
            "Joins the legs and attempts of a call.",
            True,
            INDIRECT,
            names_host=True,
        ),
        Field("leg", pl.Int16(), "ordinal", "Which leg of the call, from 0."),
        Field(
            "account_id", pl.String(), "text", "Account of ours; null when unknown.", True, INDIRECT
        ),
        Field("direction", pl.String(), "code", "`outbound`, `inbound` or `internal`."),
        Field("media", pl.String(), "code", "`voice` or `video`."),
        *_party("caller", "calling party"),
        *_party("callee", "called party"),
        Field(
            "forwarded_to",
            pl.String(),
            "E.164 or text",
            "Where the call was sent on to.",
            True,
            DIRECT,
        ),
        Field("started_at", INSTANT, "UTC", "When the call was attempted.", False, INDIRECT),
        Field("answered_at", INSTANT, "UTC", "When it was answered.", True, INDIRECT),
        Field("ended_at", INSTANT, "UTC", "When it was released.", True, INDIRECT),
        Field("ring_ms", pl.Int64(), "ms", "Attempt to answer, or to release.", True, NONE, FRAUD),
        Field("duration_ms", pl.Int64(), "ms", "Answer to release; null when not answered.", True),
        Field("outcome", pl.String(), "code", "How the attempt ended; see `Outcome`."),
        Field("cause_code", pl.String(), "text", "Release cause as the switch wrote it.", True),
        Field("utc_offset_s", pl.Int32(), "s", "Local time less UTC at the switch then.", True),
        Field("flags", TEXTS, "codes", "What is doubtful: `suspect_duration`, ...; may be empty."),
        Field("source_rows", pl.Int16(), "rows", "Rows of the file this leg was made from."),
        Field(
            "content_hash",
            pl.Int64(),
            "hash",
            "Of the record as read; tells a duplicate from a correction.",
        ),
        Field("ingested_at", INSTANT, "UTC", "When the batch was taken in."),
        Field("ingest_id", pl.String(), "text", "The row of `ingests` it came with."),
        Field("numbering_version", pl.String(), "text", "Numbering metadata that read it."),
        KEPT_FOR,
        Field("call_date", pl.Date(), "UTC day", "Day of `started_at`; the partition.", False),
    ),
    partition_by=("call_date",),
    statistics=("started_at", "ingested_at"),
    kept=OF_CALLS,
)

CALL_HISTORY = Table(
    "call_history",
    "earlier version of a leg that was corrected",
    (
        *CALLS.fields,
        Field("superseded_at", INSTANT, "UTC", "When the correction was taken in."),
        Field("superseded_by", pl.String(), "text", "`ingest_id` of the correction."),
    ),
    partition_by=("call_date",),
    statistics=("started_at", "superseded_at"),
    kept=OF_CALLS,
)

REJECTS = Table(
    "rejects",
    "record that could not be understood",
    (
        Field("ingest_id", pl.String(), "text", "The row of `ingests` it came with."),
        Field("source", pl.String(), "text", "Name of the source in the settings."),
        Field("file", pl.String(), "text", "Name of the file."),
        Field("line", pl.Int64(), "ordinal", "First line of the record in the file, from 1."),
        Field("source_rows", pl.Int16(), "rows", "Rows of the file it consists of."),
        Field("reasons", TEXTS, "codes", "Every reason, never empty."),
        Field("raw", pl.String(), "text", "The record as it stood there.", False, DIRECT, NOBODY),
        Field("ingested_at", INSTANT, "UTC", "When it was set aside."),
    ),
    statistics=("ingested_at",),
    kept=(
        Kept(Purpose.BILLING, ("reject_days",)),
        Kept(Purpose.FRAUD, ("reject_days",)),
        Kept(Purpose.SECURITY, ("reject_days",)),
        FOR_RIGHTS,
    ),
)

INGESTS = Table(
    "ingests",
    "file taken in",
    (
        Field("ingest_id", pl.String(), "text", "Key; made from the batch and the file."),
        Field("batch_id", pl.String(), "text", "The commit it came with."),
        Field("source", pl.String(), "text", "Name of the source in the settings."),
        Field("file", pl.String(), "text", "Name of the file."),
        Field("sha256", pl.String(), "hex", "Of the file's bytes as they lay there."),
        Field("bytes", pl.Int64(), "bytes", "Size of the file as it lay there."),
        Field("read", pl.Int64(), "rows", "Rows read; the sum of the next four."),
        Field("accepted", pl.Int64(), "rows", "Rows whose call is new."),
        Field("duplicate", pl.Int64(), "rows", "Rows whose call was there already, the same."),
        Field("corrected", pl.Int64(), "rows", "Rows whose call was there with other content."),
        Field("rejected", pl.Int64(), "rows", "Rows set aside."),
        Field("first_started_at", INSTANT, "UTC", "Earliest call; null without calls.", True),
        Field("last_started_at", INSTANT, "UTC", "Latest call; null without calls.", True),
        Field("ingested_at", INSTANT, "UTC", "When the batch was taken in."),
        Field(
            "state",
            pl.String(),
            "code",
            "`done`; `renumbered` for calls of a day read again with newer numbering metadata.",
        ),
    ),
    statistics=("ingested_at",),
    kept=tuple(map(Kept, Purpose)),
)

_ACCOUNT_ID = Field("account_id", pl.String(), "text", "The account.", False, INDIRECT)

ACCOUNTS = Table(
    "accounts",
    "account and period in which its details stood like this",
    (
        _ACCOUNT_ID,
        Field("created_at", INSTANT, "UTC", "When the account was opened.", False, INDIRECT),
        Field("name", pl.String(), "text", "Name of the customer.", True, DIRECT),
        Field("email", pl.String(), "text", "E-mail address.", True, DIRECT),
        Field("phone", pl.String(), "text", "Telephone number given at sign-up.", True, DIRECT),
        Field("address", pl.String(), "text", "Postal address.", True, DIRECT),
        Field("country", pl.String(), "ISO 3166-1 alpha-2", "Country of the customer.", True),
        Field("id_document", pl.String(), "text", "Identity document.", True, DIRECT, FRAUD),
        Field("social", TEXTS, "text", "Social-media accounts.", False, DIRECT, FRAUD),
        Field(
            "payment_fingerprint",
            TEXTS,
            "text",
            "Fingerprints of means of payment.",
            False,
            DIRECT,
            FRAUD,
        ),
        Field("devices", TEXTS, "text", "Devices seen.", False, DIRECT, FRAUD),
        Field("signup_ip", pl.String(), "IP address", "Address at sign-up.", True, DIRECT, FRAUD),
        Field("forward_to", TEXTS, "text", "Numbers calls are sent on to.", False, DIRECT, FRAUD),
        Field("plan", pl.String(), "text", "Tariff or product.", True),
        Field("status", pl.String(), "code", "`active`, `suspended`, `blocked` or `closed`."),
        Field("status_since", INSTANT, "UTC", "When the status began.", True),
        Field("status_reason", pl.String(), "code", "`fraud`, `misuse`, `payment`, ...", True),
        Field("valid_from", INSTANT, "UTC", "From when on these details stood."),
        Field("valid_to", INSTANT, "UTC", "Until when; null while they stand.", True),
        Field("imported_at", INSTANT, "UTC", "When we were told."),
        KEPT_FOR,
    ),
    statistics=("valid_from", "imported_at"),
    kept=(
        Kept(Purpose.BILLING, ("closed_account_days",)),
        Kept(Purpose.FRAUD, ("closed_account_days",)),
        FOR_RIGHTS,
    ),
)

ACCOUNT_NUMBERS = Table(
    "account_numbers",
    "number held by an account in a period",
    (
        _ACCOUNT_ID,
        Field("number", pl.String(), "E.164", "The number.", False, DIRECT),
        Field("valid_from", INSTANT, "UTC", "From when on; null since ever.", True),
        Field("valid_to", INSTANT, "UTC", "Until when (excluded); null while held.", True),
        Field("imported_at", INSTANT, "UTC", "When we were told."),
    ),
    statistics=("imported_at",),
    kept=(
        Kept(Purpose.BILLING, ("closed_account_days",)),
        Kept(Purpose.FRAUD, ("closed_account_days",)),
        FOR_RIGHTS,
    ),
)

ACCOUNT_EVENTS = Table(
    "account_events",
    "event of an account: sign-in, payment, portal or app event, status change",
    (
        Field("event_id", KEY, "16 bytes", "Key: hash of the whole event (XXH3-128)."),
        _ACCOUNT_ID,
        Field("at", INSTANT, "UTC", "When it happened.", False, INDIRECT),
        Field("kind", pl.String(), "code", "`sign_up`, `sign_in`, `payment`, ..."),
        Field("ip", pl.String(), "IP address", "Address it came from.", True, DIRECT, NETWORK),
        Field(
            "ip_country",
            pl.String(),
            "ISO 3166-1 alpha-2",
            "Country the address was given to.",
            True,
            INDIRECT,
            NETWORK,
        ),
        Field("device", pl.String(), "text", "Device it came from.", True, DIRECT, NETWORK),
        Field("payment_fingerprint", pl.String(), "text", "Means of payment.", True, DIRECT, FRAUD),
        Field("amount", MONEY, "currency", "Amount of a payment.", True, NONE, BOTH),
        Field("currency", pl.String(), "ISO 4217", "Currency of `amount`.", True, NONE, BOTH),
        Field("counterpart", pl.String(), "text", "The other side.", True, DIRECT, FRAUD),
        Field("detail", pl.String(), "text", "Whatever else was sent.", True, DIRECT, FRAUD),
        Field("imported_at", INSTANT, "UTC", "When we were told."),
        KEPT_FOR,
        Field("event_date", pl.Date(), "UTC day", "Day of `at`; the partition."),
    ),
    partition_by=("event_date",),
    statistics=("at", "imported_at"),
    kept=(
        Kept(Purpose.BILLING, ("bookkeeping_days",)),
        Kept(Purpose.FRAUD, ("event_days",)),
        Kept(Purpose.SECURITY, ("event_days",)),
        FOR_RIGHTS,
    ),
)

MESSAGE_TEMPLATES = Table(
    "message_templates",
    "account, day and template of the texts it sent",
    (
        _ACCOUNT_ID,
        Field("message_date", pl.Date(), "UTC day", "Day of the texts."),
        Field(
            "template_hash",
            pl.String(),
            "hex",
            "Of the text with numbers, links and names masked.",
            False,
            INDIRECT,
            FRAUD,
        ),
        Field("text_count", pl.Int64(), "texts", "How many texts.", False, NONE, FRAUD),
        Field("counterpart_count", pl.Int64(), "numbers", "How many numbers.", False, NONE, FRAUD),
        Field("link_count", pl.Int64(), "texts", "Texts with a link.", False, NONE, FRAUD),
        Field(
            "listed_link_count",
            pl.Int64(),
            "texts",
            "Reputation of linked domains: texts with a link to one that was in the list "
            "`link_domains` when they came in; null where nothing was listed.",
            True,
            NONE,
            FRAUD,
        ),
        Field("import_id", pl.String(), "hex", "SHA-256 of the file it came in."),
        Field("imported_at", INSTANT, "UTC", "When we were told."),
    ),
    statistics=("message_date", "imported_at"),
    kept=(Kept(Purpose.FRAUD, ("message_days",)), FOR_RIGHTS),
)

LISTS = Table(
    "lists",
    "entry of a list of numbers, ranges, networks or domains",
    (
        Field(
            "list",
            pl.String(),
            "code",
            "`test_numbers`, `high_risk_ranges`, `networks` or `link_domains`.",
        ),
        Field("entry", pl.String(), "E.164, prefix, CIDR or domain", "What is listed."),
        Field("detail", pl.String(), "text", "Who listed it, or why.", True),
        Field("valid_from", INSTANT, "UTC", "From when on; null since ever.", True),
        Field("valid_to", INSTANT, "UTC", "Until when (excluded); null while listed.", True),
        Field("imported_at", INSTANT, "UTC", "When we were told."),
    ),
    kept=(Kept(Purpose.FRAUD, ("list_days",)), FOR_RIGHTS),
)

SCORES = Table(
    "scores",
    "account and midnight",
    (
        Field("as_of_date", pl.Date(), "UTC day", "The midnight that begins this day."),
        Field("run_id", pl.String(), "text", "The run that made it."),
        Field("account_id", pl.String(), "text", "The account.", False, INDIRECT, FRAUD),
        Field("score", pl.Float64(), "0..1", "See `method`.", True, INDIRECT, FRAUD),
        Field("band", pl.String(), "code", "`high`, `medium`, `low` or `unknown`.", False),
        Field("rank", pl.Int64(), "ordinal", "From 1, the most urgent.", True, NONE, FRAUD),
        Field("method", pl.String(), "code", "`similarity` or `behaviour`.", False, NONE, FRAUD),
        Field(
            "reasons",
            pl.String(),
            "JSON",
            "Signals with value, text and share.",
            True,
            INDIRECT,
            FRAUD,
        ),
        Field("neighbours", pl.String(), "JSON", "Similar accounts.", True, INDIRECT, FRAUD),
        Field(
            "described_as",
            pl.String(),
            "code",
            "Why it has reasons: `candidate`, `sample` (drawn at random below the threshold) or "
            "`rescored` (its open case leaned on an account that is no longer compared with).",
            True,
            NONE,
            FRAUD,
        ),
        Field("model_id", pl.String(), "hex", "The model; null without one.", True, NONE, FRAUD),
        Field("feature_set", pl.String(), "hex", "Hash of the registry.", False, NONE, FRAUD),
        Field(
            "data_version",
            pl.String(),
            "text",
            "Table versions it was made from.",
            False,
            NONE,
            FRAUD,
        ),
        Field("numbering_version", pl.String(), "text", "Numbering metadata.", False, NONE, FRAUD),
        Field("scored_at", INSTANT, "UTC", "When it was made.", False, NONE, FRAUD),
    ),
    partition_by=("as_of_date",),
    kept=(Kept(Purpose.FRAUD, ("score_days",)), FOR_RIGHTS),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        CALLS,
        CALL_HISTORY,
        REJECTS,
        INGESTS,
        ACCOUNTS,
        ACCOUNT_NUMBERS,
        ACCOUNT_EVENTS,
        MESSAGE_TEMPLATES,
        LISTS,
        SCORES,
    )
}


def register(*tables: Table) -> None:
    """Make tables that a later package writes known to sessions, retention and rights.

    Safe to repeat. `fraud` calls it when it is imported.
    """
    for table in tables:
        TABLES[table.name] = table
