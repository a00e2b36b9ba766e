"""docs/formats.md says what the formats say, and its examples of settings are settings."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from cdr.formats import FORMATS, by_name
from cdr.formats.page import formats_page
from cdr.settings import Settings

PAGE = Path(__file__).parents[3] / "docs/formats.md"


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text("utf-8") == formats_page()


def test_every_format_has_notes_columns_and_an_example_on_it() -> None:
    page = formats_page()
    for name, form in FORMATS.items():
        assert f"## {name}\n" in page
        assert form.notes
        assert form.columns
        assert form.example


def test_the_settings_it_shows_are_settings() -> None:
    shown = re.findall(r"```toml\n(.*?)```", formats_page(), re.DOTALL)
    assert len(shown) == 3
    for text in shown:
        for source in Settings(**tomllib.loads(text)).sources.values():
            by_name(source.format)
