"""What commands print can be copied from: no cell of a table is broken."""

from __future__ import annotations

import pytest
from rich.table import Table

from pipelines.terminal import cell, show


def test_an_identifier_stays_whole_however_narrow_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    table = Table(box=None)
    for name in ("subject", "why"):
        table.add_column(name, no_wrap=True)
    said = ("+4930~7d5e-09b1765f82c00a072144", "contests what is held, " * 9)
    table.add_row(*map(cell, said))
    show({}, as_json=False, text=table)
    (_, row) = capsys.readouterr().out.splitlines()
    assert row.split("  ")[0].strip() == said[0]
    assert said[1].strip() in row
