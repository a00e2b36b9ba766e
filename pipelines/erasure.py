"""Erasing a person from the whole home: tables, queue, models, files, and the search afterwards.

What points to the person is kept in one file of the home until the erasure is done, so that a
killed one is completed by the same command, and its receipt is whole. That file goes last.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

import cdr.billing.tables  # noqa: F401 (its tables are looked through)
import fraud.tables  # noqa: F401 (the same)
from cdr.errors import StorageFailed, WrongUse, storage
from cdr.lake import Lake
from cdr.lake.home import write_whole
from cdr.lake.versions import drop_old_versions, old_versions
from cdr.privacy import audit
from cdr.privacy.columns import side_of
from cdr.privacy.erasure import (
    Left,
    TableErased,
    billed_account,
    erase_from,
    left_in,
    tables,
)
from cdr.privacy.holds import forget_holds
from cdr.privacy.identifiers import Identifiers, check_known, identifiers_of
from cdr.privacy.loose_files import erase_from_files
from cdr.privacy.obligations import obligation_of
from cdr.privacy.requests import (
    Person,
    Request,
    Right,
    answered,
    forget,
    open_request,
    receive,
    request_of,
)
from cdr.privacy.retention import standing_of
from cdr.privacy.rules import Standing
from cdr.privacy.subjects import reason_without_personal, subject_of, subjects_of
from cdr.privacy.traces import Searched, Trace, search
from cdr.privacy.unnaming import ERASED
from cdr.schema import TABLES, Table
from fraud.features.account_days import key_of
from fraud.model.forgetting import forget as forget_model
from fraud.review.old_cases import accounts_in_cases
from fraud.review.persons import erase_from_queue
from pipelines.erasure_grounds import block_against, holds_against
from pipelines.receipt import Receipt

ROUNDS = 3
"""Times that what a search still finds is taken out. Ours: the second finds what was compacted
or taken in meanwhile."""

A_HOLD = "a legal hold on, or an open case of, somebody else whom these rows name too"

_HALF_DONE = "what is erased already stays erased, and the request stays open"

Progress = Callable[[str], None]


@dataclass(slots=True)
class _Work:
    """An erasure under way."""

    lake: Lake
    request: Request
    who: Identifiers
    standing: Standing
    receipt: Receipt
    by: str
    progress: Progress

    @property
    def file(self) -> Path:
        return self.lake.home.erasures / f"{self.request.request_id}.json"

    def save(self) -> None:
        content = {
            "request_id": self.request.request_id,
            "who": self.who.as_json(),
            "billed": self.standing.billed,
            "tables": {name: asdict(one) for name, one in self.receipt.tables.items()},
        }
        with storage("noting how far an erasure is"):
            self.lake.home.erasures.mkdir(mode=0o700, exist_ok=True)
            write_whole(self.file, json.dumps(content).encode())


def unfinished(lake: Lake) -> tuple[str, ...]:
    """Return the requests whose erasure was begun and not completed."""
    return tuple(sorted(file.stem for file in lake.home.erasures.glob("*.json")))


def erase(
    lake: Lake,
    person: Person,
    *,
    reason: str | None,
    by: str,
    now: datetime,
    blocked_too: bool = False,
    progress: Progress = lambda _: None,
) -> Receipt:
    """Erase a person, or complete an erasure that was killed.

    Parameters
    ----------
    lake : Lake
        Whose home.
    person : Person
        An account, or whoever a number belongs to.
    reason : str, optional
        What the person said.
    by : str
        User name of who does it.
    now : datetime
        UTC instant.
    blocked_too : bool, default=False
        Also an account that is blocked for fraud or misuse, which others are compared with.
    progress : callable, optional
        Told in words how far it is.

    Returns
    -------
    Receipt
        Not `complete` where a hold forbids it or something is still there.

    Raises
    ------
    LakeBusy
        If another erasure is under way.
    WrongUse
        If it is an account of which nothing is held.
    """
    with lake.home.alone("erase"):
        work = _resumed(lake, person, by=by, now=now, progress=progress)
        if work is None:
            work = _begun(lake, person, reason=reason, by=by, now=now, progress=progress)
            work.receipt.held_by += [] if blocked_too else block_against(lake, person)
        if work.receipt.held_by:
            return _refused(work)
        work.save()
        for name, step in STEPS.items():
            progress(name)
            began = time.monotonic()
            try:
                with storage(f"erasing, step {name}"):
                    step(work)
            except StorageFailed as error:
                raise StorageFailed(error.doing, error.kind, outcome=_HALF_DONE) from None
            work.receipt.seconds[name] = round(time.monotonic() - began, 3)
        work.receipt.done_at = now.isoformat()
        if work.receipt.complete:
            _close(work)
        return work.receipt


def _begun(
    lake: Lake, person: Person, *, reason: str | None, by: str, now: datetime, progress: Progress
) -> _Work:
    check_known(lake, person)
    request = open_request(lake, Right.ERASE, person) or receive(
        lake, Right.ERASE, person, reason=reason, now=now
    )
    receipt = Receipt(request.request_id, person.kind, request.received_at.isoformat())
    cases = accounts_in_cases(lake.home.root)
    who = identifiers_of(lake, person, derive=lambda text: (key_of(text),))
    receipt.held_by = holds_against(lake, who, cases=cases, now=now)
    receipt.shared = who.shared
    standing = _standing(lake, person, cases, now)
    standing = replace(standing, billed=billed_account(lake, who, standing))
    return _Work(lake, request, who, standing, receipt, by, progress)


def _refused(work: _Work) -> Receipt:
    """Record that nothing was erased, and why."""
    why = reason_without_personal(work.lake, "; ".join(work.receipt.held_by))
    audit.note(
        work.lake.home, "person.erase_held", by=work.by, at=work.standing.now,
        subject=subject_of(work.lake, work.who.person), why=why,
    )  # fmt: skip
    return work.receipt


def _resumed(
    lake: Lake, person: Person, *, by: str, now: datetime, progress: Progress
) -> _Work | None:
    for name in unfinished(lake):
        content = json.loads((lake.home.erasures / f"{name}.json").read_bytes())
        who = Identifiers.from_json(content["who"])
        if who.person != person:
            continue
        try:
            request = request_of(lake, name)
        except WrongUse:  # it was answered, and killed before its file went
            (lake.home.erasures / f"{name}.json").unlink()
            continue
        standing = _standing(lake, person, accounts_in_cases(lake.home.root), now)
        receipt = Receipt(name, person.kind, request.received_at.isoformat())
        receipt.tables = {table: TableErased(**one) for table, one in content["tables"].items()}
        receipt.shared = who.shared
        receipt.held_by = holds_against(lake, who, now=now)
        standing = replace(standing, billed=tuple(content["billed"]))
        return _Work(lake, request, who, standing, receipt, by, progress)
    return None


def _standing(lake: Lake, person: Person, cases: Collection[str], now: datetime) -> Standing:
    """Return by what is told what others' holds keep; a restriction of one's own is none."""
    standing = standing_of(lake, now=now, cases=cases)
    return replace(standing, held=tuple(one for one in standing.held if one != person.subject))


def _tables(work: _Work) -> None:
    for table in tables():
        ends_of_calls = any(side_of(f.name) for f in table.fields)
        _take_out(work, table, thoroughly=not ends_of_calls)


def _take_out(work: _Work, table: Table, *, thoroughly: bool) -> None:
    done = erase_from(work.lake, table, work.who, work.standing, thoroughly=thoroughly)
    if not done.files_before:
        return
    if done.files_rewritten:
        work.progress(f"  {table.name}: {done.files_rewritten} files written anew")
    before = work.receipt.tables.get(table.name)
    work.receipt.tables[table.name] = done if before is None else before.plus(done)
    if done.files_rewritten:
        work.save()


def _queue(work: _Work) -> None:
    work.receipt.queue = erase_from_queue(
        work.lake.home.root,
        work.who.account_id,
        work.who.whole(),
        lambda text: work.who.replaced(text, ERASED),
        now=work.standing.now,
    )


def _models(work: _Work) -> None:
    if work.who.account_id is not None:
        work.receipt.models, work.receipt.champion_went = forget_model(
            work.lake.home.models, work.who.account_id, now=work.standing.now
        )


def _files(work: _Work) -> None:
    work.receipt.files = erase_from_files(work.lake, work.who)


def _audit(work: _Work) -> None:
    """Take away the details of entries about the person, or that name the person."""
    home = work.lake.home
    subjects = subjects_of(work.lake, work.who.person)
    about = {entry.seq for entry in audit.entries(home) if entry.subject in subjects}
    naming = {
        seq
        for seq, record in audit.details(home).items()
        if (text := json.dumps(record["said"])) != work.who.replaced(text, ERASED)
    }
    work.receipt.audit_details = audit.remove_details(
        home, about | naming, what="audit.details_removed", by=work.by, at=work.standing.now,
        why="erasure of the person",
    )  # fmt: skip


def _versions(work: _Work) -> None:
    work.receipt.old_versions = drop_old_versions(work.lake, hours=0)


def _searched(work: _Work) -> None:
    """Read every byte of the home; take out what is still there, and read again."""
    for round_ in range(ROUNDS):
        traces: list[Trace] = []
        again: list[Table] = []
        for table in tables():
            left = left_in(work.lake, table, work.who, work.standing)
            traces += [Trace(table.name, f"column {name}", n) for name, n in left.over.items()]
            again += [table] if left.over else []
            _note_kept(work, table, left)
        if not again or round_ == ROUNDS - 1:
            break
        for table in again:
            _take_out(work, table, thoroughly=True)
        drop_old_versions(work.lake, hours=0)
    lake = work.lake
    current = [(table, file) for table in TABLES.values() for file in lake.files(table)]
    paths = {Path(lake.address(table, file)) for table, file in current}
    found = search(lake.home.root, work.who, besides={*paths, work.file})
    traces += found.traces
    traces += [Trace("queue", cell, count) for cell, count in work.receipt.queue.left.items()]
    if changed := work.receipt.files.exports_left:
        traces.append(
            Trace("exports", "answers written out of the home and changed since", changed)
        )
    if old := old_versions(lake).files:
        traces.append(Trace("lake", "old versions of tables", old))
    size = sum(file.size for _, file in current)
    work.receipt.searched = Searched(found.files + len(current), found.bytes + size, tuple(traces))


def _note_kept(work: _Work, table: Table, left: Left) -> None:
    done = work.receipt.tables.get(table.name)
    if done is None:
        return
    done.kept = left.obliged + left.held
    grounds = [A_HOLD] if left.held else []
    rule = obligation_of(table)
    if left.obliged and rule is not None:
        grounds.insert(0, rule.ground)
        if left.newest is not None:
            done.kept_until = rule.until(work.standing, left.newest).date().isoformat()
    done.ground = "; ".join(grounds) or None


def _close(work: _Work) -> None:
    """Answer the request, say in it nothing of who it was, and let the file of the work go last."""
    lake, person = work.lake, work.who.person
    after = {"rows_removed": sum(one.removed for one in work.receipt.tables.values()),
             "rows_kept": sum(one.kept for one in work.receipt.tables.values())}  # fmt: skip
    audit.note(
        lake.home, "person.erase", by=work.by, at=work.standing.now,
        subject=subject_of(lake, person), after=after,
    )  # fmt: skip
    own = [person, *(Person("number", number) for number in work.who.numbers)]
    with lake.batch("erase") as batch, lake.writing():
        answered(
            lake,
            batch,
            work.request,
            now=work.standing.now,
            answer=json.dumps(work.receipt.as_json()),
        )
        batch.publish()
    for one in own:
        with lake.batch("erase") as batch, lake.writing():
            forget(lake, batch, one)
            forget_holds(lake, batch, one)
            batch.publish()
    drop_old_versions(lake, hours=0)
    work.file.unlink(missing_ok=True)


STEPS: dict[str, Callable[[_Work], None]] = {
    "tables": _tables,
    "queue": _queue,
    "models": _models,
    "files": _files,
    "audit": _audit,
    "old versions": _versions,
    "search": _searched,
}
"""What an erasure does, in this order; each step is safe to repeat."""
