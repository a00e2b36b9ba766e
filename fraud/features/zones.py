"""Which clock a country's people look at.

Here: one IANA zone for each country, for local hours where nothing better is
known. Not here: time zones of switches, which each source names itself.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from fraud.features.statements import rows_as

_MOST_PEOPLE = {
    "AU": "Australia/Sydney",
    "BR": "America/Sao_Paulo",
    "CA": "America/Toronto",
    "RU": "Europe/Moscow",
    "UA": "Europe/Kyiv",
}
"""Countries whose first zone in the file is not where most of their people live: ours, because
the file orders zones by geography first."""


@cache
def zone_of_country() -> dict[str, str]:
    """Return the IANA zone where most people of each ISO 3166-1 alpha-2 country live.

    From ``zone.tab`` of the IANA time zone database: a country's first zone. A
    country with several zones gets one: its local hours are off by some hours
    for part of its people.
    """
    text = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text("utf-8")
    lines = (line.split("\t") for line in text.splitlines() if not line.startswith("#"))
    found: dict[str, str] = {}
    for country, _, zone, *_ in lines:
        found.setdefault(country, zone)
    return found | _MOST_PEOPLE


@cache
def zones_sql() -> str:
    """Return the table as relation ``zones(country, zone)``."""
    return rows_as("zones", ("country", "zone"), sorted(zone_of_country().items()))
