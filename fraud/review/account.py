"""Accounts under review, read from the lake and kept: what a case page asks for.

A page asks for one case; what it shows cannot change, since it looks back from a midnight, so it is
read once. :meth:`AccountReader.prepare` reads what people will ask for next, many at a time. What
was read is let go when the lake changes. Values come unmasked; pages mask them.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from threading import Lock

from cdr.lake import Lake
from fraud.candidates import Candidate
from fraud.review.behind import Behind, Found, Rows, pick
from fraud.review.rows_behind import rows_of
from fraud.review.slices import Account, Asked, OpenLake, state_of

LOOK_AGAIN_S = 60.0
"""How often it is asked whether the lake has changed. Ours: somebody who was erased is on no page
a minute later, and asking takes 30 ms."""

KEPT = 1_000
"""Accounts that are kept. Ours: some 50 MB; a team's cases of a few days."""


def asked_of(candidate: Candidate, as_of: date) -> Asked:
    """Say what the page of a case shows: the account, its similar ones, its reasons' signals."""
    near = (*candidate.similar_blocked, *candidate.similar_good)
    return Asked(
        candidate.account_id,
        as_of,
        tuple(one.account_id for one in near),
        tuple(reason.signal for reason in candidate.reasons),
    )


class AccountReader:
    """Reads accounts from one lake; safe to share between threads.

    Parameters
    ----------
    lake : Lake
        Opened for reading.
    """

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self._opening = Lock()
        self._open: OpenLake | None = None
        self._looked_s = 0.0
        self._kept: dict[Asked, Account] = {}

    def of_case(self, candidate: Candidate, *, as_of: date) -> Account:
        """Read what the page of a case shows.

        Raises
        ------
        QueryFailed
            If DuckDB refuses.
        """
        wanted = asked_of(candidate, as_of)
        opened = self._current()
        kept = self._kept.get(wanted)
        return kept if kept is not None else self._read(opened, [wanted])[wanted]

    def prepare(self, wanted: Sequence[Asked]) -> int:
        """Read those of `wanted` that are not kept yet, in one go; return how many these were.

        Raises
        ------
        QueryFailed
            If DuckDB refuses.
        """
        opened = self._current()
        missing = self.missing(wanted)
        by_midnight = defaultdict(list)
        for one in missing:
            by_midnight[one.as_of].append(one)
        for of_midnight in by_midnight.values():
            found = self._read(opened, of_midnight)
            opened.read_calls(list(found.values()), as_of=of_midnight[0].as_of)
        return len(missing)

    def missing(self, wanted: Sequence[Asked]) -> list[Asked]:
        """Return those of `wanted` that are not kept."""
        return [one for one in wanted if one not in self._kept]

    def behind(self, candidate: Candidate, rows: Rows, wanted: Behind, *, as_of: date) -> Found:
        """Pick the rows behind a number of a case.

        Raises
        ------
        QueryFailed
            If DuckDB refuses.
        """
        account = self.of_case(candidate, as_of=as_of)
        if rows is Rows.CALLS:
            return pick(self._current().calls(account, as_of=as_of), wanted)
        return pick(rows_of(account, rows, as_of=as_of), wanted)

    def _read(self, opened: OpenLake, wanted: Sequence[Asked]) -> dict[Asked, Account]:
        found = opened.read(wanted)
        with self._opening:
            if opened is self._open:
                for one, account in found.items():
                    self._kept[one] = account
                while len(self._kept) > KEPT:
                    self._kept.pop(next(iter(self._kept)))
        return found

    def _current(self) -> OpenLake:
        """Return the lake as it is, or was a minute ago."""
        with self._opening:
            if self._open is None or time.monotonic() - self._looked_s > LOOK_AGAIN_S:
                if self._open is None or self._open.state != state_of(self.lake):
                    self._open = OpenLake(self.lake)
                    self._kept.clear()
                self._looked_s = time.monotonic()
            return self._open
