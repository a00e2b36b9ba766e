"""Kamailio's columns: who called whom, and where the call was sent on to."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

Read = Callable[..., pl.DataFrame]


def test_the_dialogs_of_the_fixture(read: Read) -> None:
    found = read("kamailio_acc", "kamailio_acc.csv")
    said = ("line", "source_rows", "faults", "caller", "callee", "forwarded_to", "outcome", "flags")
    assert found.select(said).rows() == [
        # dialled one user, answered by another; the BYE came from the callee
        (2, 2, [], "sip:+4930901820@a.example", "sip:200@b.example", "sip:201@b.example",
         "answered", ["start_at_answer"]),
        # no column says what was dialled: as routed
        (3, 1, [], "sip:100@a.example", "sip:300@b.example", None,
         "answered", ["missing_bye", "start_at_answer"]),
        # INVITE cancelled by the caller: a CANCEL has no tag of the callee
        (5, 2, [], "sip:100", "sip:301@b.example", None, "cancelled", []),
        (7, 1, ["bye_without_invite"], "sip:100@a.example", "sip:300@b.example", None, None, []),
    ]  # fmt: skip


def test_the_last_of_several_legs_says_where_a_call_was_sent_on_to(read: Read) -> None:
    header = "method,from_tag,to_tag,callid,sip_code,sip_reason,time,src_user,src_domain,dst_ouser,"
    legs = (
        "INVITE,f1,t1,c1,200,OK,2026-09-01 12:00:07,100,a.example,200,200,b.example",
        "INVITE,f1,t1,c1,200,OK,2026-09-01 12:00:07,200,b.example,,+442079460018,c.example",
        "INVITE,f1,t1,c1,200,OK,2026-09-01 12:00:30,100,a.example,200,999,b.example",  # re-INVITE
        "BYE,f1,t1,c1,200,OK,2026-09-01 12:01:07,100,a.example,200,200,b.example",
    )
    found = read("kamailio_acc", "\n".join((header + "dst_user,dst_domain", *legs, "")).encode())
    assert found.select("source_rows", "caller", "callee", "forwarded_to", "ended").rows() == [
        (4, "sip:100@a.example", "sip:200@b.example", "sip:+442079460018@c.example",
         "2026-09-01 12:01:07"),
    ]  # fmt: skip
