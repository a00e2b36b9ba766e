"""The page about the simulator gives the parameters that the code has."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.simulate.fraud_profiles import COVER, FRAUD_KINDS, FRAUDS
from pipelines.simulate.frauds import KINDS
from pipelines.simulate.profiles import HOLIDAY_AWAY, LOOKALIKES, ORDINARY, Profile

PAGE = (Path(__file__).parents[3] / "docs/simulator.md").read_text("utf-8")
PROFILES = [*ORDINARY, *LOOKALIKES.values(), HOLIDAY_AWAY, COVER, *FRAUDS.values()]


@pytest.mark.parametrize("p", PROFILES, ids=lambda p: p.name)
def test_the_page_has_the_parameters_of_each_behaviour(p: Profile) -> None:
    assert (
        f"| `{p.name}` | {p.calls_per_day:g} | {p.curve} | {p.mix} | {p.choice.name.lower()} of "
        f"{p.contacts} | {p.inbound_share:g} | {p.answered_share:g} | {p.talk_s:g} | "
        f"{p.short_share:g} |\n"
    ) in PAGE


@pytest.mark.parametrize("kind", FRAUD_KINDS)
def test_the_page_says_how_each_kind_comes_to_light(kind: str) -> None:
    k = KINDS[kind]

    assert (
        f"| `{kind}` | {k.share:.2%} | {k.floor} | {k.caught_share:g} | {k.delay_d:g} | "
        f"{k.fresh_share:g} | {k.reason} |\n"
    ) in PAGE
