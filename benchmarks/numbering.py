"""Agreement with the `phonenumbers` library on every country's numbers, and speed beside it.

    python benchmarks/numbering.py

For every region and every calling code that belongs to no country numbers are made:

- the library's example of each type, and random numbers that match the patterns of each type;
- the first and the last number of every range of our table, which is where it could be wrong;
- emergency numbers and short codes, and random digits of every length up to six;
- random digits of every length, most of them in no range;
- damaged ones of all these: a digit lost, added, changed, two of them swapped.

They are written with a plus, formatted as the library formats them, with the exit code of
another country, with the trunk prefix, and with nothing but their calling code, and are read as
dialled in their own and in another country. Each is read by the library and by
`normalise_party`; number, validity, country and type must be the same, and nothing is left out.

What the library says is put into our words like this, whatever ours says:

- ``parse``, ``is_possible_number_with_reason``, ``is_valid_number``, ``region_code_for_number``
  and ``number_type`` tell number, validity, country and type of seven digits and more, or a plus;
- a valid number of calling code 870, 881, or 882 with 13 or 16, is a satellite number (ITU list
  of assigned codes): the library has no such type, and says mobile, fixed or unknown;
- of up to six digits without a plus: ``is_emergency_number`` is an emergency number,
  ``is_valid_short_number_for_region`` of the digits as they stand is a short code; what
  ``PhoneNumberMatcher`` finds to be a valid number in that text is a number. What is none of the
  three is no number and no service for the library; ours calls it an extension;
- of more digits without a plus: ``is_valid_short_number_for_region`` is a short code where
  ``is_valid_number`` is not.

``parse`` alone is more lenient with so few digits: it also takes a number without the trunk
prefix that it is never written without, and digits that nobody was given. How often it says
otherwise than the library's own finder is printed as ``few_digits_that_parse_alone_takes``.

Printed as JSON: how many are the same, every difference (as a pattern of its digits, not as a
number), and numbers a second of both.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import phonenumbers
import polars as pl
from phonenumbers import Leniency, PhoneMetadata, PhoneNumberMatcher, PhoneNumberType

from cdr.normalise.numbering_ranges import world
from cdr.normalise.numbers import normalise_party

KINDS = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number",
    "voip", "pager", "uan", "voicemail",
)  # fmt: skip

NAMES = {
    "FIXED_LINE": "fixed",
    "FIXED_LINE_OR_MOBILE": "fixed_or_mobile",
    "PREMIUM_RATE": "premium",
    "PERSONAL_NUMBER": "personal",
}
TYPES = {
    getattr(PhoneNumberType, name): NAMES.get(name, name.lower())
    for name in vars(PhoneNumberType)
    if name.isupper()
}

SATELLITE = re.compile(r"\+(870|881|882(13|16))")
FEW = 6


class Sample(NamedTuple):
    """A text as dialled in a country."""

    text: str
    country: str


class Answer(NamedTuple):
    """What is said of it."""

    number: str | None
    validity: str
    country: str | None
    kind: str


def by_library(sample: Sample) -> Answer:
    """Read one with the library, and put it into our words as said above."""
    digits = re.sub(r"[^+\d]", "", sample.text)
    if len(digits) <= FEW and "+" not in digits:
        return _few(sample, digits)
    answer = _parsed(sample)
    if answer.validity == "valid" and SATELLITE.match(answer.number or ""):
        return answer._replace(kind="satellite")
    if answer.validity != "valid" and "+" not in digits and _is_short_code(digits, sample.country):
        return Answer(None, "short", sample.country, "short_code")
    return answer


def _few(sample: Sample, digits: str) -> Answer:
    country = sample.country
    if phonenumbers.is_emergency_number(digits, country):
        return Answer(None, "short", country, "emergency")
    if _is_short_code(digits, country):
        return Answer(None, "short", country, "short_code")
    if PhoneNumberMatcher(digits, country, Leniency.VALID).has_next():
        return _parsed(sample)
    return Answer(None, "short", country, "extension")


def _is_short_code(digits: str, country: str) -> bool:
    """Ask the library of the digits as they stand: nothing is dropped from a short code."""
    zeros = len(digits) - len(str(int(digits)))
    as_they_stand = phonenumbers.PhoneNumber(
        country_code=phonenumbers.country_code_for_region(country),
        national_number=int(digits),
        italian_leading_zero=zeros > 0,
        number_of_leading_zeros=zeros,
    )
    return phonenumbers.is_valid_short_number_for_region(as_they_stand, country)


def _parsed(sample: Sample) -> Answer:
    nothing = Answer(None, "impossible", None, "unknown")
    try:
        number = phonenumbers.parse(sample.text, sample.country)
    except phonenumbers.NumberParseException:
        return nothing
    reason = phonenumbers.is_possible_number_with_reason(number)
    result = phonenumbers.ValidationResult
    if reason not in (result.IS_POSSIBLE, result.IS_POSSIBLE_LOCAL_ONLY):
        return nothing
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    country = phonenumbers.region_code_for_number(number)
    if phonenumbers.is_valid_number(number):
        return Answer(e164, "valid", country, TYPES[phonenumbers.number_type(number)])
    if reason == result.IS_POSSIBLE_LOCAL_ONLY:
        return Answer(None, "possible", country, "unknown")
    return Answer(e164, "unallocated", country, "unknown")


def by_ours(samples: list[Sample]) -> list[Answer]:
    """Read all of them with ours, country by country."""
    found: dict[int, Answer] = {}
    frame = pl.DataFrame(samples, schema=["text", "country"], orient="row").with_row_index("row")
    for (country,), part in frame.group_by("country"):
        end = normalise_party(pl.col("text"), country=str(country)).alias("end")
        read = part.select("row", end).unnest("end")
        told = read.select("row", "number", "validity", "country", "number_type")
        for row, number, validity, of_country, kind in told.iter_rows():
            found[row] = Answer(number, validity, of_country, kind or "unknown")
    return [found[row] for row in range(len(samples))]


def samples(per_region: int, seed: int) -> list[Sample]:
    """Make numbers of every region, and both ends of every range."""
    chance = random.Random(seed)
    made: dict[Sample, None] = {}
    homes = sorted(phonenumbers.SUPPORTED_REGIONS)
    for code, region in _plans():
        plan = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
        of_kinds = [getattr(plan, kind) for kind in ("general_desc", *KINDS)]
        of_kinds = [kind for kind in of_kinds if kind and kind.national_number_pattern]
        nationals = [kind.example_number for kind in of_kinds if kind.example_number]
        patterns = [kind.national_number_pattern for kind in of_kinds]
        while len(nationals) < per_region:
            drawn = _drawn(chance.choice(patterns), chance)
            other = "".join(chance.choices("0123456789", k=chance.randint(2, 16)))
            nationals += [drawn, _damaged(drawn, chance), other]
        for national in nationals:
            for text, home in _written(code, national, plan, region, chance, homes):
                made[Sample(text, home)] = None
        if region != "001":
            for text in _short(region, per_region // 10, chance):
                made[Sample(text, region)] = None
    for text in _range_ends():
        made[Sample(text, chance.choice(homes))] = None
    return list(made)


def _short(region: str, each: int, chance: random.Random) -> Iterator[str]:
    """Make emergency numbers and short codes, and other digits as few."""
    short = PhoneMetadata.short_metadata_for_region(region)
    kinds = (short.emergency, short.short_code) if short else ()
    for pattern in (kind.national_number_pattern for kind in kinds if kind):
        drawn = [_drawn(pattern, chance) for _ in range(each) if pattern]
        yield from drawn
        yield from (_damaged(digits, chance) for digits in drawn)
    for _ in range(each):
        yield "".join(chance.choices("0123456789", k=chance.randint(1, FEW)))


def _plans() -> Iterator[tuple[int, str]]:
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        for region in regions:
            yield code, region


def _written(
    code: int, national: str, plan: Any, region: str, chance: random.Random, homes: list[str]
) -> Iterator[tuple[str, str]]:
    """Write a national number in one of the ways it may be dialled."""
    away = chance.choice(homes)
    home = region if region != "001" else away
    prefix = plan.national_prefix or ""
    way = chance.randrange(6)
    if way == 0:
        yield f"+{code}{national}", away
    elif way == 1:
        yield f"{prefix}{national}", home
    elif way == 2:
        exit_code = _drawn(PhoneMetadata.metadata_for_region(away).international_prefix, chance)
        yield f"{exit_code}{code}{national}", away
    elif way == 3:
        yield f"{code}{national}", home
    elif way == 4:
        carried = _drawn(plan.national_prefix_for_parsing or prefix, chance)
        yield f"{carried}{national}", home
        yield f"+{code}{carried}{national}", away
    else:
        number = phonenumbers.PhoneNumber(
            country_code=code,
            national_number=int(national),
            italian_leading_zero=national.startswith("0") or None,
            number_of_leading_zeros=(len(national) - len(national.lstrip("0"))) or None,
        )
        form = chance.choice((1, 2))
        yield phonenumbers.format_number(number, form), home


def _drawn(pattern: str, chance: random.Random) -> str:
    """Draw a string that matches a pattern of digits."""
    tokens = re.findall(r"\\d|\[[^]]*]|\(\?:|\(|\)|\{[^}]*}|[|?$]|\d", pattern)
    return _choice(tokens, chance)


def _choice(tokens: list[str], chance: random.Random) -> str:
    branches: list[list[list[str]]] = [[]]
    while tokens and tokens[0] != ")":
        token = tokens.pop(0)
        if token == "|":
            branches.append([])
            continue
        if token == "$":
            continue
        depth, atom = 0, [token]
        if token in ("(", "(?:"):
            depth = 1
            while depth:
                token = tokens.pop(0)
                depth += (token in ("(", "(?:")) - (token == ")")
                atom.append(token)
        low, high = 1, 1
        if tokens and tokens[0] == "?":
            tokens.pop(0)
            low = 0
        elif tokens and tokens[0].startswith("{"):
            ends = tokens.pop(0)[1:-1].split(",")
            low, high = int(ends[0]), int(ends[-1])
        branches[-1] += [atom] * chance.randint(low, high)
    return "".join(_atom(atom, chance) for atom in chance.choice(branches))


def _atom(atom: list[str], chance: random.Random) -> str:
    if len(atom) > 1:
        return _choice(atom[1:-1], chance)
    if atom[0] == r"\d":
        return chance.choice("0123456789")
    if atom[0].startswith("["):
        return chance.choice([d for d in "0123456789" if re.fullmatch(atom[0], d)])
    return atom[0]


def _damaged(digits: str, chance: random.Random) -> str:
    at = chance.randrange(len(digits))
    before, digit, after = digits[:at], digits[at], digits[at + 1 :]
    return chance.choice(
        (
            before + after or "0",
            before + digit + chance.choice("0123456789") + after,
            before + chance.choice("0123456789") + after,
            before + after[:1] + digit + after[1:],
        )
    )


def _range_ends() -> Iterator[str]:
    starts = world().starts
    for key in np.unique(np.concatenate([starts, starts - 1])).tolist():
        count, value = divmod(key, 10**17)
        if 2 < count <= 17 and len(str(value)) == count:
            yield f"+{value}"


def compared(made: list[Sample]) -> dict[str, Any]:
    """Read all by both and tell where they differ."""
    begun = time.perf_counter()
    theirs = [by_library(sample) for sample in made]
    library_s = time.perf_counter() - begun
    ours = by_ours(made)
    different = [
        {"begins": sample.text[:-4], "length": len(sample.text), "in": sample.country,
         "library": his[1:], "ours": mine[1:]}
        for sample, his, mine in zip(made, theirs, ours, strict=True)
        if his != mine
    ]  # fmt: skip
    extensions = (
        _parsed(sample).validity
        for sample, his in zip(made, theirs, strict=True)
        if his.kind == "extension"
    )
    parse_alone = Counter(validity for validity in extensions if validity != "impossible")
    return {
        "numbers": len(made),
        "regions": len({s.country for s in made}),
        "judged": dict(Counter(answer.validity for answer in theirs)),
        "types": dict(Counter(answer.kind for answer in theirs)),
        "same": len(made) - len(different),
        "same_share": round(1 - len(different) / len(made), 6),
        "different": different,
        "few_digits_that_parse_alone_takes": dict(parse_alone),
        "library_numbers_per_s": round(len(made) / library_s),
    }


def speed(numbers: int, seed: int) -> dict[str, int]:
    """Measure ours on numbers with a plus, and dialled in their country."""
    chance = np.random.default_rng(seed)
    fixed = chance.integers(3_010_000_000, 3_099_999_999, numbers)
    mobile = chance.integers(1_710_000_000, 1_759_999_999, numbers)
    national = np.where(chance.random(numbers) < 0.5, fixed, mobile)
    texts = pl.Series("t", national).cast(pl.String)
    found = {}
    for name, written in (("with_plus", "+49" + texts), ("dialled", "0" + texts)):
        begun = time.perf_counter()
        pl.DataFrame({"t": written}).select(normalise_party(pl.col("t"), country="DE"))
        found[f"{name}_numbers_per_s"] = round(numbers / (time.perf_counter() - begun))
    return found


def main() -> int:
    """Compare, measure and print; 1 where fewer than 99.99 % agree."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--per-region", type=int, default=300)
    options.add_argument("--speed-numbers", type=int, default=2_000_000)
    options.add_argument("--seed", type=int, default=20_261_125)
    given = options.parse_args()
    found = compared(samples(given.per_region, given.seed))
    found |= speed(given.speed_numbers, given.seed)
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    return int(found["same_share"] < 0.9999)


if __name__ == "__main__":
    sys.exit(main())
