"""The night says why the deck of costs does not price calls although the settings name it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import cdr
from cdr.billing.decks import import_deck
from pipelines.nightly import price_concerns


def test_a_deck_that_is_not_there_and_a_currency_without_worth(tmp_path: Path) -> None:
    settings = cdr.load_settings(home=tmp_path / "home")
    assert price_concerns(cdr.open_lake(settings, create=True)) == []
    billing = settings.billing.model_copy(update={"cost_deck": "wholesale"})
    lake = cdr.open_lake(settings.model_copy(update={"billing": billing}))
    (missing,) = price_concerns(lake)
    assert "`callsieve billing deck import FILE --name wholesale`" in missing
    deck = tmp_path / "deck.csv"
    deck.write_text("prefix,rate_per_min,currency\n44,0.02,EUR\n49,0.03,USD\n")
    now = datetime(2026, 10, 1, tzinfo=UTC)
    import_deck(lake, deck, name="wholesale", settings=billing, now=now)
    (worth,) = price_concerns(lake)
    assert worth.startswith("cost.usd_per does not say what EUR is worth")
