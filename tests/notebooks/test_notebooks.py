"""Analysts' notebooks run on the sample lake, from a question to an answer, with public names."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PUBLIC = {"cdr", "fraud", "cdr.charts", "fraud.charts", "cdr.billing"}
"""What a notebook may import of ours."""

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells(path: Path, kind: str) -> list[Any]:
    return [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == kind]


@each_notebook
def test_it_begins_with_a_question_and_ends_with_an_answer(path: Path) -> None:
    words = [cell.source for cell in cells(path, "markdown")]
    assert "**Question:" in words[0]
    assert words[-1].startswith("## Answer")


@each_notebook
def test_only_public_names_are_imported(path: Path) -> None:
    trees = [ast.parse(cell.source) for cell in cells(path, "code")]
    named = {
        module
        for tree in trees
        for node in ast.walk(tree)
        for module in (
            [a.name for a in node.names]
            if isinstance(node, ast.Import)
            else [f"{node.module}.{a.name}" for a in node.names]
            if isinstance(node, ast.ImportFrom) and node.module in {"cdr", "fraud"}
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        if module.split(".")[0] in {"cdr", "fraud", "pipelines"}
    }
    assert named <= PUBLIC


@each_notebook
def test_its_results_are_kept(path: Path) -> None:
    assert all(cell.outputs for cell in cells(path, "code")[1:])
    said = [o for cell in cells(path, "code") for o in cell.outputs]
    assert not [o for o in said if o.output_type == "error"]


@pytest.mark.large
@each_notebook
def test_it_runs(
    path: Path, sample_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLSIEVE_HOME", str(sample_home))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    book = nbformat.read(path, as_version=4)
    client = NotebookClient(
        book, timeout=900, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    assert book.cells[-1].outputs[0].data["text/markdown"]
