"""What kinds of numbers there are, how far a number can be trusted, and which plan says so."""

from __future__ import annotations

from enum import StrEnum

import phonenumbers

OUR_RULES = 3
"""Counted up when our own rules judge otherwise. 2: few digits as the library finds them in texts,
and numbers of more than 18 digits. 3: marks that nobody sees, and other dashes."""

NUMBERING_VERSION = f"phonenumbers {phonenumbers.__version__}, rules {OUR_RULES}"
"""What a verdict rests on; stamped on every call, as a newer plan may judge otherwise."""


class NumberType(StrEnum):
    """What kind of line or service a number reaches."""

    MOBILE = "mobile"
    FIXED = "fixed"
    FIXED_OR_MOBILE = "fixed_or_mobile"
    PREMIUM = "premium"
    SHARED_COST = "shared_cost"
    TOLL_FREE = "toll_free"
    PERSONAL = "personal"
    VOIP = "voip"
    PAGER = "pager"
    UAN = "uan"  # one number for a whole company
    VOICEMAIL = "voicemail"
    SATELLITE = "satellite"
    SHORT_CODE = "short_code"
    EMERGENCY = "emergency"
    EXTENSION = "extension"  # of the source's own exchange
    FEATURE_CODE = "feature_code"  # *72 and its like
    UNKNOWN = "unknown"


class Validity(StrEnum):
    """How far a text can be trusted to be a number; never null."""

    VALID = "valid"  # in an allocated range, with a right length
    POSSIBLE = "possible"  # a length that only fits within one area: no E.164 number
    UNALLOCATED = "unallocated"  # a right length in no allocated range
    IMPOSSIBLE = "impossible"  # no such country, or no number there is so long or short
    SHORT = "short"  # short code, emergency number, extension or feature code
    WITHHELD = "withheld"  # anonymous, or nothing was written
    NOT_A_NUMBER = "not_a_number"  # a name or an address of another kind
