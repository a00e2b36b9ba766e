"""A real object store on this machine, and a machine of the operator that works on it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from object_server import Machine, Server, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def here(server: Server, tmp_path: Path) -> Machine:
    prefix = f"home{random.SystemRandom().randrange(1 << 40)}"
    return Machine(server.reached(prefix), tmp_path / "here")
