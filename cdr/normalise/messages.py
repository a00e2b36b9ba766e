"""Texts reduced to templates: what stays the same when one text is sent to many.

Numbers, links, addresses and names are masked, so that only the wording counts.
The text itself goes no further than this module's callers.
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
