"""`callsieve doctor` says in words what is broken, and what helps; it never ends in a fault."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cdr import load_settings, open_lake
from cdr.imports import import_accounts
from cdr.ingest import ingest
from pipelines.settings_file import commented_settings

if TYPE_CHECKING:
    from conftest import RunCommand

CALLS = (
    '"{account}","030901820","0301234567","c","","SIP/a-1","SIP/t-2","Dial","x",'
    '"2026-09-30 09:00:05","2026-09-30 09:00:12","2026-09-30 09:03:12",187,180,"ANSWERED",'
    '"DOCUMENTATION","1790751605.1",""\n'
)
ACCOUNTS = "account_id,created_at,status\nacme,2026-01-05,active\n"
NOW = datetime(2026, 10, 1, tzinfo=UTC)


def make(folder: Path, *, account: str) -> Path:
    """Make settings and a home that took in one call of an account, or of none."""
    (folder / "callsieve.toml").write_text(commented_settings())
    (folder / "Master.csv").write_text(CALLS.format(account=account))
    (folder / "accounts.csv").write_text(ACCOUNTS)
    settings = load_settings(folder / "callsieve.toml", home=folder / ".callsieve")
    lake = open_lake(settings, create=True)
    import_accounts(lake, folder / "accounts.csv", now=NOW)
    pbx = settings.sources["pbx"]
    ingest(lake, [folder / "Master.csv"], source_name="pbx", source=pbx, now=NOW)
    lake.connect(purpose="fraud").close()  # makes the first key of pseudonyms
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("operator"), account="acme")


@pytest.fixture
def operator(made: Path, callsieve: RunCommand) -> Path:
    """Give a copy of it that a test may break, as the current folder."""
    shutil.copytree(made, Path.cwd(), dirs_exist_ok=True)
    return Path.cwd()


def edited(line: str, other: str) -> Callable[[Path], object]:
    """Return what puts one line of the settings in place of another."""

    def edit(folder: Path) -> None:
        file = folder / "callsieve.toml"
        assert line in file.read_text()
        file.write_text(file.read_text().replace(line, other, 1))

    return edit


def first(folder: Path, pattern: str) -> Path:
    return sorted(folder.glob(pattern))[0]


@pytest.mark.parametrize(
    ("break_it", "words", "helps"),
    [
        pytest.param(
            lambda here: (here / ".callsieve").chmod(0o755),
            "others on this machine may enter it",
            "chmod 700",
            id="home open to others",
        ),
        pytest.param(
            lambda here: first(here, ".callsieve-keys/*.key").chmod(0o644),
            "others on this machine can reach",
            "chmod 600",
            id="key open to others",
        ),
        pytest.param(
            edited('format = "asterisk_csv"', 'format = "asterisk"'),
            "unknown format 'asterisk'",
            "did you mean asterisk_csv?",
            id="no such format",
        ),
        pytest.param(
            edited('account_from = "code"', 'account_from = "trunk"'),
            "pbx finds accounts by trunk, but no trunk has an account",
            "fill sources.pbx.trunks",
            id="no trunk",
        ),
        pytest.param(
            lambda here: (here / ".callsieve/layout.json").write_text('{"layout": 99}'),
            "the lake has layout 99",
            "install the version that wrote it",
            id="a newer version's lake",
        ),
        pytest.param(
            lambda here: first(here, ".callsieve/lake/calls/*/*.parquet").write_bytes(b"PAR1"),
            "a data file is damaged or gone",
            "`callsieve lake verify`",
            id="file cut short",
        ),
        pytest.param(
            lambda here: first(here, ".callsieve/lake/calls/*/*.parquet").unlink(),
            "a data file is damaged or gone",
            "`callsieve lake verify`",
            id="file gone",
        ),
        pytest.param(
            lambda here: first(here, ".callsieve/lake/accounts/_delta_log/*1.json").write_text("x"),
            "opening accounts: its log is damaged or incomplete",
            "bring its folder back from a backup",
            id="log damaged",
        ),
        pytest.param(
            lambda here: (here / ".callsieve/runs/2026-09-30.1.json").write_text(
                json.dumps({"run_id": "2026-09-30.1", "finished": False, "done": ["take_in"]})
            ),
            "run 2026-09-30.1 was not finished; it stopped after 1 step",
            "`callsieve nightly --date 2026-09-30`",
            id="night broken off",
        ),
    ],
)
def test_it_says_what_is_broken_and_what_helps(
    operator: Path,
    callsieve: RunCommand,
    break_it: Callable[[Path], object],
    words: str,
    helps: str,
) -> None:
    break_it(operator)
    ran = callsieve("doctor")
    assert ran.code == 1
    assert words in ran.out
    assert helps in ran.out


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        pytest.param(
            edited('zone = "Europe/Berlin"', 'zone = "Europe/Berln"'),
            "sources.pbx.zone: not an IANA time zone, such as Europe/Berlin",
            id="zone",
        ),
        pytest.param(
            edited("country = ", "contry = "),
            "sources.pbx.country: is missing; sources.pbx.contry: not a setting",
            id="name of a setting",
        ),
        pytest.param(
            edited("[sources.pbx]", "[sources.pbx"), "callsieve.toml: is not TOML", id="bracket"
        ),
    ],
)
def test_settings_that_cannot_be_read_are_wrong_use(
    operator: Path, callsieve: RunCommand, break_it: Callable[[Path], object], words: str
) -> None:
    break_it(operator)
    ran = callsieve("doctor")
    assert ran.code == 2
    assert words in ran.err


def test_a_disk_that_is_nearly_full_is_said(
    operator: Path, callsieve: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    nearly_full = type(shutil.disk_usage("/"))(100_000_000_000, 96_000_000_000, 4_000_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: nearly_full)
    ran = callsieve("doctor")
    assert "4 GB free, 4% of the disk" in ran.out
    assert "make room before the next night" in ran.out


def test_a_newest_day_on_which_nobody_has_a_call_is_wrong(callsieve: RunCommand) -> None:
    make(Path.cwd(), account="")
    ran = callsieve("doctor")
    assert "pbx: none of the calls of 2026-09-30 has an account" in ran.out
    assert '`account_from` is "code": does it fit?' in ran.out
