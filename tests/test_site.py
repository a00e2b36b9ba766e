"""The site of the documentation: it builds strictly, and needs nothing from elsewhere."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
"""What a browser fetches by itself, and by which attribute."""


class Loads(HTMLParser):
    """Collects what a page makes a browser fetch from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.elsewhere: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get(LOADED.get(tag, "")) or ""
        if address.startswith(("http:", "https:", "//")):
            self.elsewhere.append(address)


def loads(html: str) -> list[str]:
    """List the foreign addresses that a page loads."""
    page = Loads()
    page.feed(html)
    return page.elsewhere


def test_a_page_that_loads_from_elsewhere_would_be_found() -> None:
    page = '<link href="https://fonts.example/x.css"><a href="https://example.org">said</a>'
    assert loads(page) == ["https://fonts.example/x.css"]


@pytest.mark.large
def test_the_site_builds_strictly_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    pages = sorted(tmp_path.rglob("*.html"))
    written = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")}
    assert {path.with_suffix(".html") for path in written} <= {
        page.relative_to(tmp_path) for page in pages
    }
    for page in pages:
        assert loads(page.read_text("utf-8")) == [], page.name
    for style in tmp_path.rglob("*.css"):
        assert "url(http" not in style.read_text("utf-8"), style.name
