"""What is looked up of dialled digits is what the rules make of them, one by one."""

from __future__ import annotations

import numpy as np
import phonenumbers
import polars as pl
import pytest

from cdr.normalise.numbering_dialled import Digits, Flags
from cdr.normalise.numbering_home import Home, _Way
from cdr.normalise.numbering_ranges import MAX_DIGITS, digits_of


def dialled(home: Home, *, seed: int) -> pl.Series:
    """Return digits at and beside the ends of all ranges behind some prefixes, and any others."""
    chance = np.random.default_rng(seed)
    starts = np.unique(np.concatenate([home._ranges.starts, home._steps.ranges.starts]))[1:]
    edges = np.concatenate([starts - 1, starts, starts + 1])
    value, count = digits_of(chance.permutation(edges)[:3_000])
    texts = Digits(value, count).text().to_list()
    texts += [str(n) for n in chance.integers(1, 10**MAX_DIGITS, 500)]
    texts += ["".join(map(str, chance.integers(0, 10, n % 20 + 1))) for n in range(2_000)]
    code = str(home._code)
    for first in ("0", "00", "011", "1", code, f"0{code}", f"00{code}", f"011{code}0", "004940"):
        texts += [first + text for text in texts[:: len(texts) // 300]]
    return pl.Series(texts).filter(pl.Series(texts) != "")


def differing(home: Home, texts: pl.Series) -> Flags:
    """Tell which digits are read otherwise if each is read for itself."""
    digits = Digits.of(texts)
    found = home.read(digits, texts)
    steps = home._steps
    home._steps = steps._replace(way=np.full_like(steps.way, _Way.ALONE))
    alone = home.read(digits, texts)
    home._steps = steps
    same: Flags = found.places == alone.places
    same &= (found.digits.value == alone.digits.value) & (found.digits.count == alone.digits.count)
    return ~same


@pytest.mark.parametrize("country", ["AR", "AU", "CN", "DE", "GB", "IT", "JP", "RU", "US"])
def test_digits_of_a_range_are_read_as_the_rules_read_each(country: str) -> None:
    home = Home(country)
    assert not differing(home, dialled(home, seed=1)).any()


@pytest.mark.large
def test_digits_of_a_range_are_read_as_the_rules_read_each_everywhere() -> None:
    homes = {country: Home(country) for country in sorted(phonenumbers.SUPPORTED_REGIONS)}
    wrong = [
        country for country, home in homes.items() if differing(home, dialled(home, seed=2)).any()
    ]
    assert (len(homes), wrong) == (245, [])


@pytest.mark.parametrize(
    ("country", "texts"),
    [
        ("DE", ["0301234567", "015123456789", "00442079460018", "004930123456", "08001234567"]),
        ("FR", ["0123456789", "0612345678", "0033123456789", "00442079460018"]),
        ("US", ["2025550123", "12025550123", "011442079460018", "18005550123"]),
    ],
)
def test_what_is_dialled_most_needs_no_rules(country: str, texts: list[str]) -> None:
    home = Home(country)
    of_text = Digits.of(pl.Series(texts)).look_up(home._steps.ranges)
    assert _Way.ALONE not in home._steps.way[of_text]
