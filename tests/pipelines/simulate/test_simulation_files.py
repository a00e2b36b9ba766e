"""What a simulation writes: the same bytes for a seed, the right files, nothing about the truth."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdr.errors import WrongUse
from pipelines.simulate import SimulationReport, simulate
from pipelines.simulate.draws import Part, generator
from pipelines.simulate.fraud_profiles import FRAUD_KINDS
from pipelines.simulate.profiles import LOOKALIKE_KINDS

pytestmark = pytest.mark.slow


Operator = tuple[Path, SimulationReport]


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_same_seed_same_bytes_other_seed_other_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        simulate(tmp_path / name, accounts=100, days=2, seed=seed, calls_per_account_day=2.0)

    a, b, c = (hashes(tmp_path / name) for name in "abc")

    assert a == b
    assert {name for name in a if a[name] == c.get(name)} == {"callsieve.toml"}


def test_every_source_has_a_file_for_each_local_day(operator: Operator) -> None:
    out, _ = operator
    files = {p.name: sorted(f.stem for f in p.iterdir()) for p in (out / "inbox").iterdir()}

    assert set(files) == {"pbx", "softswitch", "proxy", "wholesale"}
    assert files["softswitch"] == [f"2026-09-0{d}" for d in range(1, 9)]
    assert files["pbx"][0] == "2026-09-01"
    assert files["wholesale"][0] == "2026-08-31"  # midnight UTC is the evening before


def test_report_counts_what_is_there(operator: Operator) -> None:
    out, report = operator
    files = [p for p in out.rglob("*") if p.is_file() and p.parent.name != "truth"]
    truth = pl.read_parquet(out / "truth/calls.parquet")
    calls = truth.select(pl.sum_horizontal("outbound_count", "inbound_count", "internal_count"))

    assert report.files == len(files)
    assert report.bytes == sum(p.stat().st_size for p in files)
    assert report.accounts == 150
    assert sum(report.calls.values()) == calls.to_series().sum()


def test_every_kind_and_look_alike_occurs(operator: Operator) -> None:
    _, report = operator

    assert set(report.fraud_accounts) == set(FRAUD_KINDS)
    assert min(report.fraud_accounts.values()) >= 3
    assert set(report.lookalike_accounts) == set(LOOKALIKE_KINDS)
    assert min(report.lookalike_accounts.values()) >= 2


def test_settings_name_the_sources_and_not_the_truth(operator: Operator) -> None:
    out, _ = operator
    text = (out / "callsieve.toml").read_text("utf-8")

    assert set(tomllib.loads(text)["sources"]) == {"pbx", "softswitch", "proxy", "wholesale"}
    assert "truth" not in text


def test_operator_files_have_the_columns_of_the_contract(operator: Operator) -> None:
    out, _ = operator
    header = {p.stem: p.read_text("utf-8").split("\n", 1)[0] for p in out.glob("*.csv")}

    assert header == {
        "accounts": "account_id,created_at,name,email,phone,address,country,id_document,social,"
        "payment_fingerprint,devices,signup_ip,forward_to,plan,status,status_since,status_reason",
        "account_numbers": "account_id,number,valid_from,valid_to",
        "account_events": "account_id,at,kind,ip,device,payment_fingerprint,amount,currency,"
        "counterpart,detail",
        "messages": "account_id,at,counterpart,text",
        "lists": "list,entry,detail,valid_from,valid_to",
    }


def test_the_list_is_mostly_of_numbers_that_nobody_calls(operator: Operator) -> None:
    out, _ = operator
    lists = pl.read_csv(out / "lists.csv", schema_overrides={"entry": pl.String})
    listed = lists.filter(list="test_numbers")["entry"]
    written = "".join(f.read_text("utf-8") for f in (out / "inbox").rglob("*") if f.is_file())
    called = [entry for entry in listed if entry[1:] in written]

    assert 0 < len(called) < 0.2 * len(listed)


def test_most_domains_of_fraudulent_texts_are_listed(operator: Operator) -> None:
    out, _ = operator
    listed = pl.read_csv(out / "lists.csv", infer_schema=False).filter(list="link_domains")["entry"]
    texts = pl.read_csv(out / "messages.csv", infer_schema=False)["text"]
    domains = texts.str.extract(r"http://([a-z.-]+)").drop_nulls().unique()

    assert 0 < len(listed) < len(domains)
    assert set(listed) < set(domains)


def test_uncaught_fraudsters_look_active_and_caught_ones_blocked(operator: Operator) -> None:
    out, _ = operator
    accounts = pl.read_csv(out / "accounts.csv", try_parse_dates=True)
    both = accounts.join(pl.read_parquet(out / "truth/accounts.parquet"), on="account_id")
    frauds = both.filter("is_fraud")
    caught = frauds.filter(pl.col("known_at").is_not_null())

    assert set(caught["status"]) == {"blocked"}
    assert set(caught["status_reason"]) <= {"fraud", "misuse"}
    assert caught.filter(pl.col("status_since").dt.epoch("s") != pl.col("known_at").dt.epoch("s"))[
        "account_id"
    ].is_empty()
    assert set(frauds.filter(pl.col("known_at").is_null())["status"]) == {"active"}
    assert not set(both.filter(~pl.col("is_fraud"))["status_reason"]) & {"fraud", "misuse"}


def test_ring_members_share_a_detail_and_change_the_rest(operator: Operator) -> None:
    out, _ = operator
    truth = pl.read_parquet(out / "truth/accounts.parquet").filter(kind="subscription_ring")
    accounts = pl.read_csv(out / "accounts.csv").with_columns(
        device=pl.col("devices").str.split(";").list.first()
    )
    ring = accounts.join(truth.filter(group_id=0), on="account_id")
    counts = {c: ring[c].n_unique() for c in ("address", "payment_fingerprint", "device", "email")}

    assert len(ring) >= 3
    assert min(counts["address"], counts["payment_fingerprint"], counts["device"]) == 1
    assert counts["email"] > 1


def test_account_number_says_nothing_about_fraud(operator: Operator) -> None:
    out, _ = operator
    truth = pl.read_parquet(out / "truth/accounts.parquet").sort("account_id")
    place = pl.int_range(len(truth), eager=True) / len(truth)

    mean = place.filter(truth["is_fraud"]).mean()

    assert truth["account_id"].str.len_chars().n_unique() == 1
    assert mean == pytest.approx(0.5, abs=0.15)


def test_no_call_file_names_a_kind_of_fraud(operator: Operator) -> None:
    out, _ = operator
    words = (*FRAUD_KINDS, *LOOKALIKE_KINDS, "is_fraud", "lookalike")
    names = " ".join(
        p.relative_to(out).as_posix() for p in out.rglob("*") if "truth" not in p.parts
    )

    assert not [word for word in words if word in names]
    for path in (out / "inbox").rglob("*.*"):
        text = path.read_text("utf-8")
        assert not [word for word in words if word in text]


def test_some_lines_are_logged_twice_and_some_cut(operator: Operator) -> None:
    out, _ = operator
    lines = [x for p in (out / "inbox/softswitch").iterdir() for x in p.read_text().splitlines()]

    assert len(lines) > len(set(lines))
    assert any(not line.endswith("}") for line in lines)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"accounts": 10}, "accounts"),
        ({"days": 0}, "days"),
        ({"seed": -1}, "seed"),
        ({"calls_per_account_day": 0.0}, "calls per account"),
    ],
)
def test_wrong_arguments_say_what_to_give(
    tmp_path: Path, wrong: dict[str, float], word: str
) -> None:
    right = {"accounts": 100, "days": 1, "seed": 1}

    with pytest.raises(WrongUse, match=word):
        simulate(tmp_path / "out", **(right | wrong))  # type: ignore[arg-type]

    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")

    with pytest.raises(WrongUse, match="empty folder"):
        simulate(tmp_path, accounts=100, days=1, seed=1)

    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_progress_begins_at_nothing_and_ends_at_all(tmp_path: Path) -> None:
    told: list[float] = []

    simulate(
        tmp_path / "out", accounts=100, days=2, seed=1, calls_per_account_day=1.0,
        progress=lambda what, share: told.append(share),
    )  # fmt: skip

    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.0, 1.0)


@given(seed=st.integers(0, 2**40), day=st.integers(0, 10_000))
def test_a_part_of_the_simulation_draws_apart_from_the_others(seed: int, day: int) -> None:
    drawn = {part: generator(seed, part, day).integers(0, 2**62) for part in Part}

    assert len(set(drawn.values())) == len(Part)
    assert drawn == {part: generator(seed, part, day).integers(0, 2**62) for part in Part}
