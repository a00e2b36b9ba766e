"""The tables of what the operator tells of its accounts, and of lists."""

from __future__ import annotations

import polars as pl

from cdr.schema.fields import (
    BOTH,
    DIRECT,
    FOR_RIGHTS,
    FRAUD,
    INDIRECT,
    INSTANT,
    KEPT_FOR,
    KEY,
    MONEY,
    NETWORK,
    NONE,
    TEXTS,
    Field,
    Kept,
    Purpose,
    Table,
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
