"""The neighbourhood of an account: what it has or uses, and who else does; blocked ones marked.

Pure. Not here: the other pictures (`pictures`), which values tie (`midnights`, `ties`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fraud.review.masking import shown
from fraud.review.models import Case
from fraud.review.slices import Account
from fraud.review.ties import THROUGH

HASHED_SHOWN = 40
"""Ties by codes that are drawn at most. Ours: what a picture can show."""


@dataclass(frozen=True, slots=True)
class Link:
    """A value of the account's, in the words of the page, and who else has it, if anybody."""

    kind: str
    value: str
    label: str
    other_id: str | None
    other_status: str | None

    @property
    def blocked(self) -> bool:
        """Tell whether who else has it is blocked."""
        return self.other_status == "blocked"


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes and edges to draw, and the table that says the same."""

    summary: str
    data: dict[str, Any]
    rows: list[tuple[str, str, str, str]]


def graph(row: Case, account: Account, *, whole: bool) -> Graph:
    """Make the graph of a case."""
    links = list(dict.fromkeys(_links(account, whole=whole)))
    nodes: dict[str, dict[str, Any]] = {
        "me": {"id": "me", "label": row.account_id, "kind": "this account", "blocked": False}
    }
    edges: list[tuple[str, str]] = []
    ids: dict[tuple[str, str], str] = {}
    for link in links:
        value = ids.setdefault((link.kind, link.value), f"v{len(ids)}")
        nodes[value] = {"id": value, "label": link.label, "kind": link.kind, "blocked": False}
        edges.append(("me", value))
        if link.other_id is not None:
            kind = "blocked account" if link.blocked else "account"
            other = f"a{link.other_id}"
            nodes[other] = {
                "id": other, "label": link.other_id, "kind": kind, "blocked": link.blocked
            }  # fmt: skip
            edges.append((value, other))
    others = {link.other_id: link.blocked for link in links if link.other_id is not None}
    return Graph(
        f"{len(others)} other accounts through shared values and calls, "
        f"{sum(others.values())} of them blocked.",
        {"nodes": list(nodes.values()), "edges": [list(edge) for edge in dict.fromkeys(edges)]},
        [
            (link.kind, link.label, link.other_id, link.other_status or "not known")
            for link in links
            if link.other_id is not None
        ],
    )


def _links(account: Account, *, whole: bool) -> Iterator[Link]:
    for one in (*account.between, *account.shared):
        mask = "number" if one["kind"].startswith("number") else one["kind"]
        label = shown(mask, one["value"], whole=whole)
        kind = THROUGH.get(one["kind"], one["kind"])
        yield Link(kind, one["value"], label, one["other_id"], one["other_status"])
    # of blocked accounts codes are kept, no values
    hashed = [(kind, one) for one in account.ties if one["hop"] == 1 for kind in _kinds(one)]
    for kind, one in hashed[:HASHED_SHOWN]:
        yield Link(
            kind, one["key"], shown("code", one["key"], whole=False), one["blocked_id"], "blocked"
        )


def _kinds(tie: Any) -> Iterator[str]:
    """Say through what an account is tied; what it holds itself is shown by value."""
    if tie["called"]:
        yield "number called"
    if tie["calling"]:
        yield "number that called"
    if tie["used"]:
        yield "IP address called from"
    if tie["kind"] in {"postal", "domain", "template"}:
        yield THROUGH[tie["kind"]]
