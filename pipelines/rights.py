"""Requests of persons that are answered at once, each with its entry in the audit log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cdr.lake import Lake
from cdr.privacy import audit
from cdr.privacy.holds import Hold, add_hold, end_hold
from cdr.privacy.identifiers import check_known, identifiers_of
from cdr.privacy.portability import Export
from cdr.privacy.portability import export as write_export
from cdr.privacy.rectification import rectify as put_right
from cdr.privacy.requests import (
    Person,
    Request,
    Right,
    State,
    close,
    decide,
    disclose,
    in_force_request,
    open_request,
    receive,
    request_of,
)
from cdr.privacy.subjects import reason_without_personal, subject_of
from pipelines.access import Access
from pipelines.access import access as gather


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks on whose lake, who answers, and when.

    Parameters
    ----------
    lake : Lake
        Whose.
    person : Person
        Who asks.
    reason : str or None
        What the person said.
    by : str
        User name of who answers.
    now : datetime
        UTC instant.
    """

    lake: Lake
    person: Person
    reason: str | None
    by: str
    now: datetime

    def request(self, right: Right) -> Request:
        """Return the open request of that kind, or note a new one."""
        found = open_request(self.lake, right, self.person)
        return found or receive(self.lake, right, self.person, reason=self.reason, now=self.now)

    def note(self, what: str, after: Mapping[str, Any]) -> None:
        """Write into the audit log what is done for the person."""
        audit.note(
            self.lake.home, what, by=self.by, at=self.now,
            subject=subject_of(self.lake, self.person), after=after,
            why=reason_without_personal(self.lake, self.reason),
        )  # fmt: skip

    def done(self, request: Request, **answer: Any) -> None:
        """Note that a request was answered, and how."""
        close(self.lake, request, now=self.now, answer=json.dumps(answer, default=str))


def access(asked: Asked) -> Access:
    """Tell what is held about the person; recorded before it is told."""
    request = asked.request(Right.ACCESS)
    asked.note("person.access", {"request": request.request_id})
    found = gather(asked.lake, asked.person)
    asked.done(request, tables={one.table: one.rows for one in found.holdings})
    return found


def export(asked: Asked, out: Path) -> Export:
    """Write what the person may take along; recorded before it is written."""
    request = asked.request(Right.EXPORT)
    asked.note("person.export", {"request": request.request_id})
    written = write_export(asked.lake, identifiers_of(asked.lake, asked.person), out)
    asked.done(request, files={one.name: one.rows for one in written.files})
    return written


def rectify(asked: Asked, changes: Mapping[str, str | None]) -> tuple[str, ...]:
    """Put details of an account right; the log says which, not what they were."""
    different = put_right(asked.lake, asked.person.subject, changes, now=asked.now)
    request = asked.request(Right.RECTIFY)
    asked.note("person.rectify", {"request": request.request_id, "columns": list(different)})
    asked.done(request, columns=list(different))
    return different


def restrict(asked: Asked) -> Request:
    """Leave the person alone from now on, until it is lifted; asked again, it is the same one."""
    check_known(asked.lake, asked.person)
    standing = in_force_request(asked.lake, Right.RESTRICT, asked.person)
    request = standing or asked.request(Right.RESTRICT)
    asked.note("person.restrict", {"request": request.request_id})
    if standing is None:
        asked.done(request)
    return request


def object_to(asked: Asked) -> Request:
    """Note an objection: the person is left alone while it is weighed, and after if granted."""
    check_known(asked.lake, asked.person)
    standing = in_force_request(asked.lake, Right.OBJECT, asked.person)
    request = standing or asked.request(Right.OBJECT)
    asked.note("person.object", {"request": request.request_id})
    return request


def settle(
    lake: Lake, request_id: str, state: State, *, grounds: str | None, by: str, now: datetime
) -> Request:
    """Grant, refuse or lift a request, with the grounds."""
    request = request_of(lake, request_id)
    decide(lake, request, state, grounds=grounds, now=now)
    audit.note(
        lake.home, "person.decide", by=by, at=now, subject=subject_of(lake, request.person),
        before={"state": request.state.value},
        after={"request": request.request_id, "right": request.right.value, "state": state.value},
        why=reason_without_personal(lake, grounds),
    )  # fmt: skip
    return request


def lay_hold(
    lake: Lake, person: Person, *, ground: str, until: datetime | None, by: str, now: datetime
) -> Hold:
    """Keep what is held of a person from being removed; the log says on which ground."""
    check_known(lake, person)
    hold = add_hold(lake, person, ground=ground, until=until, now=now)
    audit.note(
        lake.home, "hold.add", by=by, at=now, subject=subject_of(lake, person),
        after={"hold": hold.hold_id, "until": until}, why=reason_without_personal(lake, ground),
    )  # fmt: skip
    return hold


def lift_hold(lake: Lake, hold_id: str, *, why: str, by: str, now: datetime) -> Hold:
    """Let what was held be removed again."""
    hold = end_hold(lake, hold_id, why=why, now=now)
    audit.note(
        lake.home, "hold.end", by=by, at=now, subject=subject_of(lake, hold.person),
        after={"hold": hold.hold_id}, why=reason_without_personal(lake, why),
    )  # fmt: skip
    return hold


def disclosed(asked: Asked, *, to: str, what: str, ground: str) -> str:
    """Record that the person's data went to an authority, a carrier or a processor."""
    key = disclose(asked.lake, asked.person, recipient=to, what=what, ground=ground, now=asked.now)
    asked.note("person.disclose", {"disclosure": key})
    return key
