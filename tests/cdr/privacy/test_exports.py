"""What was written out of the home is known, goes when its period is over, and with its person."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from kept_rows import NOW, lake_in

import cdr
from cdr.privacy.exports import ExportKind, exports, note_exports, remove_exports
from cdr.privacy.identifiers import Identifiers
from cdr.privacy.loose_files import erase_from_files
from cdr.privacy.requests import Person

ADA = Identifiers(Person("account", "ada-1"), "ada-1", values=("Ada Lovelace",))
LATER = NOW + timedelta(days=31)


@pytest.fixture
def lake(tmp_path: Path) -> cdr.Lake:
    return lake_in(tmp_path)


@pytest.fixture
def answer(lake: cdr.Lake, tmp_path: Path) -> Path:
    return written(lake, tmp_path / "letters" / "ada-1.json", ExportKind.ANSWER)


def written(lake: cdr.Lake, file: Path, kind: ExportKind) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_text('{"account_id": "ada-1"}')
    note_exports(lake.home, kind, [file], at=NOW)
    return file


def over(lake: cdr.Lake, *, days: float, dry_run: bool = False) -> dict[str, tuple[int, int]]:
    """Return how many files went, and are left, by rule."""
    removals = remove_exports(lake, now=NOW + timedelta(days=days), dry_run=dry_run)
    return {one.setting: (one.files, one.left) for one in removals if one.files or one.left}


def test_an_answer_goes_when_its_period_is_over(lake: cdr.Lake, answer: Path) -> None:
    assert over(lake, days=30) == {}
    assert over(lake, days=31, dry_run=True) == {"export_days": (1, 0)}
    assert answer.exists()
    assert over(lake, days=31) == {"export_days": (1, 0)}
    assert not answer.exists()
    assert list(lake.home.exports.iterdir()) == []


def test_what_was_changed_since_is_left_and_said(lake: cdr.Lake, answer: Path) -> None:
    answer.write_text("my own notes")
    assert over(lake, days=31) == {"export_days": (0, 1)}
    assert answer.read_text() == "my own notes"
    answer.unlink()
    assert over(lake, days=31) == {}


def test_other_files_beside_it_are_not_touched(lake: cdr.Lake, answer: Path) -> None:
    beside = answer.with_name("beside.json")
    beside.write_bytes(answer.read_bytes())
    over(lake, days=31)
    assert beside.exists()


def test_an_extract_of_billing_is_kept_as_long_as_book_keeping_law_says(
    lake: cdr.Lake, tmp_path: Path
) -> None:
    extract = written(lake, tmp_path / "october" / "lines.csv", ExportKind.BILL)
    assert over(lake, days=2557) == {}
    assert over(lake, days=2558) == {"bookkeeping_days": (1, 0)}
    assert not extract.exists()


def test_an_answer_written_again_counts_from_then(lake: cdr.Lake, answer: Path) -> None:
    answer.write_text("the second answer")
    note_exports(lake.home, ExportKind.ANSWER, [answer], at=LATER)
    assert over(lake, days=31) == {}
    assert [one.as_written for one in exports(lake.home)] == [True]


def test_the_register_holds_no_name_of_a_file(lake: cdr.Lake, answer: Path) -> None:
    (entry,) = lake.home.exports.iterdir()
    assert "ada-1" not in entry.name + entry.read_text()


def test_erasure_removes_answers_and_says_which_extracts_it_keeps(
    lake: cdr.Lake, answer: Path, tmp_path: Path
) -> None:
    extract = written(lake, tmp_path / "october" / "lines.csv", ExportKind.BILL)
    somebody = written(lake, tmp_path / "letters" / "bob.json", ExportKind.ANSWER)
    somebody.write_text("bob-1")
    note_exports(lake.home, ExportKind.ANSWER, [somebody], at=NOW)
    done = erase_from_files(lake, ADA)
    assert (done.exports_removed, done.exports_kept, done.exports_left) == (1, 1, 0)
    assert (answer.exists(), extract.exists(), somebody.exists()) == (False, True, True)


def test_erasure_says_that_a_changed_answer_is_left(lake: cdr.Lake, answer: Path) -> None:
    answer.write_text("ada-1, called back")
    assert erase_from_files(lake, ADA).exports_left == 1
