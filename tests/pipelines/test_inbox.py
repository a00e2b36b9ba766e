"""In which order the files of the inbox are taken in: what was written last has the last word."""

from __future__ import annotations

import os
from errno import EACCES
from pathlib import Path

import pytest

from cdr.errors import FormatError
from cdr.input_files import check_file
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


def test_a_folder_that_nobody_may_look_into_is_among_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(tmp_path / "pbx" / "closed" / "26.csv", written_s=1_790_000_000)
    leave(tmp_path / "pbx" / "26.csv", written_s=1_790_000_000)
    look = os.scandir

    def refused(path: str | Path) -> object:  # root may look into any folder
        if str(path).endswith("closed"):
            raise PermissionError(EACCES, "Permission denied", str(path))
        return look(path)

    monkeypatch.setattr(os, "scandir", refused)
    found = call_files(tmp_path, "pbx")
    assert {file.name for file in found} == {"26.csv", "closed"}
    with pytest.raises(FormatError, match="closed: cannot be read; check its permissions"):
        check_file(tmp_path / "pbx" / "closed")


def leave(file: Path, *, written_s: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("")
    os.utime(file, (written_s, written_s))
