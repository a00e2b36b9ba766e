"""A candidate that a test changes in the one point it is about."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fraud.candidates import Candidate, Reason, SimilarAccount
from fraud.review import database
from fraud.review.queue import open_case_count

PLAIN = Candidate(
    account_id="acc-1",
    score=0.6,
    band="medium",
    rank=1,
    method="similarity",
    reasons=(
        Reason("short_call_share", 0.4, "40 % of answered calls end within 6 s", 0.7),
        Reason("off_hours_share", None, "active hours are not known", 0.3),
    ),
    similar_blocked=(SimilarAccount("acc-8", 0.9),),
    similar_good=(SimilarAccount("acc-9", 0.5),),
)


@pytest.fixture(scope="session")
def empty_queue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a database that is up to date, to be copied: migrating takes a second."""
    home = tmp_path_factory.mktemp("queue")
    open_case_count(home)
    return home / database.FILE


@pytest.fixture(autouse=True)
def _copied_queue(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin every home with a copy, except where making the database is the promise."""
    if request.node.get_closest_marker("from_nothing"):
        return
    made = request.getfixturevalue("empty_queue")
    monkeypatch.setattr(database, "_create", lambda file: shutil.copy(made, file))


@pytest.fixture
def candidate() -> Callable[..., Candidate]:
    def make(account_id: str = "acc-1", **changes: Any) -> Candidate:
        return replace(PLAIN, account_id=account_id, **changes)

    return make
