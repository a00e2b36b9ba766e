"""Reading a file, or bytes put into one, with the reader of a format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from cdr.formats import by_name
from cdr.formats.record import RECORD
from cdr.settings import SourceSettings

FIXTURES = Path(__file__).parent / "fixtures"


def read_with(name: str, file: Path, block_bytes: int = 1 << 20, **source: object) -> pl.DataFrame:
    settings = SourceSettings.model_validate(
        {"format": name, "zone": "Europe/Berlin", "country": "DE", **source}
    )
    frames = [RECORD.to_frame(), *by_name(name).read(file, settings, block_bytes)]
    assert all(frame.schema == RECORD for frame in frames)
    return pl.concat(frames).sort("line")


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., pl.DataFrame]:
    """Read a fixture by its name, a file, or bytes; records come in the order of the file."""

    def _read(name: str, what: str | bytes | Path, **more: object) -> pl.DataFrame:
        if isinstance(what, Path):
            return read_with(name, what, **more)
        if isinstance(what, str):
            return read_with(name, FIXTURES / what, **more)
        file = tmp_path / "calls"
        file.write_bytes(what)
        return read_with(name, file, **more)

    return _read
