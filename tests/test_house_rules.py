"""The rules of the house that no linter knows: where SQL lies, what errors hang under."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from functools import cache
from pathlib import Path

import pytest

import cdr
import fraud
import pipelines
from cdr.errors import CdrError

ROOT = Path(__file__).parents[1]
PACKAGES = (cdr, fraud, pipelines)
MODULES = sorted(
    path for name in ("cdr", "fraud", "pipelines") for path in (ROOT / name).rglob("*.py")
)
STATEMENT = re.compile(r"\s*(WITH\s+\w+\s+AS|SELECT\s.+\sFROM\s|INSERT\s+INTO|DELETE\s+FROM)", re.S)
SHOWN_NOT_RUN = {
    "pipelines/commands/nightly.py",  # prints a question that one may ask
    "cdr/formats/freeswitch_csv.py",  # reads lines that a switch wrote as statements
}


@cache
def texts(module: Path) -> list[tuple[int, str]]:
    """Return the line and text of each literal that is not a docstring."""
    tree = ast.parse(module.read_text())
    said = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said
    ]


def test_whole_statements_lie_in_sql_files() -> None:
    found = [
        f"{module.relative_to(ROOT)}:{line}"
        for module in MODULES
        if str(module.relative_to(ROOT)) not in SHOWN_NOT_RUN
        for line, text in texts(module)
        if STATEMENT.match(text)
    ]
    assert found == []


def test_every_statement_says_its_grain_first() -> None:
    silent = [
        str(file.relative_to(ROOT))
        for package in ("cdr", "fraud")
        for file in (ROOT / package).rglob("*.sql")
        if not file.read_text().startswith("--")
    ]
    assert silent == []


def raised() -> list[type[BaseException]]:
    """Return every exception class that a module of ours defines."""
    classes: set[type[BaseException]] = set()
    for package in PACKAGES:
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".review" in info.name or ".migrations" in info.name:
                continue  # stands on Django; its errors are in `fraud.errors`
            module = importlib.import_module(info.name)
            classes |= {
                value
                for value in vars(module).values()
                if inspect.isclass(value)
                and issubclass(value, BaseException)
                and value.__module__ == module.__name__
            }
    return sorted(classes, key=lambda c: c.__qualname__)


def test_every_error_hangs_under_one_root() -> None:
    assert [c.__qualname__ for c in raised() if not issubclass(c, CdrError)] == []


@pytest.mark.parametrize("tree", ["cdr.errors", "fraud.errors"])
def test_the_tree_in_the_docstring_names_every_error(tree: str) -> None:
    module = importlib.import_module(tree)
    names = {c.__qualname__ for c in raised() if c.__module__ == tree}
    assert names
    assert {name for name in names if name not in (module.__doc__ or "")} == set()


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(module.relative_to(ROOT))
        for module in MODULES
        if module.stat().st_size
        and module.parent.name != "migrations"  # Django writes those
        and not ast.get_docstring(ast.parse(module.read_text()))
    ]
    assert silent == []


def test_no_literal_names_a_person_of_this_machine() -> None:
    homes = re.compile(r"/(?:home|Users)/\w+|/tmp/\w+")
    assert [
        f"{module.relative_to(ROOT)}:{line}"
        for module in MODULES
        for line, text in texts(module)
        if homes.search(text)
    ] == []
