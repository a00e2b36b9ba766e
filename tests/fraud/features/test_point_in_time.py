"""Nothing that began at or after the midnight is seen, by any signal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from typing import Any

import polars as pl
import pytest
from feature_rows import AS_OF, account, call, opened
from polars.testing import assert_frame_equal

from cdr.errors import WrongUse
from cdr.query import Connection, Query, run
from fraud.features.by_slice import slices
from fraud.features.midnight import features_as_of, features_at
from fraud.features.signals import SIGNALS

Open = Callable[..., Connection]


def busy_day(day: date, *, wild: bool) -> dict[str, list[Any]]:
    """Return a day on which every signal has something to measure; quite another when wild."""
    at = datetime(day.year, day.month, day.day, 3 if wild else 10, tzinfo=UTC)
    calls = []
    for n in range(90 if wild else 30):
        start = at + timedelta(seconds=20 * n if wild else 600 * n)
        abroad = n >= 30 if wild else not n % 5
        calls.append(
            call(
                start,
                (3 if n % 2 else 9000 if wild else 4000) if n % 10 < (6 if wild else 7) else None,
                ring_ms=1_000 if wild and n % 20 > 9 else 20_000,
                outcome="failed"
                if n % 10 == 9 and (wild or n % 20 == 9)
                else "answered"
                if n % 10 < (6 if wild else 7)
                else "no_answer",
                callee_number=("+53" if abroad else "+4930") + f"{7000 + (n if wild else n % 25)}",
                callee_country=("CU" if n % 2 or not wild else "SO") if abroad else "DE",
                caller_ip=f"10.{n % 4 if wild else 0}.0.{n}",
                caller_ip_country=("CU", "SO")[n % 2] if wild else "DE" if n % 5 else "CU",
                forwarded_to="+4930" if wild and n % 2 else None,
            )
        )
    for n in range(60 if wild else 21):
        calls.append(  # noqa: PERF401
            call(
                at + timedelta(minutes=n),
                None if n % 3 == 0 or (wild and n % 2) else 30,
                direction="inbound",
                ring_ms=2_000,
                caller_number=f"+4930{7000 + n}",
            )
        )
    events = [
        {
            "kind": kind,
            "ip": f"198.51.{wild:d}.{n}",
            "ip_country": ("CU", "DE")[n % 2] if wild else "DE",
            "device": f"{wild}{n}",
            **payment,
        }
        for n in range(3 if wild else 1)
        for kind, payment in (
            ("sign_in", {}),
            ("payment", {"payment_fingerprint": f"{wild}{n}"}),
            ("payment_failed", {}),
            ("password_changed", {}),
        )
    ]
    texts = 60 if wild else 20
    return {
        "calls": calls,
        "account_events": [
            {"account_id": "a", "at": at + timedelta(minutes=n), "event_date": day, **event}
            for n, event in enumerate(events)
        ],
        "message_templates": [
            {
                "account_id": "a",
                "message_date": day,
                "template_hash": template,
                "text_count": count,
                "counterpart_count": count,
                "link_count": count if wild else 3,
                "listed_link_count": count if wild else 1,
            }
            for template, count in (("t1", texts), ("t2", 7))
        ],
        "account_numbers": [
            {"account_id": "a", "number": f"+49307{wild:d}{n}", "valid_from": at}
            for n in range(5 if wild else 1)
        ],
        "lists": [
            {
                "list": "test_numbers",
                "entry": "+537000" if not wild else "+537040",
                "valid_from": datetime(day.year, day.month, day.day, tzinfo=UTC),
            }
        ],
    }


def merged(*days: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {table: [row for day in days for row in day[table]] for table in days[0]}


PAST = merged(
    *(busy_day(date(2026, 2, day), wild=False) for day in (18, 19, 20, 26)),
    busy_day(date(2026, 3, 1), wild=False),
)
FUTURE = busy_day(AS_OF.date(), wild=True)
FUTURE["calls"] += [  # nine others hear a number that rings `a` on that day too
    call(
        AS_OF + timedelta(hours=n),
        account_id=f"x{n}",
        direction="inbound",
        caller_number="+49307000",
        ring_ms=2_000,
    )
    for n in range(9)
]
LATER = AS_OF + timedelta(seconds=1)
DETAILS = {"address": "Some St. 1", "phone": "+49309001"}
OPENED = account(created="2026-02-17", **DETAILS)
MOVED = account(created="2026-02-17", country="CU", valid_from=LATER, **DETAILS)


def other(account_id: str, day: date, numbers: range) -> dict[str, list[Any]]:
    """Return what ties an account to `a`: calls, a sign-in, a payment, texts."""
    at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    shown = {"ip": "198.51.0.0", "device": "False0", "payment_fingerprint": "False0"}
    event = {"account_id": account_id, "at": at, "event_date": day, "kind": "sign_in", **shown}
    texts = {"text_count": 5, "counterpart_count": 5, "link_count": 0}
    return {
        "calls": [
            call(
                at + timedelta(minutes=n),
                5,
                account_id=account_id,
                callee_number=f"+4930{7001 + n}",
            )
            for n in numbers
        ],
        "account_events": [event],
        "message_templates": [
            {"account_id": account_id, "message_date": day, "template_hash": template, **texts}
            for template in ("t1", "t2")[: len(numbers)]
        ],
        "account_numbers": [],
        "lists": [],
    }


def blocked(account_id: str, at: datetime) -> list[dict[str, Any]]:
    """Return an account that was blocked, and one that leads on from it to `a`."""
    tie = [f"between {account_id}"]
    details = {"created": "2026-02-01", "address": DETAILS["address"], "devices": tie}
    state = {"status": "blocked", "status_since": at, "status_reason": "fraud"}
    between = account(f"{account_id}2", "2026-02-01", devices=tie, phone=DETAILS["phone"])
    return [
        dict(account(account_id, **details, valid_to=at)),
        dict(account(account_id, **details, **state)) | {"valid_from": at},
        dict(between),
    ]


EARLIER = blocked("b", datetime(2026, 2, 22, 9, tzinfo=UTC))
OTHERS = merged(other("b", date(2026, 2, 20), range(1)), other("c", date(2026, 2, 26), range(4)))


@pytest.fixture(scope="module")
def with_and_without() -> Iterator[tuple[Connection, Connection]]:
    known = merged(PAST, OTHERS)
    later = blocked("c", LATER)
    past = opened(**known, accounts=[OPENED, *EARLIER, {**later[0], "valid_to": None}, later[2]])
    stood = {**OPENED, "valid_to": LATER}
    planted = opened(**merged(known, FUTURE), accounts=[stood, MOVED, *EARLIER, *later])
    yield planted, past
    planted.close()
    past.close()


def test_a_future_that_would_change_every_signal_changes_none(
    with_and_without: tuple[Connection, Connection],
) -> None:
    planted, past = with_and_without
    known = features_as_of(past, as_of=AS_OF)
    assert [name for name, value in known.row(0, named=True).items() if value is None] == []
    assert_frame_equal(features_as_of(planted, as_of=AS_OF), known)

    next_day = AS_OF + timedelta(days=1)
    then = features_as_of(planted, as_of=next_day).row(0, named=True)
    otherwise = features_as_of(past, as_of=next_day).row(0, named=True)
    unmoved = {name for name, value in then.items() if value == otherwise[name]}
    # the planted day lies after the first two, and time alone makes an account older
    assert unmoved == {
        "account_id",
        *(s.name for s in SIGNALS if s.family == "first_days"),
    }


@pytest.mark.slow
def test_pairs_give_what_each_midnight_gives(
    with_and_without: tuple[Connection, Connection],
) -> None:
    con, _ = with_and_without
    midnights = [AS_OF - timedelta(days=2), AS_OF, AS_OF + timedelta(days=1)]
    pairs = pl.DataFrame({"account_id": ["a", "a", "a", "nobody"], "as_of": [*midnights, AS_OF]})
    got = features_at(con, pairs)
    assert got["as_of"].to_list() == midnights
    for as_of in midnights:
        one = got.filter(pl.col("as_of") == as_of).drop("as_of")
        assert_frame_equal(one, features_as_of(con, as_of=as_of).head(1))
    assert_frame_equal(one, features_as_of(con, as_of=as_of, accounts=["a"]))


@pytest.mark.slow
def test_slices_of_accounts_give_what_all_give(
    with_and_without: tuple[Connection, Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    con, _ = with_and_without
    whole = features_as_of(con, as_of=AS_OF)
    keys = run(con, Query("keys", "FROM account_day_keys")).lazy()
    keys = keys.filter(pl.col("account_id").is_in(["a", "b", "c"]))
    assert slices(keys, 1) == [(None, "b"), ("b", "c"), ("c", None)]
    assert slices(keys, 1_000_000) == slices(keys.limit(0), 1) == [(None, None)]
    monkeypatch.setattr(import_module("fraud.features.by_slice"), "KEYS_AT_ONCE", 1)
    assert_frame_equal(features_as_of(con, as_of=AS_OF), whole, rel_tol=1e-12)


def test_accounts_opened_later_are_not_there(tables: Open) -> None:
    con = tables(accounts=[account("old"), account("new", created="2026-03-02")])
    one = SIGNALS[:1]
    assert features_as_of(con, as_of=AS_OF, signals=one)["account_id"].to_list() == ["old"]
    assert features_as_of(con, as_of=AS_OF, signals=one, accounts=["new"]).is_empty()


def test_no_pairs_give_no_rows(tables: Open) -> None:
    got = features_at(tables(), pl.DataFrame(schema={"account_id": pl.String, "as_of": pl.Null}))
    assert got.is_empty()
    assert got.columns == ["account_id", "as_of", *(signal.name for signal in SIGNALS)]


@pytest.mark.parametrize(
    "as_of",
    [
        pytest.param(AS_OF + timedelta(hours=1), id="one-o-clock"),
        pytest.param(AS_OF.replace(tzinfo=None), id="no-zone"),
    ],
)
def test_only_a_midnight_in_utc_will_do(tables: Open, as_of: datetime) -> None:
    with pytest.raises(WrongUse, match="midnight in UTC"):
        features_as_of(tables(), as_of=as_of)
