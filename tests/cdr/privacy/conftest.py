"""A lake of a few people, made once and copied."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from few_people import make_people
from kept_rows import lake_in

import cdr


@pytest.fixture(scope="session")
def people_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("people")
    make_people(folder)
    return folder


@pytest.fixture
def people(people_once: Path, tmp_path: Path) -> cdr.Lake:
    """Give a copy of the lake that a test may change."""
    shutil.copytree(people_once, tmp_path / "people")
    return lake_in(tmp_path / "people")
