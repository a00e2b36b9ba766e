"""The commented ``callsieve.toml`` of `callsieve init`, made from the settings themselves."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from cdr.settings import Settings, SourceSettings

_HEAD = """\
# Settings of Callsieve. What stands behind a # in front of a name is the default.
# An environment variable wins over this file: CALLSIEVE_SCORING__DAILY_CAPACITY=20.
"""

_EXAMPLE = {
    "format": "asterisk_csv",
    "zone": "Europe/Berlin",
    "country": "DE",
    "account_from": "code",
}
"""The three lines to edit, and the one after them that is asked about next."""


def commented_settings() -> str:
    """Return the text of a settings file with every setting, its meaning and its default."""
    lines = [_HEAD]
    sections: list[str] = []
    for name, field in Settings.model_fields.items():
        if name == "sources":
            sections += ["", *_source_lines()]
        elif isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            sections += ["", *_section_lines(name, field.annotation)]
        else:
            lines += [*_meaning(field), _default_line(name, field)]
    return "\n".join([*lines, *sections]) + "\n"


def _source_lines() -> Iterator[str]:
    yield "# One table for each switch. Its files go to the folder of the inbox with its name:"
    yield "# <home>/inbox/pbx/ here."
    yield "[sources.pbx]"
    for name, field in SourceSettings.model_fields.items():
        yield from _meaning(field)
        if name in _EXAMPLE:
            yield f"{name} = {as_toml(_EXAMPLE[name])}"
        else:
            yield _default_line(name, field)


def _section_lines(name: str, section: type[BaseModel]) -> Iterator[str]:
    if section.__doc__:
        yield f"# {section.__doc__.strip().splitlines()[0]}"
    yield f"[{name}]"
    for field_name, field in section.model_fields.items():
        yield from _meaning(field)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            continue
        yield _default_line(field_name, field)


def _default_line(name: str, field: FieldInfo) -> str:
    default = default_of(field)
    return f"# {name}: not set" if default is None else f"# {name} = {as_toml(default)}"


def _meaning(field: FieldInfo) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(field.description or "", width=92)]


def default_of(field: FieldInfo) -> object:
    """Return what a setting is when nobody sets it; empty where it must be set."""
    found = field.get_default(call_default_factory=True)
    return "" if found is PydanticUndefined else found


def as_toml(value: Any) -> str:
    """Write a value as it stands in a settings file."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(as_toml(one) for one in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {as_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Decimal):
        return f'"{value}"'
    return json.dumps("" if value is None else str(value))


if __name__ == "__main__":
    print(commented_settings(), end="")  # noqa: T201
