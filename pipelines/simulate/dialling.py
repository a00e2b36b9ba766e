"""Numbers and instants as the text a switch writes: dialled forms, local stamps, addresses.

What a whole record looks like belongs to the modules of the switches.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import numpy as np
import phonenumbers
import polars as pl

from pipelines.simulate.draws import Ints, Keys, unit
from pipelines.simulate.hours import to_local_ms
from pipelines.simulate.numbers import Pools
from pipelines.simulate.places import HOMES, Switch

ANONYMOUS = "anonymous"
SHORT_CODES = {
    "DE": ("110", "112", "115", "*97"),
    "GB": ("999", "112", "101", "*98"),
    "NL": ("112", "14020", "0900", "*21"),
    "US": ("911", "411", "611", "*98"),
}

_PLUS_SHARE = 0.3
"""Share of numbers written with a plus; the rest carry a trunk or international prefix. Ours."""

_EPOCH = date(1970, 1, 1)


def stamps(at_ms: Ints, zone: str) -> pl.Series:
    """Write instants as ``YYYY-MM-DD HH:MM:SS`` on the wall clock of a zone."""
    if len(at_ms) == 0:
        return pl.Series([], dtype=pl.String)
    second = to_local_ms(at_ms, zone) // 1000
    day = second // 86_400
    first = int(day.min())
    days = pl.Series([str(_EPOCH + timedelta(days=d)) for d in range(first, int(day.max()) + 1)])
    return days.gather(day - first) + _clock().gather(second % 86_400)


@cache
def _clock() -> pl.Series:
    """Return each second of a day as text."""
    return pl.Series([f" {s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in range(86_400)])


def addresses(address: Ints) -> pl.Series:
    """Write IPv4 addresses with dots."""
    octet = pl.Series([str(value) for value in range(256)])
    dotted = octet.gather(address >> 24)
    for shift in (16, 8, 0):
        dotted = dotted + "." + octet.gather((address >> shift) & 255)
    return dotted


class Dialling:
    """Writes numbers as one switch's users dial them and its trunks present them."""

    def __init__(self, switch: Switch, pools: Pools) -> None:
        self._switch = switch
        countries = sorted({country for country, _ in pools.names} | {h.code for h in HOMES})
        self._of_pool = np.array([countries.index(country) for country, _ in pools.names] + [-1])
        self._of_home = np.array([countries.index(home.code) for home in HOMES])
        self._code_length = np.array(
            [len(str(phonenumbers.country_code_for_region(country))) for country in countries]
        )
        self._own_country = countries.index(switch.country)
        self._leads = pl.Series([switch.trunk, switch.international, "+", ""])
        self._short = pl.Series(SHORT_CODES[switch.country])

    def others(self, number: Ints, pool: Ints, bits: Keys) -> pl.Series:
        """Write the other ends of calls; see ``Legs.other`` and ``Legs.other_pool``."""
        return self._written(number, self._of_pool[pool], bits)

    def owns(self, number: Ints, home: Ints, bits: Keys, internal: Ints) -> pl.Series:
        """Write accounts' own numbers, and extensions where the call is internal."""
        return self._written(number, np.where(internal, -1, self._of_home[home]), bits)

    def _written(self, number: Ints, country: Ints, bits: Keys) -> pl.Series:
        draw = unit(bits)
        plus = draw < _PLUS_SHARE
        national = (country == self._own_country) & ~plus
        lead = np.where(country < 0, 3, np.where(national, 0, np.where(plus, 2, 1)))
        strip = np.where(national, self._code_length[country], 0)
        digits = pl.Series(np.abs(number)).cast(pl.String)
        kept = pl.DataFrame({"d": digits, "s": strip}).select(pl.col("d").str.slice(pl.col("s")))[
            "d"
        ]
        written = self._leads.gather(lead) + kept
        special = np.flatnonzero(number <= 0)
        if len(special) == 0:
            return written
        codes = self._short.gather((-1 - number[special]) % 4)
        text = codes.zip_with(pl.Series(number[special] < 0), pl.Series([ANONYMOUS]))
        return written.scatter(special, text)
