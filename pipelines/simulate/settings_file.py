"""The ``callsieve.toml`` that fits the simulated switches."""

from __future__ import annotations

from pipelines.simulate.places import SWITCHES, Switch


def settings_text() -> str:
    """Return the settings file: one table for each source, nothing about the truth."""
    return "\n".join(_source(switch) for switch in SWITCHES)


def _source(switch: Switch) -> str:
    return (
        f"[sources.{switch.name}]\n"
        f'format = "{switch.format}"\n'
        f'zone = "{switch.zone}"\n'
        f'country = "{switch.country}"\n'
        f'account_from = "{switch.account_from}"\n'
    )
