"""The night's job: an ordered list of small steps, each safe to repeat.

Order and nothing else: what a step does is in ``cdr`` and ``fraud``. Steps hand on
through the lake, so that a killed run goes on with the step it was in.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from cdr.billing.costs import cost_book
from cdr.checks import findings_of
from cdr.errors import DAMAGED_FILE, QueryFailed, StorageFailed, WrongUse, storage
from cdr.lake import Lake
from cdr.lake.compact import compact
from cdr.lengths import doubt_lengths, recent_days
from cdr.privacy import audit
from cdr.reassign import reassign_for_new_numbers
from cdr.schema import CALLS
from fraud.candidates import Candidate, Versions
from fraud.days import reduce_days
from fraud.review.facts import account_facts
from fraud.review.queue import OpenedCases, open_cases
from fraud.review.sealed import seal_queue
from fraud.rules.candidates import rule_candidates, with_rules
from fraud.rules.hits import cap_applies, known_hits, rule_hits
from fraud.score_table import candidates_of, described_of
from fraud.scoring import midnight_after
from fraud.tables import RULE_HITS
from pipelines.erasure import unfinished
from pipelines.inbox import concerns_of, take_in
from pipelines.report import write_report
from pipelines.retention import clear_away
from pipelines.runs import Result, Run, open_run, results_of
from pipelines.scored import score_and_keep


@dataclass(frozen=True, slots=True)
class Night:
    """What every step is given.

    Parameters
    ----------
    lake : Lake
        Where everything is.
    day : date
        UTC day whose calls the night looks at.
    now : datetime
        UTC instant of the run.
    run : Run
        The ledger of this run.
    progress : callable
        Told in words, and often, how a step goes on.
    """

    lake: Lake
    day: date
    now: datetime
    run: Run
    progress: Callable[[str], None]

    @property
    def as_of(self) -> datetime:
        """The midnight UTC that ends the day; nothing later is seen."""
        return midnight_after(self.day)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a night came to: its ledger and its candidates, best first."""

    run: Run
    day: date
    candidates: tuple[Candidate, ...]

    @property
    def concerns(self) -> tuple[str, ...]:
        """What needs a person, in words."""
        said: list[str] = []
        for step in self.run.done.values():
            said += step["result"].get("concerns", [])
        return tuple(said)

    def as_json(self) -> dict[str, Any]:
        """Return the object that ``nightly --json`` prints."""
        found = {name: step["result"] for name, step in self.run.done.items()}
        return {
            "run_id": self.run.run_id,
            "date": self.day.isoformat(),
            "ingest": found["take_in"]["ingest"],
            "imports": found["take_in"]["imports"],
            "reassigned": found["reassign"]["reassigned"],
            "findings": found["check"]["findings"],
            "method": found["score"]["method"],
            "note": found["score"]["note"],
            "model_id": found["score"]["model_id"],
            "challenger": found["score"].get("challenger"),
            "accounts_scored": found["score"]["accounts_scored"],
            "sampled": found["score"]["sampled"],
            "candidates": [candidate.as_json() for candidate in self.candidates],
            "rules": found["rules"]["hits"],
            "cases_opened": found["cases"]["opened"],
            "concerns": list(self.concerns),
            "report": found["report"]["file"],
            "retention": found["retention"],
            "seconds": dict(self.run.seconds),
        }


def _take_in(night: Night) -> Result:
    def progress(file: str, rows: int) -> None:
        night.progress(f"  {file}: {rows:,} rows read")

    taken = take_in(night.lake, now=night.now, progress=progress)
    return {
        "ingest": taken.counts,
        "imports": [asdict(report) for report in taken.imports],
        "concerns": [*concerns_of(night.lake, taken, now=night.now), *_nothing_of(night)],
    }


def _nothing_of(night: Night) -> list[str]:
    """Say that no call of the day is there, and of which day the newest is or where files go."""
    days = sorted({file.partition["call_date"] for file in night.lake.files(CALLS)})
    if night.day.isoformat() in days:
        return []
    if days:
        newest = f"the newest are of {days[-1]}: `callsieve nightly --date {days[-1]}`"
        return [f"no calls of {night.day.isoformat()} (UTC); {newest}"]
    inbox = night.lake.home.inbox
    folders = ", ".join(str(inbox / name) for name in sorted(night.lake.settings.sources))
    return [f"no call files: leave them in {folders}"]


STILL_COMMITTING = timedelta(days=2)
"""How much earlier than the last look calls may have come in that it did not see. Ours: a batch is
stamped when it begins, and none takes so long."""


def _since_last(night: Night, looked_at: tuple[str, str]) -> datetime:
    """Return since when what came in was not looked at by a step; at first, everything."""
    looked = [datetime.fromisoformat(at) for at in results_of(night.lake.home.runs, *looked_at)]
    return max(looked) - STILL_COMMITTING if looked else datetime.fromtimestamp(0, UTC)


def _reassign(night: Night) -> Result:
    """Find accounts for calls that had none, where numbers came since the last look."""
    found = reassign_for_new_numbers(
        night.lake,
        night.lake.settings.sources,
        imported_since=_since_last(night, REASSIGNED_AT),
        now=night.now,
        progress=lambda done, of: night.progress(f"  {done:,} of {of:,} days"),
    )
    return {
        "days": len(found.days),
        "reassigned": found.found,
        "concerns": found.concerns,
        REASSIGNED_AT[1]: None if found.harmed else night.now.isoformat(),
    }


REASSIGNED_AT = ("reassign", "looked_at")
"""Step of a night and name in its result: numbers taken in later may have calls to find. Null where
a day was passed over, so that the next night looks again."""


def _lengths(night: Night) -> Result:
    """Look at the days of all calls that came in since the last look; at first at every day."""
    days = recent_days(night.lake, since=_since_last(night, LOOKED_AT))
    doubted, harmed = 0, list[date]()
    for day in days:
        try:
            with storage("looking for doubtful lengths"):
                doubted += doubt_lengths(night.lake, day, now=night.now)
        except StorageFailed as error:
            if error.kind != DAMAGED_FILE:
                raise
            harmed.append(day)
    said = f"lengths of {', '.join(map(str, harmed))} not looked at: {DAMAGED_FILE}"
    return {
        "days": len(days),
        "doubted": doubted,
        "concerns": [said] if harmed else [],
        LOOKED_AT[1]: None if harmed else night.now.isoformat(),
    }


LOOKED_AT = ("lengths", "looked_at")
"""Step of a night and name in its result: calls that came in later were not looked at. Null where a
day was passed over, so that the next night looks again."""


def _check(night: Night) -> Result:
    try:
        findings = findings_of(night.lake.connect_raw("fraud"), night.day)
    except QueryFailed as error:
        if error.kind != DAMAGED_FILE:
            raise
        return {"findings": [], "concerns": [f"sources and lengths not checked: {DAMAGED_FILE}"]}
    return {
        "findings": [asdict(finding) for finding in findings],
        "concerns": [finding.text for finding in findings],
    }


def _compact(night: Night) -> Result:
    return asdict(compact(night.lake))


def _reduce(night: Night) -> Result:
    reduced = reduce_days(night.lake, as_of=night.as_of, progress=night.progress)
    concerns = [*reduced.concerns, *price_concerns(night.lake)]
    return {"days": reduced.days, "concerns": concerns}


def price_concerns(lake: Lake) -> list[str]:
    """Say why the deck of costs does not price calls although the settings name it."""
    named = lake.settings.billing.cost_deck
    if not named:
        return []
    costs = cost_book(lake)
    if costs is None:
        return [
            f"billing.cost_deck {named!r} is not there, so calls have indicative prices: "
            f"`callsieve billing deck import FILE --name {named}`"
        ]
    return [
        f"cost.usd_per does not say what {currency} is worth, so calls whose rate is in it have "
        "indicative prices"
        for currency in costs.unknown_currencies
    ]


def _score(night: Night) -> Result:
    return score_and_keep(night.lake, as_of=night.as_of, run_id=night.run.run_id, now=night.now)


def _rules(night: Night) -> Result:
    return apply_rules(night.lake, night.day, now=night.now)


def apply_rules(lake: Lake, day: date, *, now: datetime) -> Result:
    """Write what the rules hit on a day to `rule_hits`; say how often each did."""
    hits = rule_hits(lake, day, now=now)
    lake.replace_days({RULE_HITS: hits}, [day])
    counts = hits.group_by("rule").agg(
        pl.len().alias("accounts"), pl.col("report_only").sum().alias("report_only")
    )
    concerns = []
    if not cap_applies(lake.settings.cost):
        concerns.append(
            f"cost.usd_per does not say what {lake.settings.cost.currency} is worth: no cap is "
            "applied"
        )
    return {"hits": counts.sort("rule").rows(named=True), "concerns": concerns}


def _cases(night: Night) -> Result:
    as_of = night.as_of.date()
    candidates, versions = candidates_of(night.lake, as_of)
    rescored = described_of(night.lake, as_of, "rescored", rank=len(candidates))
    place = len(candidates) + len(rescored)
    sampled = described_of(night.lake, as_of, "sample", rank=place)
    by_rules = rule_candidates(known_hits(night.lake, night.day))
    opened = put_in_queue(
        night.lake,
        with_rules([*candidates, *rescored, *sampled], by_rules),
        sampled=[one.account_id for one in sampled],
        run_id=night.run.run_id,
        day=night.day,
        now=night.now,
        versions=versions,
    )
    return {
        "opened": opened.opened,
        "refreshed": opened.refreshed,
        "unchanged": opened.unchanged,
    }


def put_in_queue(
    lake: Lake,
    candidates: Sequence[Candidate],
    *,
    run_id: str,
    day: date,
    now: datetime,
    versions: Versions,
    sampled: Collection[str] = (),
) -> OpenedCases:
    """Make cases of the candidates of a day, with the facts to sort them by."""
    as_of = midnight_after(day).date()
    return open_cases(
        lake.home.root,
        candidates,
        run_id=run_id,
        as_of=as_of,
        now=now,
        versions=versions,
        sampled=sampled,
        facts=account_facts(lake, [one.account_id for one in candidates], as_of=as_of),
    )


def _report(night: Night) -> Result:
    candidates, _ = candidates_of(night.lake, night.as_of.date())
    file = write_report(night.lake, night.day, night.run, candidates)
    return {"file": str(file)}


def _retention(night: Night) -> Result:
    seal_queue(night.lake.home, now=night.now)
    done = clear_away(night.lake, now=night.now)
    left = done.expired_left
    concerns = [*done.lake.concerns]
    if left:
        concerns.append(f"retention: {left:,} expired are still there")
    if begun := len(unfinished(night.lake)):
        concerns.append(f"{begun} erasures are not completed: repeat `callsieve person erase`")
    head = audit.head(night.lake.home)
    kept = None if head is None else asdict(head)
    return {**done.as_json(), "audit_head": kept, "concerns": concerns}


STEPS: Mapping[str, Callable[[Night], Result]] = {
    "take_in": _take_in,
    "reassign": _reassign,
    "lengths": _lengths,
    "check": _check,
    "compact": _compact,
    "reduce": _reduce,
    "score": _score,
    "rules": _rules,
    "cases": _cases,
    "report": _report,
    "retention": _retention,
}
"""What a night does, in this order."""


def _in_silence(_: str) -> None:
    """Say nothing."""


def run_nightly(
    lake: Lake,
    day: date,
    *,
    now: datetime,
    tell: Callable[[str], None] = _in_silence,
    progress: Callable[[str], None] = _in_silence,
) -> Outcome:
    """Do a night, or what an interrupted one left undone.

    Parameters
    ----------
    lake : Lake
        Where everything is.
    day : date
        UTC day whose calls the night looks at; files of other days are taken in too.
    now : datetime
        UTC instant of the run.
    tell : callable, optional
        Told which step begins.
    progress : callable, optional
        Told in words, and often, how a step goes on.

    Raises
    ------
    WrongUse
        If the day is not over yet: its scores would rest on half of it.
    LakeBusy
        If a night is running on this home.
    """
    if midnight_after(day) > now:
        raise WrongUse(f"{day.isoformat()} (UTC) is not over yet; give the date of a day that is")
    with lake.alone("nightly"):
        run = open_run(lake.home.runs, day)
        night = Night(lake, day, now, run, progress)
        for number, (name, step) in enumerate(STEPS.items(), start=1):
            tell(f"{number}/{len(STEPS)} {name}" + (": done before" if name in run.done else ""))
            run.step(name, lambda step=step: step(night))  # type: ignore[misc]
        run.finish()
        candidates, _ = candidates_of(lake, night.as_of.date())
    return Outcome(run, day, candidates)
