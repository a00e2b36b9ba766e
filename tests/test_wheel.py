"""The wheel holds all that the program needs: installed outside the checkout, it does its job."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
UV = ROOT / ".venv" / "tool" / "bin" / "uv"


def run(*words: object, cwd: Path) -> str:
    """Run a program in a folder, with nothing of the checkout in its environment."""
    ours = ("PYTHON", "CALLSIEVE_", "DJANGO_", "VIRTUAL_ENV", "UV_PROJECT")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    ran = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode in (0, 1), ran.stderr[-2000:]
    return ran.stdout


@pytest.mark.large
@pytest.mark.skipif(not UV.exists(), reason="needs the checkout's uv: make demo")
def test_a_wheel_in_an_empty_environment_runs_the_demo(tmp_path: Path) -> None:
    export = ("export", "--frozen", "--no-dev", "--no-emit-project", "--quiet")
    run(UV, *export, "--output-file", tmp_path / "locked.txt", cwd=ROOT)
    run(UV, "build", "--wheel", "--quiet", "--out-dir", tmp_path / "wheels", ROOT, cwd=tmp_path)
    (wheel,) = (tmp_path / "wheels").glob("callsieve-*.whl")
    python = tmp_path / "empty" / "bin" / "python"
    run(UV, "venv", "--quiet", tmp_path / "empty", cwd=tmp_path)
    install = (UV, "pip", "install", "--quiet", "--python", python)
    run(*install, "--requirement", tmp_path / "locked.txt", cwd=tmp_path)
    run(*install, "--no-deps", wheel, cwd=tmp_path)

    found = json.loads(run(python.with_name("callsieve"), "demo", "--json", cwd=tmp_path))

    assert found["ingest"]["accepted"] > 10_000
    assert found["candidates"]
    assert (tmp_path / ".callsieve/demo/lake/calls/_delta_log").is_dir()
    where = run(python, "-c", "import pipelines; print(pipelines.__file__)", cwd=tmp_path)
    assert where.startswith(str(tmp_path))
