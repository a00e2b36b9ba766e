"""Every right of a person by command, on the sample night; an erasure leaves no byte behind."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

import cdr
from cdr.privacy import audit
from cdr.privacy.identifiers import identifiers_of
from cdr.privacy.requests import Person
from cdr.privacy.restrictions import left_alone
from cdr.privacy.traces import search
from cdr.schema import ACCOUNTS, TABLES
from fraud.review.old_cases import accounts_in_cases

if TYPE_CHECKING:
    from conftest import RunCommand

NOW = datetime(2026, 10, 2, tzinfo=UTC)


def lake_of(home: Path) -> cdr.Lake:
    return cdr.open_lake(cdr.load_settings(home=home))


def customer(home: Path) -> str:
    """Return an account with many calls that is in no case and was never blocked."""
    lake = lake_of(home)
    busy = lake.calls().group_by("account_id").len().sort("len", descending=True).collect()
    blocked = lake.scan(ACCOUNTS).filter(status="blocked").collect()["account_id"]
    cases = {*accounts_in_cases(home), *blocked}
    return next(one for one in busy["account_id"].drop_nulls() if one not in cases)


def traces(home: Path, lake: cdr.Lake, account: str) -> set[str]:
    who = identifiers_of(lake, Person("account", account))
    return {trace.file.split("/")[0] for trace in search(home, who).traces}


@pytest.mark.large
def test_an_erased_account_is_nowhere_but_where_the_law_keeps_it(
    callsieve: RunCommand, sample_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the sample's calls never change: whenever it is tried, the bill of them may be to come
    monkeypatch.setenv("CALLSIEVE_RETENTION__UNBILLED_DAYS", "36500")
    lake, account = lake_of(sample_home), customer(sample_home)
    who = identifiers_of(lake, Person("account", account))
    assert {"lake", "inbox"} <= {one.file.split("/")[0] for one in search(sample_home, who).traces}

    ran = callsieve("--home", sample_home, "person", "erase", "--account", account, "--json")

    assert ran.code == 0, ran.err
    receipt = ran.found
    assert receipt["complete"]
    assert receipt["tables"]["calls"]["found"]["account_id"] > 100
    assert receipt["tables"]["calls"]["files_rewritten"] > 0
    assert receipt["tables"]["calls"]["ground"].startswith("Directive 2002/58/EC")
    kept = {name for name, one in receipt["tables"].items() if one["kept"]}
    after = lake_of(sample_home)
    current = {Path(after.address(t, f)) for t in TABLES.values() for f in after.files(t)}
    assert search(sample_home, who, besides=current).traces == ()
    names = {
        name
        for name, table in TABLES.items()
        if "account_id" in table.polars_schema
        and after.scan(table).filter(account_id=account).collect().height
    }
    assert names <= kept
    assert after.calls().filter(account_id=account).select(
        "kept_for"
    ).unique().collect().rows() == [("billing",)]
    assert account not in json.dumps(receipt)
    shown = callsieve("--home", sample_home, "person", "requests", "--json").found["requests"]
    assert [(one["right"], one["state"], one["subject"]) for one in shown] == [
        ("erase", "done", None)
    ]
    assert callsieve("--home", sample_home, "audit", "verify").code == 0
    entries = [entry.what for entry in audit.entries(after.home)]
    assert "person.erase" in entries


@pytest.mark.large
def test_a_number_of_nobody_we_know_is_erased_from_calls(
    callsieve: RunCommand, sample_home: Path
) -> None:
    lake = lake_of(sample_home)
    owned = lake.scan(cdr.schema.ACCOUNT_NUMBERS).select("number").collect()["number"]
    number = (
        lake.calls()
        .filter(pl.col("callee_number").is_not_null() & (pl.col("outcome") != "answered"))
        .filter(~pl.col("callee_number").is_in(owned.implode()))
        .select("callee_number").first().collect().item()
    )  # fmt: skip
    ran = callsieve("--home", sample_home, "person", "erase", "--number", number, "--json")
    assert ran.code == 0, ran.err
    assert ran.found["tables"]["calls"]["changed"] > 0
    assert number not in ran.out
    after = lake_of(sample_home)
    naming = after.calls().filter(pl.col("callee_number") == number).collect()
    assert set(naming["outcome"]) <= {"answered"}
    assert after.calls().select(pl.len()).collect().item() == (
        lake.calls().select(pl.len()).collect().item()
    )


def test_an_account_in_an_open_case_is_not_erased(callsieve: RunCommand, sample_home: Path) -> None:
    account = sorted(accounts_in_cases(sample_home))[0]
    ran = callsieve("--home", sample_home, "person", "erase", "--account", account, "--json")
    assert (ran.code, ran.found["held_by"], ran.found["complete"]) == (1, ["open case"], False)
    assert lake_of(sample_home).scan(ACCOUNTS).filter(account_id=account).collect().height
    listed = callsieve("--home", sample_home, "person", "requests", "--json")
    assert [(one["right"], one["state"]) for one in listed.found["requests"]] == [("erase", "open")]


@pytest.mark.large
def test_access_tells_what_why_how_long_and_how_it_was_decided(
    callsieve: RunCommand, sample_night: Path, sample_home: Path
) -> None:
    account = sorted(accounts_in_cases(sample_home))[0]
    words = ("--home", sample_home, "person")
    callsieve(*words, "disclose", "--account", account, "--to", "police", "--what", "calls",
              "--ground", "order 12 Js 34/26")  # fmt: skip
    ran = callsieve(*words, "access", "--account", account, "--json")
    assert ran.code == 0, ran.err
    told = ran.found
    calls = next(one for one in told["holdings"] if one["table"] == "calls")
    counted = lake_of(sample_home).calls().filter(account_id=account).select(pl.len()).collect()
    assert calls["rows"] == counted.item()
    assert calls["since"] < calls["until"]
    assert {"billing", "fraud"} <= {p for c in calls["columns"] for p in c["purposes"]}
    assert {one["clause"] for one in calls["periods"]} >= {
        "GDPR Art. 5(1)(c), (e): no more and no longer than needed"
    }
    assert [one["recipient"] for one in told["recipients"]] == ["police"]
    assert told["scores"][0]["reasons"]
    assert told["cases"][0]["evidence"]
    assert "similar_blocked" not in told["cases"][0]["evidence"][0]
    assert [one["what"] for one in told["uses"]] == ["person.disclose", "person.access"]


@pytest.mark.large
def test_export_gives_only_the_persons_rows_and_shortens_others(
    callsieve: RunCommand, sample_home: Path, tmp_path: Path
) -> None:
    account, out = customer(sample_home), tmp_path / "out"
    ran = callsieve("--home", sample_home, "person", "export", "--account", account, "--out", out)
    assert ran.code == 0, ran.err
    schema = json.loads((out / "schema.json").read_bytes())
    calls = [json.loads(line) for line in (out / "calls.jsonl").read_text().splitlines()]
    assert {one["account_id"] for one in calls} == {account}
    others = [one["callee_number"] for one in calls if one["direction"] == "outbound"]
    assert all(number is None or number.endswith("xxxx") for number in others)
    assert set(calls[0]) == {column["name"] for column in schema["tables"]["calls"]["columns"]}
    rows = pl.read_csv(out / "calls.csv", infer_schema=False)
    assert rows.height == len(calls)
    assert all(column["meaning"] for t in schema["tables"].values() for column in t["columns"])
    again = callsieve("--home", sample_home, "person", "export", "--account", account, "--out", out)
    assert again.code == 2


def test_rectify_keeps_what_stood_before(callsieve: RunCommand, sample_home: Path) -> None:
    account = customer(sample_home)
    words = ("--home", sample_home, "person", "rectify", "--account", account)
    assert callsieve(*words, "--set", "name=Ada Lovelace", "--json").found == {"columns": ["name"]}
    rows = lake_of(sample_home).scan(ACCOUNTS).filter(account_id=account).sort("valid_from")
    versions = rows.select("name", pl.col("valid_to").is_null()).collect().rows()
    assert versions[-1] == ("Ada Lovelace", True)
    assert versions[-2][1] is False
    assert callsieve(*words, "--set", "status=active").code == 2
    assert callsieve(*words, "--set", "nonsense").code == 2


def test_restriction_and_objection_hold_until_they_are_decided(
    callsieve: RunCommand, sample_home: Path
) -> None:
    account, words = customer(sample_home), ("--home", sample_home, "person")
    asked = callsieve(*words, "object", "--account", account, "--reason", "no", "--json").found
    assert left_alone(lake_of(sample_home), as_of=datetime.now(UTC)) == {account}
    request = asked["request_id"][:8]
    assert callsieve(*words, "decide", request, "--refuse").code == 2
    assert callsieve(*words, "decide", request, "--refuse", "--grounds", "compelling").code == 0
    assert left_alone(lake_of(sample_home), as_of=datetime.now(UTC)) == set()
    asked = callsieve(*words, "restrict", "--account", account, "--json").found
    assert callsieve(*words, "restrict", "--account", account, "--json").found == asked
    assert left_alone(lake_of(sample_home), as_of=datetime.now(UTC)) == {account}
    explained = callsieve("--home", sample_home, "explain", account)
    assert (explained.code, "restricted or objected to" in explained.err) == (2, True)
    lifted = callsieve(*words, "decide", asked["request_id"], "--lift", "--grounds", "asked")
    assert lifted.code == 0, lifted.err
    assert left_alone(lake_of(sample_home), as_of=datetime.now(UTC)) == set()


@pytest.mark.parametrize(
    "words",
    [("access",), ("access", "--account", "a", "--number", "+4930123456"),
     ("access", "--number", "030123"), ("rectify", "--number", "+4930123456", "--set", "name=x"),
     ("decide", "zz", "--grant"), ("decide", "zz")],
    ids=lambda words: "-".join(words[:1]),
)  # fmt: skip
def test_wrong_use_says_what_to_do(
    callsieve: RunCommand, sample_home: Path, words: tuple[str, ...]
) -> None:
    ran = callsieve("--home", sample_home, "person", *words)
    assert (ran.code, "Traceback" in ran.err) == (2, False)
