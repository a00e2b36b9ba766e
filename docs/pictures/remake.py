"""Take the pictures of the pages anew, from a copy of the home that `make demo` left.

Run as ``make pictures``; needs Chromium. Everything on the pictures is synthetic.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
DEMO = Path(".callsieve/demo")
CALLSIEVE = Path(sys.executable).with_name("callsieve")
PORT = 8093
ADDRESS = f"http://localhost:{PORT}"
SIZE = {"width": 1120, "height": 720}
UPPER_HALF = {"x": 0, "y": 0, "width": 1120, "height": 440}
PASSWORD = secrets.token_urlsafe(16)
CASE_OF = "C1000037"
"""An account whose details and calls resemble blocked ones."""


def run(home: Path, *words: str) -> None:
    """Run `callsieve` on the copy."""
    told = os.environ | {"CALLSIEVE_PASSWORD": PASSWORD}
    ran = subprocess.run([CALLSIEVE, "--home", home, *words], env=told, capture_output=True)
    if ran.returncode not in (0, 1):  # 1: done, and something needs a person
        sys.exit(ran.stderr.decode())


@contextmanager
def served(home: Path) -> Iterator[None]:
    """Serve the queue of a home for the length of a ``with`` block."""
    serve = [CALLSIEVE, "--home", home, "review", "serve", "--port", str(PORT)]
    server = subprocess.Popen(serve, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{ADDRESS}/alive", timeout=5).close()
                break
            except OSError:
                time.sleep(0.2)
        yield
    finally:
        server.terminate()
        server.wait()


def sign_in(page: Page, name: str) -> None:
    """Sign in as somebody."""
    page.goto(f"{ADDRESS}/sign-in")
    page.fill("[name=username]", name)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda url: "sign-in" not in url)


def statement(home: Path, folder: Path) -> Path:
    """Bill the month and return one customer's statement."""
    rates = folder / "rates.csv"
    zones = "".join(f"{digit},zone {digit},0.0{digit}\n" for digit in range(1, 10))
    rates.write_text(f"prefix,destination,rate_per_min\n{zones}")
    run(home, "billing", "deck", "import", str(rates), "--name", "retail")
    run(home, "billing", "seal", "--period", "2026-09")
    only = ("--account", "C1000073", "--out", str(folder / "mail"))
    run(home, "billing", "statements", "--period", "2026-09", *only)
    return next((folder / "mail").glob("*.html"))


def from_notebook() -> None:
    """Keep the heat map that the first notebook shows."""
    book = json.loads(Path("notebooks/01-first-look.ipynb").read_text("utf-8"))
    for cell in book["cells"]:
        if "charts.week_hours" in "".join(cell["source"]):
            picture = cell["outputs"][0]["data"]["image/png"]
            (HERE / "week-hours.png").write_bytes(base64.b64decode(picture))


def main() -> None:
    """Make a copy of the demo's home, let people in, and take the pictures."""
    from_notebook()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder) / "home"
        shutil.copytree(DEMO, home)
        run(home, "review", "user", "add", "ada", "--role", "reviewer")
        run(home, "review", "user", "add", "dora", "--role", "dpo")
        run(home, "person", "object", "--account", "C1000139", "--reason", "my own business")
        run(home, "person", "restrict", "--account", "C1000073", "--reason", "contests it")
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        with served(home):
            page = browser.new_context(viewport=SIZE).new_page()
            page.set_default_timeout(60_000)
            sign_in(page, "ada")
            page.screenshot(path=HERE / "review-queue.png")
            page.click(f"text={CASE_OF}")
            page.wait_for_load_state("networkidle")
            page.screenshot(path=HERE / "review-case.png")
            page = browser.new_context(viewport=SIZE).new_page()
            page.set_default_timeout(60_000)
            sign_in(page, "dora")
            page.goto(f"{ADDRESS}/requests")
            page.screenshot(path=HERE / "requests.png", clip=UPPER_HALF)
        (report,) = sorted((home / "reports").glob("????-??-??.html"))[-1:]
        page.goto(report.as_uri())
        page.screenshot(path=HERE / "night-report.png")
        page.goto(statement(home, Path(folder)).as_uri())
        page.screenshot(path=HERE / "statement.png", clip=UPPER_HALF)
        browser.close()


if __name__ == "__main__":
    main()
