"""Small decks and lakes for the tests of billing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

import cdr
from cdr.billing.decks import DeckReport, import_deck

NOW = datetime(2026, 9, 1, tzinfo=UTC)

ImportDeck = Callable[..., DeckReport]


@pytest.fixture
def lake(tmp_path: Path) -> cdr.Lake:
    """Make a lake whose billing periods are those of Berlin."""
    settings = cdr.load_settings(home=tmp_path / "home")
    billing = settings.billing.model_copy(update={"zone": "Europe/Berlin"})
    return cdr.open_lake(settings.model_copy(update={"billing": billing}), create=True)


@pytest.fixture
def deck_of(lake: cdr.Lake, tmp_path: Path) -> ImportDeck:
    """Import a deck from text lines."""

    def take_in(text: str, name: str = "retail", now: datetime = NOW) -> DeckReport:
        file = tmp_path / f"{name}.csv"
        file.write_text(text)
        return import_deck(lake, file, name=name, settings=lake.settings.billing, now=now)

    return take_in
