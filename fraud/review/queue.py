"""The review queue as other packages see it: a home in, plain values out.

Each function opens the queue of a home, does one thing in one transaction, and
closes it. No Django outside: it is set up at the first call.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import polars as pl

from cdr.lake.home import Home
from cdr.schema import INSTANT
from fraud.candidates import Candidate, Versions
from fraud.review.cases import Case, CoolDown, Event, Status, Step
from fraud.review.database import FILE, URL, queue_database
from fraud.review.facts import Facts
from fraud.review.rights import Role

if TYPE_CHECKING:
    from fraud.review.audit_seal import Broken

NO_VERSIONS = Versions()
COOL_DOWN = CoolDown()

LABEL = pl.Schema({"account_id": pl.String(), "label": pl.Int8(), "known_at": INSTANT})
"""One row per account with a decision."""


@dataclass(frozen=True, slots=True)
class OpenedCases:
    """What a night brought to the queue.

    Parameters
    ----------
    opened : int
        Candidates that got a new case.
    refreshed : int
        Candidates whose open case got new evidence.
    unchanged : int
        Candidates whose case, open or decided, already says the same.
    case_ids : mapping of str to int
        The case of each candidate, by account.
    """

    opened: int
    refreshed: int
    unchanged: int
    case_ids: Mapping[str, int]


def open_cases(
    home: Path,
    candidates: Sequence[Candidate],
    *,
    run_id: str,
    as_of: date,
    now: datetime,
    versions: Versions = NO_VERSIONS,
    cool_down: CoolDown = COOL_DOWN,
    facts: Mapping[str, Facts] = MappingProxyType({}),
    sampled: Collection[str] = (),
) -> OpenedCases:
    """Make cases of a night's candidates: all of them or, if it fails, none.

    Safe to repeat: the same candidates of the same night change nothing. An
    account has at most one open case; what another night finds is added to it. A
    decided case holds for a while, see :class:`~fraud.review.cases.CoolDown`;
    after that, or when a cleared account shows materially more, a new case is
    opened and the decided one stays as it is.

    Parameters
    ----------
    home : Path
        The database is made there when it is not yet.
    candidates : sequence of Candidate
        Each account at most once.
    run_id : str
        The run that scored them.
    as_of : date
        UTC day; the scores look back from the midnight that begins it.
    now : datetime
        UTC instant; stamped on all that is written.
    versions : Versions, optional
        What the scores were made with.
    cool_down : CoolDown, optional
        How long a decision holds against the same evidence.
    facts : mapping of str to Facts, optional
        Plan, country and money at risk of each account, to filter and sort by; see
        :func:`fraud.review.facts.account_facts`.
    sampled : collection of str, optional
        Accounts drawn at random from below the threshold; their cases are marked.

    Raises
    ------
    ValueError
        If an account is named twice.
    QueueTooNew, QueueFailed, StorageFailed
        See :func:`~fraud.review.database.queue_database`.
    """
    if len({candidate.account_id for candidate in candidates}) < len(candidates):
        raise ValueError("candidates must name each account once")
    with queue_database(home):
        from fraud.review import store

        night = store.Night(run_id, as_of, now, versions, cool_down, facts, frozenset(sampled))
        placed = store.place(candidates, night)
    count = Counter(one.step for one in placed)
    return OpenedCases(
        opened=count[Step.OPEN],
        refreshed=count[Step.REFRESH],
        unchanged=count[Step.LEAVE],
        case_ids={one.account_id: one.case_id for one in placed},
    )


def open_case_count(home: Path) -> int:
    """Count the cases of `home` that are not decided."""
    with queue_database(home):
        from fraud.review import store

        return store.open_count()


def people_count(home: Path) -> int:
    """Count who can sign in."""
    with queue_database(home):
        from fraud.review import people

        return people.count()


def cases(home: Path, *, status: Status | None = None) -> tuple[Case, ...]:
    """Return the cases of `home` in `status`, or all of them, the most urgent first."""
    with queue_database(home):
        from fraud.review import store

        return store.read(status)


def events(home: Path, case_id: int) -> tuple[Event, ...]:
    """Return what happened to a case, the earliest first; nothing for an unknown case."""
    with queue_database(home):
        from fraud.review import store

        return store.trail(case_id)


def decisions_as_labels(home: Path, *, before: datetime) -> pl.DataFrame:
    """Return what reviewers had decided before an instant, as labels for training.

    Parameters
    ----------
    home : Path
        Whose queue.
    before : datetime
        UTC instant, excluded. Decisions taken later are invisible, and so is the
        fact that one was reopened later.

    Returns
    -------
    pl.DataFrame
        One row per account that then had a decision, by account: `account_id`,
        `label` (1 confirmed, 0 cleared; the latest decision), `known_at` (UTC).
    """
    with queue_database(home):
        from fraud.review import store

        rows = store.decisions(before)
    return pl.DataFrame(rows, schema=LABEL, orient="row")


def has_queue(home: Path) -> bool:
    """Tell whether there is a queue to read from, without making one."""
    return (home / FILE).exists() or bool(os.environ.get(URL))


def open_leanings(home: Path) -> dict[str, tuple[str, ...]]:
    """Return the blocked accounts that the newest evidence of each undecided case names."""
    with queue_database(home):
        from fraud.review import store

        return store.leanings()


def migrate(home: Path) -> str:
    """Make the queue's database or bring it up to date; return its kind and name."""
    with queue_database(home):
        from django.db import connection

        name = Path(str(connection.settings_dict["NAME"])).name
        return f"{connection.display_name} {name}"


def new_person(
    home: Path, name: str, password: str, *, role: Role, by: str, now: datetime, **scope: Any
) -> None:
    """Let a person sign in; see :func:`fraud.review.people.add_person`.

    Raises
    ------
    WrongUse
        If the name or the password will not do; says why.
    """
    with queue_database(home):
        from fraud.review import people

        people.add_person(name, password, role=role.value, by=by, at=now, **scope)


def new_password(home: Path, name: str, password: str, *, by: str, now: datetime) -> None:
    """Give a person another password, which ends the person's sessions and a lock-out.

    Raises
    ------
    WrongUse
        If there is no such person, or the password will not do.
    """
    with queue_database(home):
        from fraud.review import people

        people.set_password(name, password, by=by, at=now)


def decisions_since(home: Path, since: datetime, *, until: datetime) -> list[dict[str, Any]]:
    """Return what became final in ``[since, until)``, the earliest first.

    See :func:`fraud.review.outbox.decisions_since`. Dates that have come are carried out
    first, so that the end of a suspension is among them without a running server.
    """
    with queue_database(home):
        from fraud.review import desk, outbox

        desk.wake_due(until)
        return [dict(one) for one in outbox.decisions_since(since, until=until)]


def audit_breaks(home: Home) -> list[Broken]:
    """Return the seals of the queue's audit log that no longer hold; see `audit_seal.unsealed`."""
    with queue_database(home.root):
        from fraud.review.audit_seal import unsealed

        return unsealed(home)
