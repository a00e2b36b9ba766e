"""A small operator: one switch, three accounts, three days; every row can be checked by eye."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

SETTINGS = """\
[retention]  # the three days never change: whenever a test runs, nothing of them is too old
attempt_days = 36500
call_days = 36500
unbilled_days = 36500
inactive_account_days = 36500
report_days = 36500
feature_days = 36500
score_days = 36500

[sources.pbx]
format = "plain_csv"
zone = "Europe/Berlin"
country = "DE"
"""
CALLS_HEADER = "record_id,account_id,caller,callee,started_at,duration_s,outcome\n"
ACCOUNTS = """\
account_id,created_at,status,status_since,status_reason,country
a1,2026-01-01T00:00:00Z,active,,,DE
a2,2026-08-30T00:00:00Z,active,,,DE
a3,2026-01-01T00:00:00Z,closed,2026-08-01T00:00:00Z,payment,DE
"""


@dataclass(frozen=True)
class Operator:
    """Where the small operator's files lie, and the words that point the command there."""

    home: Path
    config: Path

    @property
    def words(self) -> tuple[str, ...]:
        return ("--home", str(self.home), "--config", str(self.config))

    @property
    def inbox(self) -> Path:
        return self.home / "inbox"

    def leave(self, day: int, *rows: str) -> Path:
        file = self.inbox / "pbx" / f"2026-09-{day:02d}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(CALLS_HEADER + "".join(f"{row}\n" for row in rows))
        return file

    @staticmethod
    def call(number: int, account: str, day: int, minute: int, duration_s: int | str = 60) -> str:
        """One row of the switch: noon of a September day, in Berlin."""
        outcome = "answered" if duration_s else "busy"
        at = f"2026-09-{day:02d} 12:{minute:02d}:00"
        return (
            f"r{number},{account},030 1234567,+44 20 7946 {number:04d},{at},{duration_s},{outcome}"
        )


@pytest.fixture(scope="session")
def lay_out(empty_queue: Path) -> Callable[[Path], Operator]:
    """Lay out the small operator with three days in its inbox, an empty queue and no lake yet."""

    def _lay_out(folder: Path) -> Operator:
        home = folder / "home"
        made = Operator(home, folder / "callsieve.toml")
        made.config.write_text(SETTINGS)
        home.mkdir(mode=0o700)
        shutil.copy(empty_queue, home)
        for day in (1, 2, 3):
            made.leave(
                day,
                *(made.call(day * 100 + n, "a1", day, n) for n in range(6)),
                *(made.call(day * 100 + 50 + n, "a2", day, n, "" if n % 2 else 4)
                  for n in range(8)),
            )  # fmt: skip
        (made.inbox / "accounts.csv").write_text(ACCOUNTS)
        return made

    return _lay_out


@pytest.fixture
def operator(tmp_path: Path, lay_out: Callable[[Path], Operator]) -> Operator:
    """Give a small operator of one's own."""
    return lay_out(tmp_path)
