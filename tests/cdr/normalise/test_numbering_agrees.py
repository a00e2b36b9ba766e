"""Our reading of numbers agrees with the `phonenumbers` library, and its table is up to date."""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import phonenumbers
import pytest

from cdr.normalise.numbering_longer import LONGER
from cdr.normalise.numbering_ranges import MAX_DIGITS, compile_world, world
from cdr.normalise.numbering_short import LONGEST_SHORT

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "numbering.py"


@pytest.fixture(scope="module")
def benchmark() -> Any:
    spec = importlib.util.spec_from_file_location("numbering_benchmark", BENCHMARK)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_some_numbers_of_every_region_are_read_as_the_library_reads_them(benchmark: Any) -> None:
    every = benchmark.samples(per_region=4, seed=1)
    abroad = [sample._replace(country="DE") for sample in every if sample.text.startswith("+")][
        ::40
    ]
    dialled = [sample for sample in every if sample.country in ("AR", "BR", "DE", "JM", "RU")]
    found = benchmark.compared(abroad + dialled)
    assert found["numbers"] > 1_500
    assert found["different"] == []


def test_short_codes_of_many_digits_are_read_as_the_library_reads_them(benchmark: Any) -> None:
    chance = random.Random(3)
    every = [
        benchmark.Sample(digits, country)
        for country in ("AU", "CN", "IN")
        for digits in benchmark._short(country, 150, chance)
    ]
    found = benchmark.compared(every)
    assert sum(len(sample.text) > LONGEST_SHORT for sample in every) > 50
    assert found["different"] == []


@pytest.mark.large
def test_two_hundred_thousand_numbers_agree(benchmark: Any) -> None:
    every = benchmark.samples(per_region=300, seed=2)
    found = benchmark.compared(every)
    assert found["numbers"] >= 200_000
    assert {sample.country for sample in every} == phonenumbers.SUPPORTED_REGIONS
    assert found["same_share"] >= 0.9999
    assert found["different"] == []


def test_a_wrong_reading_is_counted(benchmark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    every = [benchmark.Sample(f"+4930{n}", "DE") for n in range(1_234_560, 1_234_580)]
    right = benchmark.by_ours(every)
    wrong = [right[0]._replace(country="AT"), *right[1:]]
    monkeypatch.setattr(benchmark, "by_ours", lambda _: wrong)
    found = benchmark.compared(every)
    assert found["same_share"] == 0.95
    assert [each["ours"] for each in found["different"]] == [("valid", "AT", "fixed")]


@pytest.mark.parametrize(("country", "code"), LONGER.items())
def test_texts_longer_than_the_table_are_read_as_the_library_reads_them(
    benchmark: Any, country: str, code: int
) -> None:
    chance = random.Random(code)
    plan = phonenumbers.PhoneMetadata.metadata_for_region(country)
    made = []
    while len(made) < 200:
        prefix = benchmark._drawn(plan.national_prefix_for_parsing, chance)
        national = benchmark._drawn(plan.general_desc.national_number_pattern, chance)
        made.append(benchmark.Sample(f"+{code}{prefix}{national}", "FR"))
        made.append(benchmark.Sample(f"00{code}{prefix}{national}", "FR"))
        made.append(benchmark.Sample(f"{prefix}{national}", country))
    found = benchmark.compared(made)
    assert any(len(sample.text) > MAX_DIGITS + 1 for sample in made)
    assert found["different"] == []


@pytest.mark.large
def test_the_packaged_table_is_what_the_metadata_gives() -> None:
    compiled, packaged = compile_world(), world()
    assert packaged.said == compiled.said
    assert np.array_equal(packaged.starts, compiled.starts)
    assert np.array_equal(packaged.verdicts, compiled.verdicts)
