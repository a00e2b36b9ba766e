"""A lake of a few people: two accounts, and somebody who is no customer."""

from __future__ import annotations

from pathlib import Path

from kept_rows import account, ago, call, lake_in, put, put_accounts, put_calls

from cdr.schema import ACCOUNT_EVENTS, ACCOUNT_NUMBERS, REJECTS

ADA, BOB, CARL = "+49301234567", "+49309876543", "+442079460001"


def make_people(folder: Path) -> None:
    """Put the lake into a folder."""
    lake = lake_in(folder)
    mine = {"account_id": "ada-1", "caller_number": ADA, "caller_raw": "030 1234567"}
    put_calls(
        lake,
        call("billable", 20, **mine, callee_number=CARL, callee_raw="00442079460001"),
        call("busy", 20, "busy", **mine, callee_number=BOB, callee_raw="0309876543"),
        call("long_billed", 450, **mine),
        call("bob_to_ada", 20, account_id="bob-1", caller_number=BOB, caller_raw="0309876543",
             callee_number=ADA, callee_raw="0301234567", callee_ip="192.0.2.9"),
        call("bob_missed", 20, "no_answer", account_id="bob-1", caller_number=BOB,
             caller_raw="0309876543", callee_number=ADA, callee_raw="0301234567"),
        call("bob_to_carl", 20, account_id="bob-1", caller_number=BOB, callee_number=CARL),
    )  # fmt: skip
    put_accounts(
        lake,
        account("ada-1", name="Ada Lovelace", email="ada@lovelace.example", country="DE",
                plan="office", devices=["phone", "ada-tablet"], social=["@ada_l"],
                payment_fingerprint=[], forward_to=[CARL]),
        account("bob-1", name="Bob Brown", email="bob@brown.example", devices=["phone"],
                social=[], payment_fingerprint=[], forward_to=[ADA]),
    )  # fmt: skip
    put(lake, ACCOUNT_NUMBERS, [
        {"account_id": "ada-1", "number": ADA, "imported_at": ago(900)},
        {"account_id": "bob-1", "number": BOB, "imported_at": ago(900)},
    ])  # fmt: skip
    put(lake, ACCOUNT_EVENTS, [
        {"account_id": "ada-1", "at": ago(30), "event_date": ago(30).date(), "kind": "payment",
         "event_id": b"p" * 16, "amount": 12, "currency": "EUR", "device": "ada-tablet"},
        {"account_id": "ada-1", "at": ago(30), "event_date": ago(30).date(), "kind": "sign_in",
         "event_id": b"s" * 16, "ip": "192.0.2.77", "detail": "=cmd()"},
    ])  # fmt: skip
    put(lake, REJECTS, [
        {"raw": "x,030 1234567,broken", "reasons": ["r"], "ingested_at": ago(1)},
        {"raw": "x,030 12345678,longer", "reasons": ["r"], "ingested_at": ago(1)},
    ])  # fmt: skip
