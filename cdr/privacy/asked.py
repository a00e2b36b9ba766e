"""A statement of SQL as the audit log keeps it: what was asked for, without whom."""

from __future__ import annotations

from collections.abc import Callable

import duckdb

SHORT = 5
"""Digits up to which a number in a statement is a count and nobody's telephone. Ours."""


def without_values(sql: str, pseudonym: Callable[[str], str]) -> str:
    """Replace texts and long numbers by pseudonyms, and leave comments out.

    Examples
    --------
    >>> without_values("SELECT 1 FROM calls WHERE n = '+4930' -- Ada", lambda _: "p")
    "SELECT 1 FROM calls WHERE n = 'p' "
    """
    tokens = duckdb.tokenize(sql)
    if not tokens:
        return ""
    ends = [start for start, _ in tokens[1:]] + [len(sql)]
    said = ""
    for (start, kind), end in zip(tokens, ends, strict=True):
        text = sql[start:end]
        bare = text.rstrip()
        blank = text[len(bare) :]
        if kind == duckdb.token_type.comment:
            said += blank[:1]
        elif kind == duckdb.token_type.string_const:
            said += f"'{pseudonym(bare[1:-1])}'{blank}"
        elif kind == duckdb.token_type.numeric_const and len(bare) > SHORT:
            said += pseudonym(bare) + blank
        else:
            said += text
    return said
