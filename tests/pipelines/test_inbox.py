"""In which order the files of the inbox are taken in: what was written last has the last word."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipelines.inbox import call_files


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(["26.csv", "26-corrected.csv"], id="a corrected file"),
        pytest.param(["Master.csv.2", "Master.csv.1", "Master.csv"], id="rotated files"),
        pytest.param(["b/old.csv", "a/new.csv"], id="folders"),
    ],
)
def test_files_are_taken_in_as_they_were_written(written: list[str], tmp_path: Path) -> None:
    for second, name in enumerate(written):
        leave(tmp_path / "pbx" / name, written_s=1_790_000_000 + second)
    assert call_files(tmp_path, "pbx") == [tmp_path / "pbx" / name for name in written]


def test_files_of_one_second_are_taken_in_by_name(tmp_path: Path) -> None:
    for name in ("27.csv", "26-corrected.csv.gz", ".part", "26.csv.gz"):
        leave(tmp_path / "pbx" / name, written_s=1_790_000_000)
    names = [file.name for file in call_files(tmp_path, "pbx")]
    assert names == ["26.csv.gz", "26-corrected.csv.gz", "27.csv"]


def leave(file: Path, *, written_s: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("")
    os.utime(file, (written_s, written_s))
