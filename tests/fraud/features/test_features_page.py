"""docs/features.md says what the registry says."""

from __future__ import annotations

from pathlib import Path

from fraud.features.page import features_page
from fraud.features.signals import SIGNALS

PAGE = Path(__file__).parents[3] / "docs/features.md"


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text("utf-8") == features_page()


def test_every_signal_is_on_it() -> None:
    page = features_page()
    assert all(f"| `{signal.name}` |" in page for signal in SIGNALS)
