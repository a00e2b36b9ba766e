"""A small operator's lake for each test of billing."""

from __future__ import annotations

from pathlib import Path

import pytest
import small_books
from small_books import ImportDeck, TakeIn

import cdr


@pytest.fixture
def lake(tmp_path: Path) -> cdr.Lake:
    """Make a lake whose billing periods are those of Berlin."""
    return small_books.books(tmp_path)


@pytest.fixture
def deck_of(lake: cdr.Lake, tmp_path: Path) -> ImportDeck:
    """Import a deck from text lines."""
    return small_books.deck_into(lake, tmp_path)


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep what was filled once, to be copied."""
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture
def customers(lake: cdr.Lake, shelf: Path, tmp_path: Path) -> None:
    """Let there be two accounts with a number each."""
    small_books.filled(shelf, "customers", tmp_path, small_books.customers)


@pytest.fixture
def calls(lake: cdr.Lake, tmp_path: Path) -> TakeIn:
    """Take in rows of calls."""
    return small_books.calls_into(lake, tmp_path)
