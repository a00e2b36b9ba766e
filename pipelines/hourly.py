"""Between nights: what is new is taken in, and the rules look at it.

No model and nothing that has to be finished: each part is safe to repeat, so that a run
that was killed is done again by the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from cdr.errors import LakeBusy, WrongUse
from cdr.lake import Lake
from cdr.reassign import reassign_for_new_numbers
from fraud.candidates import Candidate, Versions
from fraud.days import reduce_days
from fraud.rules.candidates import rule_candidates, with_rules
from fraud.rules.hits import known_hits
from fraud.score_table import candidates_of
from fraud.scoring import midnight_after
from pipelines.inbox import COUNTS, concerns_of, take_in
from pipelines.nightly import apply_rules, put_in_queue

DAYS = 2
"""Days looked at: a test call is followed by its attack within 24 h, and calls of the last hour of
a day are taken in after midnight."""


@dataclass(frozen=True, slots=True)
class HourlyOutcome:
    """What an hour came to.

    Parameters
    ----------
    date : date
        The newest UTC day looked at.
    ingest : mapping
        Files and rows, as `nightly` counts them.
    rules : list
        How many accounts each rule hit, over the days looked at.
    candidates : tuple of Candidate
        Accounts that rules hit, those of the newest day first, the most urgent of a day first.
    cases_opened, cases_refreshed : int
        What the queue got.
    concerns : tuple of str
        What needs a person.
    note : str or None
        Why nothing was done, where a night was at work.
    """

    date: date
    ingest: dict[str, int]
    rules: list[dict[str, Any]]
    candidates: tuple[Candidate, ...]
    cases_opened: int
    cases_refreshed: int
    concerns: tuple[str, ...]
    note: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the object that ``hourly --json`` prints."""
        found = asdict(self)
        found["date"] = self.date.isoformat()
        found["candidates"] = [one.as_json() for one in self.candidates]
        found["concerns"] = list(self.concerns)
        return found


def run_hourly(
    lake: Lake, day: date, *, now: datetime, tell: Callable[[str], None] = lambda _: None
) -> HourlyOutcome:
    """Take in the inbox, apply the rules to a day and the one before, open cases.

    Parameters
    ----------
    lake : Lake
        Where everything is.
    day : date
        UTC day of the newest calls; it need not be over.
    now : datetime
        UTC instant of the run.
    tell : callable, optional
        Told in words what begins.

    Raises
    ------
    WrongUse
        If the day has not begun.
    LakeBusy
        If another `hourly` is running on this home.
    """
    if day > now.date():
        raise WrongUse(f"{day.isoformat()} (UTC) has not begun yet")
    with lake.home.alone("hourly"):
        try:
            with lake.home.alone("nightly"):
                return _run(lake, day, now, tell)
        except LakeBusy:
            note = "a night is running on this home; it takes in the same and applies the rules"
            return HourlyOutcome(day, dict.fromkeys(("files", *COUNTS), 0), [], (), 0, 0, (), note)


def _run(lake: Lake, day: date, now: datetime, tell: Callable[[str], None]) -> HourlyOutcome:
    tell("taking in")
    taken = take_in(lake, now=now)
    concerns = concerns_of(lake, taken, now=now)
    if any(report.table == "account_numbers" for report in taken.imports):
        found = reassign_for_new_numbers(
            lake,
            lake.settings.sources,
            imported_since=now,
            now=now,
            since=day - timedelta(days=DAYS - 1),
        )
        concerns += found.concerns
    tell("reducing what is new")
    concerns += reduce_days(lake, as_of=midnight_after(day), back_days=DAYS).concerns
    tell("applying the rules")
    rules: dict[str, dict[str, Any]] = {}
    candidates: list[Candidate] = []
    opened = refreshed = 0
    for looked_at in (day - timedelta(days=back) for back in reversed(range(DAYS))):
        applied = apply_rules(lake, looked_at, now=now)
        concerns += [text for text in applied["concerns"] if text not in concerns]
        for row in applied["hits"]:
            rules.setdefault(row["rule"], {"rule": row["rule"], "accounts": 0, "report_only": 0})
            for name in ("accounts", "report_only"):
                rules[row["rule"]][name] += row[name]
        hit = rule_candidates(known_hits(lake, looked_at))
        evidence, versions = _with_last_scores(lake, looked_at, hit)
        placed = put_in_queue(
            lake, evidence, run_id=f"hourly.{now:%Y-%m-%dT%H:%M}", day=looked_at, now=now,
            versions=versions,
        )  # fmt: skip
        opened, refreshed = opened + placed.opened, refreshed + placed.refreshed
        named = {one.account_id for one in hit}
        candidates = [*hit, *(one for one in candidates if one.account_id not in named)]
    return HourlyOutcome(
        date=day,
        ingest=taken.counts,
        rules=[rules[name] for name in sorted(rules)],
        candidates=tuple(replace(one, rank=rank) for rank, one in enumerate(candidates, start=1)),
        cases_opened=opened,
        cases_refreshed=refreshed,
        concerns=tuple(concerns),
    )


def _with_last_scores(
    lake: Lake, day: date, hit: Sequence[Candidate]
) -> tuple[list[Candidate], Versions]:
    """Keep what the last night said of the accounts that rules hit, so that no evidence is lost."""
    scored, versions = candidates_of(lake, midnight_after(day).date())
    if not scored:
        scored, versions = candidates_of(lake, day)
    names = {one.account_id for one in hit}
    both = with_rules([one for one in scored if one.account_id in names], hit)
    return list(both), versions
