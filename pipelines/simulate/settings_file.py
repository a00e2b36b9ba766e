"""The ``callsieve.toml`` that fits the simulated switches."""

from __future__ import annotations

from pipelines.simulate.places import SWITCHES, Switch

_WHOLESALE_COLUMNS = {
    "source_record_id": "record_id",
    "account_code": "account_id",
    "started": "started_at",
    "answered": "answered_at",
    "ended": "ended_at",
    "duration": "duration_s",
    "outcome": "disposition",
}


def settings_text() -> str:
    """Return the settings file: one table for each source, nothing about the truth."""
    return "\n".join(_source(switch) for switch in SWITCHES)


def _source(switch: Switch) -> str:
    lines = [
        f"[sources.{switch.name}]",
        f'format = "{switch.format}"',
        f'zone = "{switch.zone}"',
        f'country = "{switch.country}"',
        f'account_from = "{switch.account_from}"',
    ]
    if switch.name == "wholesale":
        lines += ["", "[sources.wholesale.columns]"]
        lines += [f'{ours} = "{theirs}"' for ours, theirs in _WHOLESALE_COLUMNS.items()]
    return "\n".join(lines) + "\n"
