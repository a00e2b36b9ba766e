"""Where the features' SQL lies and how its parts become one statement.

Here: reading ``sql/*.sql`` and joining relations under one ``WITH``. Not here:
what is selected from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files

PRIVATE_ADDRESS = (
    "^(10[.]|127[.]|0[.]|169[.]254[.]|192[.]168[.]|172[.](1[6-9]|2[0-9]|3[01])[.]"
    "|100[.](6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])[.]|::1$|f[cd]|fe80)"
)
"""RFC 1918, RFC 6598 (carrier NAT), RFC 4193, loopback and link-local: shared by strangers."""


MASS_ACCOUNTS = 10
"""Accounts that a number rings briefly within a week, from which it rings many. Ours: a person who
lets it ring once does not know ten customers of one operator."""


@cache
def text_of(name: str) -> str:
    """Return the text of ``sql/<name>.sql``, with the constants of this module."""
    text = files("fraud.features").joinpath(f"sql/{name}.sql").read_text("utf-8").strip()
    text = text.replace("<MASS_ACCOUNTS>", str(MASS_ACCOUNTS))
    return text.replace("<PRIVATE_ADDRESS>", PRIVATE_ADDRESS)


def relation(name: str) -> str:
    """Return ``sql/<name>.sql`` as a named relation of a ``WITH``."""
    return f"{name} AS (\n{text_of(name)}\n)"


def rows_as(name: str, columns: Sequence[str], values: Iterable[Sequence[str | int]]) -> str:
    """Return constants of ours as a named relation of a ``WITH``."""
    lines = ",\n    ".join(f"({', '.join(map(_literal, row))})" for row in values)
    listed = ", ".join(columns)
    return f"{name} AS (\nSELECT * FROM (VALUES\n    {lines}\n) AS constants({listed})\n)"


def statement(parts: Iterable[str], body: str) -> str:
    """Join relations and the statement that reads them."""
    listed = ",\n".join(parts)
    return f"WITH {listed}\n{body}" if listed else body


def _literal(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    return "'" + value.replace("'", "''") + "'"
