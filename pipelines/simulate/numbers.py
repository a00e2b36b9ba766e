"""Telephone numbers that are valid by the numbering metadata, drawn by the million.

For each country and kind of number a few blocks are found once, by trying
prefixes against the pattern of ``phonenumbers``; a number is then a block and a
suffix, and drawing needs no look at the metadata. Who calls whom, and how a
number is dialled, belongs to :mod:`.destinations` and :mod:`.dialling`.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from functools import cache

import numpy as np
import phonenumbers

from pipelines.simulate.draws import Ints, Keys, below

BLOCKS_PER_POOL = 12
"""Most blocks kept for a country and kind; ours, enough for some regional spread."""

_TRIES = 150
_SAMPLES = 60
_KINDS = {
    "fixed": "fixed_line",
    "mobile": "mobile",
    "premium": "premium_rate",
    "toll_free": "toll_free",
}


@dataclass(frozen=True, slots=True)
class Pools:
    """Blocks of valid numbers, grouped by country and kind.

    Attributes
    ----------
    names : tuple of (str, str)
        ISO country and kind (``fixed``, ``mobile``, ``premium``, ``toll_free``) by pool.
    first_block, block_count : int64 array, shape (pools,)
    head, suffix_range : int64 array, shape (blocks,)
        A number is ``head * suffix_range + suffix``, suffix in [0, suffix_range).
    """

    names: tuple[tuple[str, str], ...]
    first_block: Ints
    block_count: Ints
    head: Ints
    suffix_range: Ints

    def index(self, country: str, kind: str) -> int:
        """Return the position of a pool."""
        return self.names.index((country, kind))

    def numbers(self, pool: Ints, bits: Keys, offset: Ints | int = 0) -> Ints:
        """Draw one number for each pool index.

        Parameters
        ----------
        pool : int64 array, shape (n,)
        bits : uint64 array, shape (n,)
            Equal bits give equal numbers.
        offset : int64 array or int, default=0
            Added to the suffix, so that equal bits with 0, 1, 2 are neighbours.

        Returns
        -------
        int64 array, shape (n,)
            E.164 without its plus sign.
        """
        block = self.first_block[pool] + below(bits >> np.uint64(48), self.block_count[pool])
        suffix_range = self.suffix_range[block]
        suffix = (below(bits, suffix_range) + offset) % suffix_range
        number: Ints = self.head[block] * suffix_range + suffix
        return number


def build_pools(wanted: tuple[tuple[str, str], ...]) -> Pools:
    """Find the blocks of each country and kind; kinds a country lacks become ``fixed``."""
    blocks = [_blocks(*pool) or _blocks(pool[0], "fixed") for pool in wanted]
    counts = np.array([len(b) for b in blocks], dtype=np.int64)
    flat = np.array([pair for b in blocks for pair in b], dtype=np.int64)
    return Pools(wanted, np.cumsum(counts) - counts, counts, flat[:, 0], flat[:, 1])


@cache
def _blocks(country: str, kind: str) -> tuple[tuple[int, int], ...]:
    """Return (head with country code, size) of the blocks found for one pool."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(country)
    if metadata is None or metadata.country_code is None:
        raise ValueError(f"no numbering metadata for {country}")
    description = getattr(metadata, _KINDS[kind])
    if description is None or description.example_number is None:
        return ()
    pattern = re.compile(description.national_number_pattern)
    example: str = description.example_number
    # seeded by name: blocks are facts of the numbering plan, the same for every seed
    rng = random.Random(f"{country}{kind}")
    head_digits = _shortest_head(pattern, example)
    size = len(example) - head_digits
    heads = {example[:head_digits]}
    for _ in range(_TRIES):
        if len(heads) == BLOCKS_PER_POOL:
            break
        kept = rng.randrange(1, head_digits) if head_digits > 1 else 0
        head = example[:kept] + _digits(rng, head_digits - kept)
        if _all_match(pattern, head, size) and _belongs(metadata.country_code, country, head, size):
            heads.add(head)
    code = str(metadata.country_code)
    return tuple((int(code + head), 10**size) for head in sorted(heads))


def _shortest_head(pattern: re.Pattern[str], example: str) -> int:
    """Return how many leading digits make every suffix of the example's length valid."""
    for digits in range(2, len(example) - 3):
        if _all_match(pattern, example[:digits], len(example) - digits):
            return digits
    return len(example) - 3


def _all_match(pattern: re.Pattern[str], head: str, size: int) -> bool:
    return all(pattern.fullmatch(head + suffix) for suffix in _suffixes(size))


def _belongs(code: int, country: str, head: str, size: int) -> bool:
    """Whether numbers of the block lie in this country and not in one that shares its code."""
    if len(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]) == 1:
        return True
    return all(
        phonenumbers.region_code_for_number(phonenumbers.parse(f"+{code}{head}{suffix}")) == country
        for suffix in _suffixes(size)[:12]
    )


@cache
def _suffixes(size: int) -> tuple[str, ...]:
    """Return both ends and a fixed sample of the suffixes of a block."""
    rng = random.Random(size)
    return ("0" * size, "9" * size, *(_digits(rng, size) for _ in range(_SAMPLES)))


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices("0123456789", k=count))
