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
