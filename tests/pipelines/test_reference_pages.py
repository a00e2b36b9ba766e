"""The reference pages say what the code says, and leave nothing out."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel

from cdr.schema import TABLES
from cdr.settings import Settings, SourceSettings, load_settings
from fraud.features.signals import SIGNALS
from pipelines.commands_page import commands, commands_page, examples
from pipelines.errors_page import errors, errors_page, what_to_do
from pipelines.nightly import STEPS
from pipelines.settings_file import commented_settings
from pipelines.settings_page import settings_page

if TYPE_CHECKING:
    from conftest import RunCommand

DOCS = Path(__file__).parents[2] / "docs"
PAGES: dict[str, Callable[[], str]] = {
    "settings": settings_page,
    "commands": commands_page,
    "errors": errors_page,
}


def page(name: str) -> str:
    """Return the text of a page."""
    return (DOCS / f"{name}.md").read_text("utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_fresh(name: str) -> None:
    fresh = page(name) == PAGES[name]()
    assert fresh, f"stale; write it with: python -m pipelines.{name}_page > docs/{name}.md"


def test_the_example_file_is_what_init_writes_and_its_defaults_are_those_of_the_settings(
    tmp_path: Path,
) -> None:
    text = commented_settings()
    fresh = (DOCS.parent / "callsieve.toml").read_text("utf-8") == text
    assert fresh, "stale; write it with: python -m pipelines.settings_file > callsieve.toml"
    (tmp_path / "all.toml").write_text(re.sub(r"^# (\w+ = )", r"\1", text, flags=re.M))
    (tmp_path / "none.toml").write_text(text)
    assert load_settings(tmp_path / "all.toml") == load_settings(tmp_path / "none.toml")


def test_every_setting_has_a_meaning_and_a_row_in_its_section() -> None:
    sections = dict(re.findall(r"^## `\[(.+?)\]`\n(.*?)(?=^## |\Z)", page("settings"), re.M | re.S))
    models: dict[str, type[BaseModel]] = {"sources.NAME": SourceSettings}
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            models[name] = field.annotation
    assert sections.keys() == models.keys()
    for name, model in models.items():
        for setting, field in model.model_fields.items():
            assert f"| `{setting}` |" in sections[name], f"{name}.{setting}"
            assert field.description, f"{name}.{setting}"


def test_every_command_has_a_heading_an_example_and_options_with_a_meaning() -> None:
    text = page("commands")
    for words, command in commands():
        assert f"## {words}\n" in text
        assert examples(command), f"{words} shows no example"
        for parameter in command.params:
            if parameter.param_type_name == "option":
                assert parameter.help, f"{words}: {parameter.name}"


def test_every_error_says_what_to_do() -> None:
    text = page("errors")
    for error in errors():
        assert f"| `{error.__name__}` |" in text
        assert what_to_do(error), error.__name__


def test_every_step_of_a_night_is_on_the_page_of_operations_in_its_order() -> None:
    part = page("operations").partition("## The steps")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE) == list(STEPS)


def test_the_shell_can_complete_commands(
    callsieve: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_CALLSIEVE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "callsieve lake st")
    monkeypatch.setenv("COMP_CWORD", "2")
    assert callsieve().out.split() == ["stats"]


def test_every_signal_and_column_is_on_its_page() -> None:
    for signal in SIGNALS:
        assert f"| `{signal.name}` |" in page("features")
    for name, table in TABLES.items():
        if name == "features":
            continue  # its columns are the signals
        _, _, part = page("tables").partition(f"\n## {name}\n")
        for field in table.fields:
            assert f"| `{field.name}` |" in part.partition("\n## ")[0], f"{name}.{field.name}"
