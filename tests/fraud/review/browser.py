"""A real Chromium and a real server, for the tests that live a reviewer's morning."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ports import STARTS_WITHIN_S, free_port

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def chromium_or_skip() -> str:
    """Return where Chromium is; skip where there is none, except on CI, where that is a fault."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("CI has no Chromium: .ci/run installs it")
        pytest.skip("no Chromium: apt-get install chromium")
    return CHROMIUM


@contextmanager
def served(home: Path) -> Iterator[str]:
    """Run ``callsieve review serve`` on a home, as a user does, and give its address."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("callsieve"))]
    log = home / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "--home", str(home), "review", "serve", "--port", str(port)],
            stdout=out,
            stderr=out,
        )
        address = f"http://localhost:{port}"
        try:
            _wait(f"{address}/alive", process)
            yield address
        finally:
            process.terminate()
            process.wait(timeout=120)


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < until:
        assert process.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                assert answer.read() == b"alive"
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail("the server did not answer")
