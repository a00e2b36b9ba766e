"""The page ``docs/settings.md``, written from the settings so that it cannot lie."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cdr.settings import Settings, SourceSettings
from pipelines.settings_file import as_toml, default_of

_HEAD = """\
# Settings

Written by `python -m pipelines.settings_page > docs/settings.md`; a test compares it.

They stand in `callsieve.toml`, which `callsieve init` writes with all of them. An environment
variable wins over the file: `CALLSIEVE_`, the section, two underscores, the name
(`CALLSIEVE_SCORING__DAILY_CAPACITY=20`). An unknown name or a value out of range ends a command
with 2 and says which.
"""

UNITS = {"_days": "days", "_s": "seconds", "_mb": "MB", "_rows": "rows", "_share": "share, 0 to 1"}
"""What the end of a name says about its unit."""


def settings_page() -> str:
    """Return the page as Markdown."""
    lines = [_HEAD, "## At the top", "", *_table(_plain(Settings))]
    for name, field in Settings.model_fields.items():
        if name == "sources":
            lines += _section("sources.NAME", SourceSettings)
        elif isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            lines += _section(name, field.annotation)
    return "\n".join(lines) + "\n"


def _section(title: str, section: type[BaseModel]) -> Iterator[str]:
    yield f"\n## `[{title}]`"
    yield ""
    yield (section.__doc__ or "").strip().splitlines()[0]
    yield ""
    yield from _table(_plain(section))


def _plain(section: type[BaseModel]) -> dict[str, FieldInfo]:
    """Leave out sections and the table of sources: they have tables of their own."""
    return {
        name: field
        for name, field in section.model_fields.items()
        if name != "sources"
        and not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel))
    }


def _table(fields: dict[str, FieldInfo]) -> Iterator[str]:
    yield "| setting | default | unit | meaning |"
    yield "|---|---|---|---|"
    for name, field in fields.items():
        default = "required" if field.is_required() else f"`{as_toml(_shown(field))}`"
        meaning = (field.description or "").replace("|", "\\|")
        yield f"| `{name}` | {default} | {_unit(name)} | {meaning} |"


def _shown(field: FieldInfo) -> object:
    default = default_of(field)
    return "" if "Secret" in type(default).__name__ else default


def _unit(name: str) -> str:
    return next((unit for end, unit in UNITS.items() if name.endswith(end)), "")


if __name__ == "__main__":
    print(settings_page(), end="")  # noqa: T201
