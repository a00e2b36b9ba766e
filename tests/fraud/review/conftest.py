"""A candidate that a test changes in the one point it is about, and a site to click through."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings as django_settings
from django.test.utils import setup_test_environment
from review_site import PLAIN, Site, fill_site, site_settings

from cdr.lake import open_lake
from fraud.candidates import Candidate
from fraud.review import database
from fraud.review.account import AccountReader

if TYPE_CHECKING:
    from conftest import MadeOnce

database.set_up()  # so that tests can import what stands on Django at their top
setup_test_environment()  # so that they see what a page was made from
django_settings.PASSWORD_HASHERS = ["quick_argon2.QuickArgon2"]


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


@pytest.fixture(scope="session")
def filled_home(
    made_once: MadeOnce, empty_queue: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Give the site's home, which each worker has for itself; its lake is only read."""

    def make(home: Path) -> None:
        home.mkdir(mode=0o700)
        shutil.copy(empty_queue, home)
        fill_site(home)

    own = tmp_path_factory.mktemp("site") / "home"
    shutil.copytree(made_once("site", make), own)
    return own


@pytest.fixture(scope="session")
def account_reader(filled_home: Path) -> AccountReader:
    """Read from the one lake, which keeps what it read."""
    return AccountReader(open_lake(site_settings(filled_home)))


@pytest.fixture
def site(tmp_path: Path, filled_home: Path, account_reader: AccountReader) -> Iterator[Site]:
    """Give a copy of the site's queue, its application ready."""
    from django.db import connections

    from fraud.review.server import application
    from fraud.review.web import reader

    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    shutil.copy(filled_home / database.FILE, home)
    application(open_lake(site_settings(home), create=True))
    reader.use(account_reader)
    yield Site(home, open_lake(site_settings(filled_home)))
    connections.close_all()
