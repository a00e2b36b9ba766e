"""What is dialled in more digits than the table's keys hold: the library itself is asked.

E.164 ends at 15 digits, but Indonesia and Japan have services of up to 17 behind their calling
code, and a few countries' carrier codes may stand before their longest numbers. `phonenumbers`
reads them. They are rare, and so are texts that look like them.
"""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import Any, NamedTuple

import phonenumbers
import polars as pl
from phonenumbers import PhoneMetadata, PhoneNumberType, ValidationResult

from cdr.normalise.numbering import NumberType, Validity
from cdr.normalise.numbering_dialled import Digits, Flags
from cdr.normalise.numbering_ranges import MAX_DIGITS

LONGER = {"CN": 86, "ID": 62, "JP": 81, "KR": 82, "LU": 352}
"""Countries, and their calling codes, whose longest numbers make more than `MAX_DIGITS` digits
with the calling code and what the plan (`phonenumbers` 9.0) lets be dialled before them."""

Told = tuple[str, str, str]
"""Country, type and validity."""

_KINDS = {
    PhoneNumberType.FIXED_LINE: NumberType.FIXED,
    PhoneNumberType.MOBILE: NumberType.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: NumberType.FIXED_OR_MOBILE,
    PhoneNumberType.TOLL_FREE: NumberType.TOLL_FREE,
    PhoneNumberType.PREMIUM_RATE: NumberType.PREMIUM,
    PhoneNumberType.SHARED_COST: NumberType.SHARED_COST,
    PhoneNumberType.VOIP: NumberType.VOIP,
    PhoneNumberType.PERSONAL_NUMBER: NumberType.PERSONAL,
    PhoneNumberType.PAGER: NumberType.PAGER,
    PhoneNumberType.UAN: NumberType.UAN,
    PhoneNumberType.VOICEMAIL: NumberType.VOICEMAIL,
}

TOLD: tuple[Told, ...] = (
    *product(LONGER, [kind.value for kind in _KINDS.values()], [Validity.VALID.value]),
    *product(LONGER, [NumberType.UNKNOWN.value], [Validity.UNALLOCATED.value]),
)
"""All that may be said of them."""


class Longer(NamedTuple):
    """A number as E.164, and what is said of it."""

    number: str
    told: Told


def read_longer(
    digits: Digits, texts: pl.Series, coded: Flags, country: str
) -> tuple[Flags, list[Longer]]:
    """Find the numbers of `LONGER` in what was dialled in a country with too many digits.

    Parameters
    ----------
    digits : Digits
    texts : Series of String
        The same as text.
    coded : array of bool
        Which begin with a calling code.
    country : str
        ISO 3166-1 alpha-2 code.

    Returns
    -------
    (array of bool, list of Longer)
        Which are such numbers, and these in their order.
    """
    may_be = _candidates(digits, texts, country)
    asked = zip(texts.filter(pl.Series(may_be)).to_list(), coded[may_be].tolist(), strict=True)
    read = [_asked(f"+{text}" if code else text, country) for text, code in asked]
    may_be[may_be] = [each is not None for each in read]
    return may_be, [each for each in read if each is not None]


def _candidates(digits: Digits, texts: pl.Series, country: str) -> Flags:
    at_home = LONGER.get(country)
    found = digits.count > MAX_DIGITS - len(str(at_home or ""))
    if found.any() and not at_home:
        found[found] = texts.filter(pl.Series(found)).str.contains(_beginning(country)).to_numpy()
    return found


@cache
def _beginning(country: str) -> str:
    """Return what they begin with where they are dialled in another country."""
    plan: Any = PhoneMetadata.metadata_for_region(country)
    codes = "|".join(str(code) for code in LONGER.values())
    return rf"^(?:{plan.international_prefix})?(?:{codes})"


def _asked(text: str, country: str) -> Longer | None:
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    reason = phonenumbers.is_possible_number_with_reason(number)
    region = phonenumbers.region_code_for_number(number)
    if region not in LONGER or reason != ValidationResult.IS_POSSIBLE:
        return None
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    kind = _KINDS.get(phonenumbers.number_type(number))
    if kind is None:
        return Longer(written, (region, NumberType.UNKNOWN.value, Validity.UNALLOCATED.value))
    return Longer(written, (region, kind.value, Validity.VALID.value))
