"""The order of a period's end: the extract first, then what customers are sent.

Statements come from the same bill, so they are written only once the extract stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cdr import Lake, access
from cdr.billing.extract import Extract, extract
from cdr.billing.files import Format
from cdr.billing.periods import Period
from cdr.billing.statements import Statements, write_statements
from cdr.privacy import audit

STATEMENTS = "statements"


@dataclass(frozen=True, slots=True)
class PeriodEnd:
    """What was written; ``statements`` is None where none were asked for."""

    extract: Extract
    statements: Statements | None

    @property
    def paths(self) -> list[Path]:
        """All files."""
        return [*self.extract.paths, *(self.statements.paths if self.statements else ())]


def write_period(
    lake: Lake,
    period: Period,
    out: Path,
    *,
    form: Format,
    accounts: Sequence[str],
    with_statements: bool,
    now: datetime,
) -> PeriodEnd:
    """Write the extract of a period and, in a folder of it, the statements.

    Raises
    ------
    CdrError
        As :func:`cdr.billing.extract.extract` does.
    """
    audit.note(
        lake.home, "billing.extract", by=access.person(), at=now,
        after={"period": str(period), "accounts": len(accounts) or "all", "format": form.value},
    )  # fmt: skip
    done = extract(lake, period, out, form=form, accounts=accounts, now=now)
    if not with_statements:
        return PeriodEnd(done, None)
    return PeriodEnd(
        done, write_statements(lake, period, out / STATEMENTS, accounts=accounts, now=now)
    )
