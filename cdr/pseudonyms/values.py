"""From a text that points to a person to its pseudonym: the same text, the same pseudonym.

HMAC-SHA-256, cut to 80 bits: with a hundred million people the chance that any two share a
token is 1 in 240 million. A plain hash would not do, as there are few enough numbers to try
them all; nor would a keyed hash made for hash tables (SipHash), whose 64 bits are too few.
Without the key a pseudonym says what is readable in it and which rows are of the same person.
"""

from __future__ import annotations

import phonenumbers
import polars as pl
from polars_hash import CryptographicHashingNameSpace

from cdr.pseudonyms.keys import Key

TOKEN_DIGITS = 20
"""Hexadecimal digits of a token, 80 bits."""

READABLE_DIGITS = 3
"""Digits after the calling code that stay readable. Ours: areas have one to five digits, and
three name the range of a high-cost destination."""

HIDDEN_DIGITS = 5
"""Digits of a number that are hidden at least. Ours: what stays readable then stands for
100,000 numbers or more, also where numbers are short."""

_CODES = "|".join(str(code) for code in sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
_READABLE = (
    rf"^(\+(?:{_CODES})\d{{0,{READABLE_DIGITS}}})\d{{{HIDDEN_DIGITS},}}$",  # E.164
    r"^(\d{1,3}\.\d{1,3}\.)\d{1,3}\.\d{1,3}$",  # IPv4: the /16
    r"^([0-9a-fA-F]{1,4}:[0-9a-fA-F]{1,4}:)[0-9a-fA-F:.]*$",  # IPv6: the /32
    r"^((?i:sips?|tel|urn):)",  # kind of address
)
_WRITTEN_NUMBER = r"^\+[\d\s().\-/]+$"
_PUNCTUATION = r"[\s().\-/]"


def pseudonyms(texts: pl.Series, key: Key) -> pl.Series:
    """Replace each text by its pseudonym; null and empty stay what they are.

    Parameters
    ----------
    texts : Series of String
        Numbers, SIP addresses, IP addresses, names. A number after ``+`` is the same number
        however it is spaced. Best without repetitions: the cost is that of each text.
    key : Key
        The same text has another pseudonym under another key.

    Returns
    -------
    Series of String
        ``+49301~<key>-<token>``: country and beginning of a number, the network of an IP
        address or the kind of an address (``sip:``), then the key's fingerprint and the token.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> key = Key(datetime(2026, 1, 1, tzinfo=UTC), "00" * 32)
    >>> shown = pseudonyms(pl.Series(["+493012345678", "+49 30 12345678", "192.0.2.7"]), key)
    >>> shown.str.split("~").list.first().to_list(), shown[0] == shown[1]
    (['+49301', '+49301', '192.0.'], True)
    """
    text = (
        pl.when(pl.col("text").str.contains(_WRITTEN_NUMBER))
        .then(pl.col("text").str.replace_all(_PUNCTUATION, ""))
        .otherwise("text")
        .alias("text")
    )
    readable = pl.coalesce(*(pl.col("text").str.extract(form) for form in _READABLE), pl.lit(""))
    token = CryptographicHashingNameSpace(pl.col("text")).hmac_sha256(key=key.secret)
    said = pl.concat_str(readable, pl.lit(f"~{key.fingerprint}-"), token.str.slice(0, TOKEN_DIGITS))
    nothing = pl.col("text").is_null() | (pl.col("text") == "")
    frame = texts.alias("text").to_frame()
    return frame.select(text).select(
        pl.when(nothing).then("text").otherwise(said).alias(texts.name)
    )[texts.name]


def hosts_hidden(texts: pl.Series, key: Key) -> pl.Series:
    """Replace the host behind an `@` by its pseudonym; the rest of an identifier stays.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> key = Key(datetime(2026, 1, 1, tzinfo=UTC), "00" * 32)
    >>> hosts_hidden(pl.Series(["a84b@192.0.2.7;tag=1", "1234.5"]), key).str.head(12).to_list()
    ['a84b@192.0.~', '1234.5']
    """
    parts = texts.str.extract_groups(r"^([^@]*@)([^@;>\s]+)(.*)$").struct.rename_fields(
        ["before", "host", "after"]
    )
    frame = parts.struct.unnest().with_columns(text=texts)
    hosts = frame["host"].unique().drop_nulls()
    shown = pl.DataFrame({"host": hosts, "shown": pseudonyms(hosts, key)})
    joined = frame.join(shown, on="host", how="left", maintain_order="left")
    hidden = pl.concat_str("before", "shown", "after")
    return joined.select(pl.coalesce(hidden, "text").alias(texts.name))[texts.name]
