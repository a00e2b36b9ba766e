"""A simulated operator, once as files and once as columns, shared by the tests beside it."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from simulated_month import Month

from pipelines.simulate import SimulationReport, simulate
from pipelines.simulate.destinations import build_destinations
from pipelines.simulate.draws import Part, generator
from pipelines.simulate.hours import DAY_MS, activity, local_midnight_ms
from pipelines.simulate.population import build_population
from pipelines.simulate.streams import build_streams
from pipelines.simulate.traffic import Legs, legs_of_day

if TYPE_CHECKING:
    from pathlib import Path

START = date(2026, 9, 1)
DAYS = 30


@pytest.fixture(scope="session")
def month() -> Month:
    first_ms = local_midnight_ms(START, "UTC")
    last_ms = first_ms + DAYS * DAY_MS
    destinations = build_destinations()
    people = build_population(300, first_ms, last_ms, 5, destinations)
    streams = build_streams(people, destinations, first_ms, last_ms, 5, None)
    days = [
        legs_of_day(
            streams, people, destinations, activity(START + timedelta(days=day)), day,
            first_ms + day * DAY_MS, generator(5, Part.TRAFFIC, day),
        )
        for day in range(DAYS)
    ]  # fmt: skip
    legs = Legs(*(np.concatenate([getattr(d, f.name) for d in days]) for f in fields(Legs)))
    return Month(people, legs, destinations, first_ms, last_ms)


@pytest.fixture(scope="session")
def operator(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SimulationReport]:
    out = tmp_path_factory.mktemp("simulated") / "out"
    return out, simulate(out, accounts=150, days=8, seed=3, calls_per_account_day=4.0)
