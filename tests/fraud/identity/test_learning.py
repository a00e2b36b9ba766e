"""What agreements are worth is learned from pairs, kept, and used as it was kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from math import log2
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from cdr.query import Connection
from fraud.errors import ModelRefused
from fraud.identity.details import DETAILS
from fraud.identity.learning import learned_m
from fraud.identity.overlap import compare_accounts, identity_matches
from fraud.identity.parameters import (
    FILE,
    OUTSET,
    Parameters,
    parameters_from,
    stored_parameters,
)
from fraud.identity.weigh import DIFFERS, WEIGHED

Sees = Callable[..., Connection]
AS_OF = datetime(2026, 2, 1, tzinfo=UTC)
OLD = {
    "status": "blocked",
    "status_reason": "fraud",
    "status_since": datetime(2026, 1, 20, tzinfo=UTC),
    "devices": ["dev-1"],
}
U = 0.001
TRUE_M = {"devices": 0.6, "payment_fingerprint": 0.2, "phone": 0.5}


def weighed(same: int, strangers: int) -> pl.DataFrame:
    """Return pairs as `weigh` gives: of the same people with TRUE_M, of strangers with U.

    All share an address that few have, which made them pairs, and agree or differ in
    three details, in values that too many have to make pairs.
    """
    rng = np.random.default_rng(3)
    is_same = np.arange(same + strangers) < same
    columns: dict[str, Any] = {
        "account_id": [f"a{i}" for i in range(len(is_same))],
        "blocked_id": "b",
        "address_level": "address",
        "address_bits": 8.0,
        "address_holders": 2,
    }
    for key, true_m in TRUE_M.items():
        agrees = rng.random(len(is_same)) < np.where(is_same, true_m, U)
        bits = np.where(agrees, log2(OUTSET[key] / U), log2((1 - OUTSET[key]) / (1 - U)))
        columns |= {
            f"{key}_level": np.where(agrees, key, DIFFERS),
            f"{key}_bits": bits,
            f"{key}_holders": [60 if one else None for one in agrees],
        }
    frame = pl.DataFrame(columns)
    missing = [pl.lit(None, dtype=t).alias(c) for c, t in WEIGHED.items() if c not in columns]
    return frame.with_columns(missing).select(WEIGHED.names()).cast(dict(WEIGHED))


def test_the_m_that_made_the_pairs_is_found_again() -> None:
    """10,000 pairs of the same people among 30,000 that share an address."""
    m, matching = learned_m(weighed(same=10_000, strangers=20_000))
    assert {key: m[key] for key in TRUE_M} == pytest.approx(TRUE_M, abs=0.02)
    assert matching["devices"] == pytest.approx(10_000, rel=0.05)


def test_what_made_the_pairs_does_not_teach_its_own_m() -> None:
    m, matching = learned_m(weighed(same=300, strangers=300))
    assert m["address"] == OUTSET["address"]
    assert matching["address"] == 0


def test_few_pairs_move_what_was_set_a_little_and_none_not_at_all() -> None:
    few, _ = learned_m(weighed(same=20, strangers=0))
    assert OUTSET["devices"] < few["devices"] < 0.45
    none, matching = learned_m(weighed(same=0, strangers=0))
    assert none == pytest.approx(OUTSET)
    assert set(matching.values()) == {0.0}


def test_the_m_of_a_detail_leave_room_for_a_difference() -> None:
    m, _ = learned_m(weighed(same=2_000, strangers=0))
    for detail in DETAILS:
        assert 0 < sum(m[level.key] for level in detail.levels) < 1


def test_with_few_pairs_only_u_is_learned(sees: Sees) -> None:
    con = sees(new={"devices": ["dev-1"]}, old=OLD, strangers=98)
    found = compare_accounts(con, as_of=AS_OF, data_version="accounts=3").parameters
    assert (found.m, found.learned, found.pairs) == (OUTSET, False, 0)
    # one pair of 100 x 99 / 2 shares a device; half a pair is added each way
    assert found.u["devices"] == pytest.approx(2.5 / 9_901)
    assert (found.learned_as_of, found.data_version) == ("2026-02-01", "accounts=3")


@pytest.mark.slow
def test_stored_parameters_weigh_and_nothing_is_learned_anew(sees: Sees) -> None:
    con = sees(new={"devices": ["dev-1"]}, old=OLD, strangers=98)
    first = compare_accounts(con, as_of=AS_OF)
    kept = replace(first.parameters, m={**OUTSET, "devices": 2 * OUTSET["devices"]})
    second = compare_accounts(con, as_of=AS_OF, parameters=kept)
    steps = [identity_matches(one)["bits"].item() for one in (first, second)]
    assert steps[1] - steps[0] == pytest.approx(1.0)
    assert second.parameters == kept


def test_parameters_come_back_from_their_file_and_name_themselves(tmp_path: Path) -> None:
    kept = Parameters(u={"devices": 0.001}, prior=0.01, pairs=7, learned_as_of="2026-02-01")
    assert parameters_from(kept.as_text()) == kept
    assert kept.version == parameters_from(kept.as_text()).version
    assert kept.version != replace(kept, prior=0.02).version
    assert stored_parameters(tmp_path, "gone") is None


@pytest.mark.parametrize("text", [b"{", b"[]", b'{"m": {}}'], ids=["cut", "other", "fields"])
def test_a_damaged_file_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / FILE).write_bytes(text)
    with pytest.raises(ModelRefused, match="damaged"):
        stored_parameters(tmp_path, "model")
