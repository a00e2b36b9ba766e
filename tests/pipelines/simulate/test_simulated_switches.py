"""What the switches write: valid numbers, right times, one line a record."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import phonenumbers
import pytest
from simulated_month import Month

from pipelines.simulate import SimulationReport, simulate
from pipelines.simulate.dialling import Dialling, addresses, stamps
from pipelines.simulate.draws import hashed
from pipelines.simulate.places import HOMES, SWITCHES

pytestmark = pytest.mark.slow


Operator = tuple[Path, SimulationReport]
PLUS, PREFIXED = 2**64 - 1, 0


def rows_of(folder: Path, width: int) -> list[list[str]]:
    """Return the rows with the right number of columns; cut ones are left out."""
    lines = [x for path in sorted(folder.iterdir()) for x in path.read_text("utf-8").splitlines()]
    rows = list(csv.reader(lines))
    return [row for row in rows if len(row) == width]


def test_numbers_are_valid_and_of_their_country(month: Month) -> None:
    known = np.flatnonzero(month.legs.other_pool >= 0)
    picked = known[np.random.default_rng(1).integers(0, len(known), 3000)]
    names = month.destinations.pools.names
    parsed = [phonenumbers.parse(f"+{number}") for number in month.legs.other[picked]]
    right = [
        phonenumbers.region_code_for_number(number) == names[pool][0]
        and phonenumbers.is_valid_number(number)
        for number, pool in zip(parsed, month.legs.other_pool[picked], strict=True)
    ]

    assert np.mean(right) >= 0.99


def test_accounts_have_valid_numbers_of_their_own(month: Month) -> None:
    owned = month.people.own_numbers
    valid = [phonenumbers.is_valid_number(phonenumbers.parse(f"+{number}")) for number in owned]

    assert len(np.unique(owned)) == len(owned)
    assert np.mean(valid) >= 0.99


@pytest.mark.parametrize("switch", SWITCHES, ids=lambda switch: switch.name)
def test_dialled_forms_mean_the_same_number(month: Month, switch) -> None:  # type: ignore[no-untyped-def]
    known = np.flatnonzero(month.legs.other_pool >= 0)[:4000]
    number, pool = month.legs.other[known], month.legs.other_pool[known]
    dialling = Dialling(switch, month.destinations.pools)

    written = dialling.others(number, pool, hashed(number, np.arange(len(number))))

    understood = [phonenumbers.parse(raw, switch.country) for raw in written]
    e164 = [int(phonenumbers.format_number(n, 0)[1:]) for n in understood]
    assert np.mean(np.array(e164) == number) > 0.99


def test_dialled_forms_of_a_german_switch(month: Month) -> None:
    pools = month.destinations.pools
    germany, us = pools.index("DE", "fixed"), pools.index("US", "fixed")
    number = np.array([4930123456, 4930123456, 12015550123, 12015550123, 0, -2])
    pool = np.array([germany, germany, us, us, -1, -1])
    bits = np.array([0, 2**64 - 1, 0, 2**64 - 1, 0, 0], dtype=np.uint64)

    written = Dialling(SWITCHES[0], pools).others(number, pool, bits)

    assert written.to_list() == [
        "+4930123456", "030123456", "+12015550123", "0012015550123", "anonymous", "112",
    ]  # fmt: skip


def test_stamps_and_addresses_are_those_of_the_library() -> None:
    at = [datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)]
    at_ms = np.array([round(t.timestamp() * 1000) for t in at])

    assert stamps(at_ms, "Europe/Berlin").to_list() == ["2026-10-25 02:30:00"] * 2
    change = np.array([round(datetime(2026, 10, 25, 1, tzinfo=UTC).timestamp() * 1000)])
    assert stamps(change - 1, "Europe/Berlin").to_list() == ["2026-10-25 02:59:59"]
    assert stamps(change, "Europe/Berlin").to_list() == ["2026-10-25 02:00:00"]
    assert stamps(at_ms, "UTC").to_list() == ["2026-10-25 00:30:00", "2026-10-25 01:30:00"]
    assert addresses(np.array([1, 256**4 - 1, 3232235777])).to_list() == [
        "0.0.0.1", "255.255.255.255", "192.168.1.1",
    ]  # fmt: skip


def test_the_hour_that_comes_twice_is_written_twice_with_its_proof(tmp_path: Path) -> None:
    out = tmp_path / "out"
    simulate(out, accounts=200, days=3, seed=4, start=date(2026, 10, 24),
             calls_per_account_day=20.0)  # fmt: skip
    berlin = ZoneInfo("Europe/Berlin")
    rows = rows_of(out / "inbox/pbx", 18)
    epochs: dict[str, set[object]] = {}
    for row in rows:
        at = datetime.fromtimestamp(int(row[16].split(".")[0]), berlin)
        assert row[9] == f"{at:%Y-%m-%d %H:%M:%S}"
        epochs.setdefault(row[9][:13], set()).add(at.utcoffset())

    assert len(epochs["2026-10-25 02"]) == 2
    assert len(epochs["2026-10-25 03"]) == 1


def test_asterisk_rows_are_well_quoted(operator: Operator) -> None:
    out, _ = operator
    rows = rows_of(out / "inbox/pbx", 18)

    assert all(row[4].endswith(f'" <{row[1]}>') and row[4].startswith('"') for row in rows)
    assert {row[14] for row in rows} == {"ANSWERED", "NO ANSWER", "BUSY", "FAILED"}
    assert all((row[10] != "") == (row[14] == "ANSWERED") for row in rows)
    shared: dict[str, set[str]] = {}
    for row in rows:
        shared.setdefault(row[16], set()).add(row[6])
    assert any(len(phones) > 1 for phones in shared.values())


def test_freeswitch_lines_are_objects_of_text(operator: Operator) -> None:
    out, _ = operator
    good = 0
    for path in (out / "inbox/softswitch").iterdir():
        for line in path.read_text("utf-8").splitlines():
            if not line.endswith("}"):
                continue
            variables = json.loads(line)["variables"]
            good += 1
            assert all(isinstance(value, str) for value in variables.values())
            end, start = int(variables["end_uepoch"]), int(variables["start_uepoch"])
            assert end - start >= 0
            assert (variables["answer_epoch"] == "0") == (variables["billmsec"] == "0")
    assert good > 500


def test_opensips_calls_have_an_invite_and_mostly_a_bye(operator: Operator) -> None:
    out, _ = operator
    rows = rows_of(out / "inbox/proxy", 11)
    invited = {(row[3], row[1]) for row in rows if row[0] == "INVITE" and row[4] == "200"}
    ended = {(row[3], row[1]) for row in rows if row[0] == "BYE"}

    assert ended <= invited
    assert 0.97 < len(ended) / len(invited) < 1.0


def test_rows_stand_in_the_order_they_were_written_except_those_logged_again(
    operator: Operator,
) -> None:
    out, _ = operator
    files = sorted((out / "inbox/proxy").iterdir())
    seen: set[str] = set()
    for path in files:
        lines = path.read_text("utf-8").splitlines()[1:]
        first = [x for x in dict.fromkeys(lines) if x not in seen and x.count(",") == 10]
        seen |= set(lines)
        times = [x.split(",")[6] for x in first]

        assert times == sorted(times)
        assert {time[:10] for time in times} == {path.stem}


def test_home_countries_have_weights_that_add_up() -> None:
    assert sum(home.weight for home in HOMES) == pytest.approx(1.0)
    assert {home.source for home in HOMES} == {switch.name for switch in SWITCHES}
