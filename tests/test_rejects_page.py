"""Each reason for which a record is set aside, and each flag, stands on its page, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from cdr.lengths import BEYOND_HABIT
from cdr.normalise import calls, times

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "rejects.md").read_text("utf-8")
NO_CODES = {"sip_user"}
"""Keys of mappings in `calls.py` that are settings."""


def is_code(node: object) -> bool:
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+", node.value) is not None
    )


def codes_of_readers() -> Iterator[str]:
    """Go through the codes that readers give: `when(condition, "code")` and literals."""
    for module in (ROOT / "cdr" / "formats").glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                ours = isinstance(node.func, ast.Name) and node.func.id == "when"
                literal = isinstance(node.func, ast.Attribute) and node.func.attr == "lit"
                if ours or literal:
                    yield from (str(arg.value) for arg in node.args if is_code(arg))  # type: ignore[attr-defined]


def codes_of_calls() -> Iterator[str]:
    """Go through the reasons and flags that `cdr/normalise/calls.py` maps to when they hold."""
    for node in ast.walk(ast.parse((ROOT / "cdr/normalise/calls.py").read_text("utf-8"))):
        if isinstance(node, ast.Dict):
            yield from (str(key.value) for key in node.keys if is_code(key))  # type: ignore[union-attr]
            yield from (getattr(calls, k.id) for k in node.keys if isinstance(k, ast.Name))
    for reason in (times.TIME_AMBIGUOUS, times.TIME_NEVER_EXISTED, times.TIME_NOT_UNDERSTOOD):
        yield from (f"{name}_{reason}" for name in ("started", "answered", "ended"))


def reasons_of_operator_files() -> Iterator[str]:
    """Go through the reasons that rows of the operator's files get; a column's name is COLUMN."""
    for module in ("operator_files", "imports"):
        for node in ast.walk(ast.parse((ROOT / f"cdr/{module}.py").read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "lit":
                yield from filter(None, map(written, node.args))
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "(reason, bad)":
                yield from filter(None, map(written, node.value.elts[:1]))  # type: ignore[attr-defined]


def written(node: ast.expr) -> str | None:
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant)
                       else "COLUMN" for part in node.values)  # fmt: skip
    return str(node.value) if isinstance(node, ast.Constant) and is_code(node) else None


def test_every_reason_of_an_operators_row_is_in_its_paragraph_and_no_other() -> None:
    (paragraph,) = re.findall(
        r"^Rows of the operator's files.*?\n\n", PAGE, re.MULTILINE | re.DOTALL
    )
    said = set(re.findall(r"`(\w+)`", paragraph))
    assert said == set(reasons_of_operator_files())


def test_every_reason_and_flag_is_on_the_page_and_no_other() -> None:
    given = {*codes_of_readers(), *codes_of_calls(), BEYOND_HABIT} - NO_CODES
    rows = re.findall(r"^\| (`.+?) \|", PAGE, re.MULTILINE)
    said = {code for row in rows for code in re.findall(r"`(\w+)`", row)}
    assert said == given
