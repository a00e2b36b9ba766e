"""Texts reduced to templates: what stays the same when one text is sent to many.

Numbers, links, addresses and names are masked, so that only the wording counts. Of a link
it is asked whether its domain is listed; then it is dropped. The text itself goes no
further than this module's callers.
"""

from __future__ import annotations

import polars as pl
from polars_hash import CryptographicHashingNameSpace

_LINK = r"(?i)\b(?:https?://|www\.)\S+|\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}/\S*"
_EMAIL = r"[\w.+-]+@[\w-]+\.[\w.]+"
_NAME = r"\b\p{Lu}[\p{Ll}'\x{2019}-]+(?:\s+\p{Lu}[\p{Ll}'\x{2019}-]+)+"
_DIGITS = r"[\d][\d\s.,:/()-]*"
_NOT_WORDS = r"[^\p{L}<>]+"


def template(text: pl.Expr) -> pl.Expr:
    """Mask what varies between two sendings of the same wording.

    Parameters
    ----------
    text : Expr of String

    Returns
    -------
    Expr of String
        Lower case, with `<link>`, `<mail>`, `<name>` (two and more capitalised
        words in a row) and `<n>` (digits), and single blanks between words.

    Examples
    --------
    >>> texts = ["dear Ann Lee, pay 12.50 at http://x.example/a!", "dear Bo Ek, pay 9 at www.y.org"]
    >>> pl.DataFrame({"t": texts}).select(template(pl.col("t")))["t"].unique().to_list()
    ['dear <name> pay <n> at <link>']
    """
    masked = (
        text.str.replace_all(_LINK, " <link> ")
        .str.replace_all(_EMAIL, " <mail> ")
        .str.replace_all(_NAME, " <name> ")
        .str.replace_all(_DIGITS, " <n> ")
        .str.to_lowercase()
        .str.replace_all(_NOT_WORDS, " ")
    )
    return masked.str.strip_chars()


def template_hash(text: pl.Expr) -> pl.Expr:
    """Hash a text's template: 32 hexadecimal digits of SHA-256."""
    return CryptographicHashingNameSpace(template(text)).sha2_256().str.slice(0, 32)


def with_link(text: pl.Expr) -> pl.Expr:
    """Tell whether a text holds a link."""
    return text.str.contains(_LINK)


def link_domains(text: pl.Expr) -> pl.Expr:
    """Return the domains that the links of a text lead to, without `www.`, in lower case.

    Examples
    --------
    >>> texts = pl.DataFrame({"t": ["pay at HTTP://www.X.example:80/a?b or y.example/c", "hello"]})
    >>> texts.select(link_domains(pl.col("t")))["t"].to_list()
    [['x.example', 'y.example'], []]
    """
    host = (
        pl.element()
        .str.to_lowercase()
        .str.replace(r"^https?://", "")
        .str.replace(r"^[^/@]*@", "")
        .str.replace(r"^www\.", "")
        .str.extract(r"^([\p{L}\p{N}.-]+)", 1)
        .str.strip_chars(".")
    )
    return text.str.extract_all(_LINK).list.eval(host)


def leads_to_listed(texts: pl.DataFrame, listed: pl.DataFrame) -> pl.Series:
    """Tell which texts have a link to a domain that was listed when they were sent.

    Parameters
    ----------
    texts : DataFrame
        `text` and `at` (UTC).
    listed : DataFrame
        `entry` (a domain; those below it are meant too), `valid_from` and `valid_to` (UTC;
        null: since ever, still).

    Returns
    -------
    Series of Boolean
        In the order of ``texts``. All null where nothing is listed at all: then nothing is
        known of any domain.
    """
    if listed.is_empty():
        return pl.Series("listed", [None] * texts.height, dtype=pl.Boolean)
    entry = pl.col("entry").str.to_lowercase().str.replace(r"^(https?://)?(www\.)?", "")
    known = listed.select(entry.str.strip_chars("./").alias("domain"), "valid_from", "valid_to")
    linked = (
        texts.select("at", domain=link_domains(pl.col("text")))
        .with_row_index("row")
        .explode("domain")
        .drop_nulls("domain")
    )
    above = pl.col("domain").str.split(".")
    labels = int(linked.select(above.list.len().max()).item() or 0)
    parts = [
        linked.select("row", "at", domain=above.list.tail(count).list.join("."))
        for count in range(2, labels + 1)
    ]
    found: set[int] = set()
    for part in parts:
        hits = part.join(known, on="domain").filter(
            (pl.col("valid_from").is_null() | (pl.col("valid_from") <= pl.col("at")))
            & (pl.col("valid_to").is_null() | (pl.col("at") < pl.col("valid_to")))
        )
        found.update(hits["row"].to_list())
    rows = pl.Series("row", range(texts.height), dtype=pl.UInt32)
    return rows.is_in(list(found)).alias("listed")
