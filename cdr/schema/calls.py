"""The tables of call records: the calls, their earlier versions, what was set aside, the files."""

from __future__ import annotations

import polars as pl

from cdr.schema.fields import (
    DIRECT,
    FOR_RIGHTS,
    FRAUD,
    INDIRECT,
    INSTANT,
    KEPT_FOR,
    KEY,
    NOBODY,
    NONE,
    OF_CALLS,
    TEXTS,
    Field,
    Kept,
    Purpose,
    Table,
)


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
        Field(
            "source_record_id",
            pl.String(),
            "text",
            "The source's own id, where the record could be split that far.",
            True,
            INDIRECT,
            NOBODY,
            names_host=True,
        ),
        Field(
            "at",
            INSTANT,
            "UTC",
            "What would have been `started_at`, where it could be read.",
            True,
            INDIRECT,
            NOBODY,
        ),
        Field("ingested_at", INSTANT, "UTC", "When it was set aside."),
        Field(
            "explained_at",
            INSTANT,
            "UTC",
            "When another file brought the call whose end it tells; null where none has.",
            True,
        ),
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
        Field(
            "duplicate",
            pl.Int64(),
            "rows",
            "Rows whose call was there already, the same, or with the end that they lack.",
        ),
        Field("corrected", pl.Int64(), "rows", "Rows whose call was there with other content."),
        Field("rejected", pl.Int64(), "rows", "Rows set aside."),
        Field("first_started_at", INSTANT, "UTC", "Earliest call; null without calls.", True),
        Field("last_started_at", INSTANT, "UTC", "Latest call; null without calls.", True),
        Field("ingested_at", INSTANT, "UTC", "When the batch was taken in."),
        Field(
            "state",
            pl.String(),
            "code",
            "`done`; `renumbered` for calls of a day read again with newer numbering metadata; "
            "`reassigned` for calls of a day whose account was found later; `ended_later` for "
            "calls whose end came in another file.",
        ),
    ),
    statistics=("ingested_at",),
    kept=tuple(map(Kept, Purpose)),
)
