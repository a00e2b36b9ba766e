"""Numbers for the model: counted where something can be compared, unknown elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import polars as pl
import pytest

from cdr.query import Connection
from fraud.identity.overlap import compare_accounts
from fraud.identity.signals import SIGNALS, IdentitySignal, describe, identity_signals

Sees = Callable[..., Connection]
AS_OF = datetime(2026, 2, 1, tzinfo=UTC)
BLOCKED = {"status": "blocked", "status_reason": "fraud"}
NAMES = [signal.name for signal in SIGNALS]


def signals(con: Connection) -> dict[str, dict[str, float | None]]:
    frame = identity_signals(compare_accounts(con, as_of=AS_OF))
    assert frame.columns == ["account_id", *NAMES]
    assert set(frame.dtypes[1:]) == {pl.Float64}
    return {row.pop("account_id"): row for row in frame.iter_rows(named=True)}


def test_shared_details_and_those_who_share_them_are_counted(sees: Sees) -> None:
    new = {"devices": ["dev-2000"], "payment_fingerprint": ["card-1"], "address": "Mill Lane 5 Ely"}
    con = sees(
        new=new,
        both={**BLOCKED, "devices": ["dev-2000"], "payment_fingerprint": ["card-1"]},
        card={**BLOCKED, "payment_fingerprint": ["card-1"], "address": "Elm Row 7 Ely"},
        strangers=200,
    )
    found = signals(con)["new"]
    assert found.pop("identity_evidence_bits") > 10  # type: ignore[operator]
    assert found == {
        "identity_shared_details_count": 2,
        "identity_alike_blocked_count": 1,
        "shared_device_blocked_count": 1,
        "shared_means_of_payment_blocked_count": 2,
        "shared_address_blocked_count": 0,
        "disposable_email_count": None,
    }


def test_nothing_shared_is_nought_and_nothing_known_is_unknown(sees: Sees) -> None:
    con = sees(named={"name": "Ann New"}, bare={}, old={**BLOCKED, "devices": ["dev-2000"]})
    found = signals(con)
    assert set(found["bare"].values()) == {None}
    assert found["named"]["identity_evidence_bits"] == 0
    assert found["named"]["shared_device_blocked_count"] is None  # no device to compare


def test_where_nobody_is_blocked_all_is_unknown(sees: Sees) -> None:
    found = signals(sees(new={"name": "Ann New", "devices": ["dev-2000"]}))
    assert set(found["new"].values()) == {None}


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda s: s.name)
def test_every_signal_says_its_unit_and_its_words(signal: IdentitySignal) -> None:
    assert signal.name.endswith(f"_{signal.unit}")
    assert "3" in describe(signal, 3.0)
    assert describe(signal, None).startswith("unknown")
    assert signal.source


def test_a_throw_away_mail_address_is_told_whoever_is_blocked(sees: Sees) -> None:
    found = signals(sees(one={"email": "ab@mailinator.com"}, two={"email": "ab@x.example"}, no={}))
    assert {name: row["disposable_email_count"] for name, row in found.items()} == {
        "one": 1,
        "two": 0,
        "no": None,
    }
