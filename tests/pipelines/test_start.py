"""What a command loads before it knows what to do: every start of `callsieve` pays for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


SLOW = ("sklearn", "skops", "scipy", "splink", "altair", "pipelines.simulate")
"""Half a second to four seconds each; few commands need them."""


def test_what_few_commands_need_is_not_loaded_by_all() -> None:
    code = f"import pipelines.cli, sys; print([name for name in {SLOW} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
