"""Why a person is not erased: a legal hold laid by command, or a block for fraud; recorded."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

import cdr
from cdr.errors import WrongUse
from cdr.privacy import audit
from cdr.privacy.requests import Person, requests_of
from cdr.pseudonyms import KeyFolder
from cdr.schema import ACCOUNTS
from pipelines.doctor import examine
from pipelines.erasure import erase
from pipelines.receipt import Receipt

pytestmark = pytest.mark.slow


if TYPE_CHECKING:
    from conftest import RunCommand

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def test_a_held_number_is_not_erased_and_the_hold_is_recorded(
    callsieve: RunCommand, tmp_path: Path
) -> None:
    number, ground = "+49301234567", "order 12 Js 34/26"
    lake = cdr.open_lake(cdr.load_settings(home=tmp_path / "home"), create=True)
    words = ("--home", lake.home.root)
    hold = ("retention", "hold")

    laid = callsieve(
        *words, *hold, "add", "--number", number, "--ground", ground, "--until", "2999-12-31",
        "--json",
    )  # fmt: skip
    erased = callsieve(*words, "person", "erase", "--number", number, "--json")
    listed = callsieve(*words, *hold, "list", "--json").found["holds"]
    ended = callsieve(*words, *hold, "end", laid.found["hold_id"], "--why", "closed", "--json")

    assert (laid.code, erased.code, ended.code) == (0, 1, 0)
    assert erased.found["held_by"] == [f"legal hold ({ground}, until 2999-12-31)"]
    assert [(one["subject"], one["ground"]) for one in listed] == [(number, ground)]
    log = {entry.what: entry for entry in audit.entries(lake.home)}
    assert {"hold.add", "hold.end"} <= set(log)
    assert number not in b"".join(file.read_bytes() for file in audit.files(lake.home)).decode()
    assert audit.details(lake.home)[log["hold.add"].seq]["said"]["why"] == ground
    assert callsieve(*words, "person", "erase", "--number", number).code == 0
    assert callsieve(*words, "retention", "--dry-run", "--json").found["dry_run"]


def test_an_account_blocked_for_fraud_is_erased_only_when_that_is_said(tmp_path: Path) -> None:
    lake = cdr.open_lake(cdr.load_settings(home=tmp_path / "home"), create=True)
    row = {
        "account_id": "C1000052", "created_at": NOW, "status": "blocked", "status_reason": "fraud",
        "valid_from": NOW, "imported_at": NOW,
    }  # fmt: skip
    lists = {f.name: [] for f in ACCOUNTS.fields if isinstance(f.dtype, pl.List)}
    with lake.batch() as batch, lake.writing():
        batch.add(ACCOUNTS, pl.DataFrame([{**lists, **row}], schema=ACCOUNTS.polars_schema))
        batch.publish()
    who = Person("account", "C1000052")

    def erased(**how: bool) -> Receipt:
        return erase(lake, who, reason=None, by="dora", now=NOW, **how)

    assert [one.split(",")[0] for one in erased().held_by] == ["blocked for fraud"]
    assert lake.scan(ACCOUNTS).collect().height == 1
    assert erased(blocked_too=True).complete
    assert lake.scan(ACCOUNTS).collect().is_empty()
    assert [entry.what for entry in audit.entries(lake.home)] == [
        "person.erase_held", "audit.details_removed", "person.erase",
    ]  # fmt: skip


def test_the_doctor_says_how_old_the_key_of_pseudonyms_is(tmp_path: Path) -> None:
    lake = cdr.open_lake(cdr.load_settings(home=tmp_path / "home"), create=True)
    KeyFolder(lake.settings.keys_folder, lake.home.root).rotate()
    (said,) = (answer for answer in examine(lake) if answer.question == "keys")
    assert (said.state, "0 days old" in said.text) == ("ok", True)


def test_a_mistyped_account_is_refused_and_no_request_is_noted(tmp_path: Path) -> None:
    lake = cdr.open_lake(cdr.load_settings(home=tmp_path / "home"), create=True)
    with pytest.raises(WrongUse, match="no such account"):
        erase(lake, Person("account", "C100052"), reason=None, by="test", now=NOW)
    assert requests_of(lake).is_empty()
    nowhere = erase(lake, Person("number", "+49301234567"), reason=None, by="test", now=NOW)
    assert nowhere.complete
