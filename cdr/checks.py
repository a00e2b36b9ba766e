"""What looks wrong with a day of calls: one named check a file of ``cdr/sql/checks``.

A check returns no row when all is well, and otherwise one row per subject with what
was measured and what was expected. Its first line says it in words. To add a check is
to add a file. What to do about a finding is a person's business.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib.resources import files

from cdr.query import Connection, Query, run

_FOLDER = files("cdr").joinpath("sql/checks")
_SAYS = "-- Says:"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that looks wrong: which check, of which source, in words."""

    check: str
    subject: str
    measured: float
    expected: float
    text: str


def check_names() -> list[str]:
    """List the checks, by name."""
    return sorted(
        file.name.removesuffix(".sql") for file in _FOLDER.iterdir() if file.name.endswith(".sql")
    )


def findings_of(con: Connection, day: date) -> tuple[Finding, ...]:
    """Run every check on a day.

    Parameters
    ----------
    con : Connection
        A session that sees `calls`.
    day : date
        UTC day.
    """
    return tuple(found for name in check_names() for found in _run_check(con, name, day))


def _run_check(con: Connection, name: str, day: date) -> Iterator[Finding]:
    sql = _FOLDER.joinpath(f"{name}.sql").read_text("utf-8")
    says = sql.splitlines()[0].removeprefix(_SAYS).strip()
    for row in run(con, Query(f"check {name}", sql, {"day": day})).iter_rows(named=True):
        text = says.format(day=day.isoformat(), **row)
        yield Finding(name, row["subject"], row["measured"], row["expected"], text)
