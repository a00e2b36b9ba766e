"""The API does what its OpenAPI description says, whatever schemathesis asks it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from waitress.server import create_server

from fraud.review import tokens
from fraud.review.tokens import SCOPES
from fraud.review.web import gate

pytestmark = pytest.mark.large

EXAMPLES = "40"
"""Generated for each operation, beside those for each corner of the description."""

MINUTES = 8
OWN_RULES = "positive_data_acceptance"
"""The one check left out: a good question can be refused, as the case's state has the last word."""


@pytest.fixture
def address(site: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve the site on a port of this machine, at any pace."""
    from django.core.handlers.wsgi import WSGIHandler

    monkeypatch.setattr(gate, "PACE", sys.maxsize)
    server: Any = create_server(WSGIHandler(), host="127.0.0.1", port=0, threads=4)
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()


@pytest.fixture
def token(site: Any) -> str:
    """Make a token with all scopes, of a lead, who may do the most."""
    from django.contrib.auth.models import User

    lead = User.objects.get(username="lea")
    return tokens.make(lead, "t", tuple(SCOPES), now=datetime.now(tz=UTC))


def test_every_answer_is_as_described_and_none_is_a_server_error(
    address: str, token: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")), "run",
            f"{address}/api/openapi.json",
            "--header", f"Authorization: Bearer {token}",
            "--checks", "all", "--exclude-checks", OWN_RULES,
            "--max-examples", EXAMPLES, "--generation-deterministic", "--no-color",
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=MINUTES * 60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
