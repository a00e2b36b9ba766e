"""Where the features' SQL lies and how its parts become one statement.

Here: reading ``sql/*.sql`` and joining relations under one ``WITH``. Not here:
what is selected from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files


@cache
def text_of(name: str) -> str:
    """Return the text of ``sql/<name>.sql``."""
    return files("fraud.features").joinpath(f"sql/{name}.sql").read_text("utf-8").strip()


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
    return "WITH " + ",\n".join(parts) + "\n" + body


def _literal(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    return "'" + value.replace("'", "''") + "'"
