"""The dependency audit finds a weakness of a locked version in a list that was carried here."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
_SPEC = importlib.util.spec_from_file_location("audit_offline", ROOT / ".ci/audit_offline.py")
assert _SPEC is not None
assert _SPEC.loader is not None
audit = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(audit)


def listed(folder: Path, **affected: Any) -> Path:
    """One weakness of Django, which is locked at some 5.2."""
    weakness = {
        "id": "PYSEC-1", "modified": "2026-11-01T00:00:00Z",
        "affected": [{"package": {"ecosystem": "PyPI", "name": "Django"}, **affected}],
    }  # fmt: skip
    with zipfile.ZipFile(folder / "all.zip", "w") as archive:
        archive.writestr("PYSEC-1.json", json.dumps(weakness))
    return folder / "all.zip"


def since(*events: dict[str, str]) -> dict[str, Any]:
    return {"ranges": [{"type": "ECOSYSTEM", "events": list(events)}]}


@pytest.mark.parametrize(
    ("affected", "code"),
    [
        (since({"introduced": "0"}), 1),
        (since({"introduced": "5.2"}, {"fixed": "99"}), 1),
        (since({"introduced": "0"}, {"fixed": "5.1"}), 0),
        (since({"introduced": "0"}, {"last_affected": "5.1"}), 0),
        (since({"introduced": "0"}, {"fixed": "1"}, {"introduced": "5"}), 1),
        ({"versions": ["1.0"]}, 0),
    ],
)
def test_a_locked_version_in_a_range_is_found(
    tmp_path: Path, affected: dict[str, Any], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.main(listed(tmp_path, **affected)) == code
    printed = capsys.readouterr().out
    assert ("django 5.2" in printed) == bool(code)
    assert "the newest of 2026-11-01" in printed


@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_a_list_that_cannot_be_read_is_no_pass(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "all.zip").write_bytes(content)
    assert audit.main(tmp_path / "all.zip") == 3


@pytest.mark.slow
def test_without_an_advisory_source_nothing_is_said_to_have_passed(tmp_path: Path) -> None:
    nobody = {"HTTPS_PROXY": "http://127.0.0.1:9", "UV_HTTP_RETRIES": "0"}
    done = subprocess.run(
        [ROOT / ".ci/audit"], env={**os.environ, **nobody}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert "NOT AUDITED" in done.stderr
