"""`callsieve keys` and what a person's session shows in place of numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

import cdr
from cdr import load_settings, open_lake
from cdr.errors import WrongUse
from cdr.schema import CALLS

pytestmark = pytest.mark.slow


if TYPE_CHECKING:
    from conftest import RunCommand


def callers(lake: cdr.Lake, purpose: str) -> set[str]:
    rows = lake.connect(purpose).execute("SELECT DISTINCT caller_number FROM calls").fetchall()
    return {number for (number,) in rows if number}


def test_a_fraud_session_shows_pseudonyms_and_a_bill_shows_numbers(sample_home: Path) -> None:
    lake = open_lake(load_settings(home=sample_home))
    calls = lake.scan(CALLS).filter(pl.col("caller_number").is_not_null()).collect()

    answered = calls.filter(pl.col("outcome") == "answered")
    assert callers(lake, "billing") == set(answered["caller_number"])
    shown = callers(lake, "fraud")
    assert len(shown) == calls["caller_number"].n_unique()
    assert all("~" in number for number in shown)


def test_keys_are_rotated_listed_and_never_printed(
    callsieve: RunCommand, sample_home: Path
) -> None:
    home = ("--home", sample_home)
    assert callsieve(*home, "keys", "list", "--json").found == {"keys": [], "in_use": None}
    lake = open_lake(load_settings(home=sample_home))
    first = callers(lake, "fraud")

    rotated = callsieve(*home, "keys", "rotate", "--json")
    listed = callsieve(*home, "keys", "list")

    assert [key["key"] for key in rotated.found["keys"]][-1] == rotated.found["in_use"]
    assert len(listed.out.splitlines()) == 2
    assert callers(lake, "fraud").isdisjoint(first)
    secrets = [f.read_text() for f in lake.settings.keys_folder.iterdir()]
    assert len(secrets) == 2
    for secret in secrets:
        assert secret not in rotated.out + rotated.err + listed.out + listed.err


def test_keys_that_others_can_read_end_the_query(callsieve: RunCommand, sample_home: Path) -> None:
    callsieve("--home", sample_home, "keys", "rotate")
    sample_home.with_name(f"{sample_home.name}-keys").chmod(0o755)

    ran = callsieve("--home", sample_home, "query", "SELECT 1", "--purpose", "fraud")

    assert ran.code == 2
    assert "chmod 700" in ran.err


def test_keys_can_lie_elsewhere_but_not_in_the_home(
    sample_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLSIEVE_ACCESS__KEYS", str(tmp_path / "vault"))
    open_lake(load_settings(home=sample_home)).connect("fraud")
    assert len(list((tmp_path / "vault").iterdir())) == 1

    monkeypatch.setenv("CALLSIEVE_ACCESS__KEYS", str(sample_home / "vault"))
    with pytest.raises(WrongUse, match="within the home"):
        open_lake(load_settings(home=sample_home)).connect("fraud")
