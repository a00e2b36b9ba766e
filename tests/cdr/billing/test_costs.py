"""What calls cost the operator by its deck of costs: as in a bill's margins, in US dollars."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from small_books import DE, LATER, OURS, UK, books, call

import cdr
from cdr.billing.costs import CostBook, cost_book
from cdr.schema import CALLS
from cdr.scoring_settings import CostSettings

NOON = "2026-10-10 12:00:00"
DAY = date(2026, 10, 10)
HEADER = "prefix,rate_per_min,connect_fee,increment_s,currency,valid_from,valid_to\n"
WHOLESALE = HEADER + "44,0.02,0.01,60,EUR,,\n49,0.03,0,1,USD,,\n33,0.05,0,1,GBP,,\n"


def book(folder: Path, **usd_per: Decimal) -> CostBook:
    """Load what prices the costs of the small operator of these tests."""
    lake = books(folder, cost_deck="wholesale")
    cost = CostSettings(usd_per=usd_per or {"EUR": Decimal("1.10")})
    found = cost_book(cdr.open_lake(lake.settings.model_copy(update={"cost": cost})))
    assert found is not None
    return found


def costs(of: CostBook) -> dict[str, int | None]:
    """Map each record of the day to what it costs."""
    keys = of.lake.scan(CALLS).select("record_id", "source_record_id").collect()
    found = of.of_day(DAY).join(keys, on="record_id")
    return dict(found.select("source_record_id", "usd_micro").sort("source_record_id").iter_rows())


def test_each_leg_has_its_cost_or_none_is_known(
    tmp_path: Path, deck_of: Any, calls: Any, customers: None
) -> None:
    deck_of(WHOLESALE, name="wholesale")
    calls(
        call(1, NOON, "61", UK),  # a fee and two minutes begun: EUR 0.05
        call(2, NOON, "30", DE),  # half a minute at USD 0.03
        call(3, NOON, "30", "+33144567890"),  # in pounds, of which nobody said what they are worth
        call(4, NOON, "30", "+39064567890"),  # no rate
        call(5, NOON, "30", OURS),  # stays in the network
        call(6, NOON, "", UK, outcome="no_answer"),
        call(7, NOON, "30", "+49301111111", direction="inbound", caller=UK),
        call(8, NOON, "61", "+49301111111", direction="inbound", caller=DE, forwarded_to=UK),
    )
    assert costs(book(tmp_path)) == {
        "r1": 55_000, "r2": 15_000, "r3": None, "r4": None, "r5": 0, "r6": 0, "r7": 0, "r8": 55_000,
    }  # fmt: skip


def test_the_way_onward_is_paid_once_where_it_has_a_record(
    tmp_path: Path, deck_of: Any, calls: Any, customers: None
) -> None:
    deck_of(WHOLESALE, name="wholesale")
    calls(
        call(1, NOON, "61", "+49301111111", direction="inbound", caller=DE, forwarded_to=UK),
        call(2, NOON, "60", UK, call_id="c1"),
    )
    assert costs(book(tmp_path)) == {"r1": 0, "r2": 33_000}


def test_without_a_deck_there_is_no_book(lake: cdr.Lake, deck_of: Any, tmp_path: Path) -> None:
    assert cost_book(lake) is None
    assert cost_book(books(tmp_path, cost_deck="wholesale")) is None


def test_a_version_changes_for_the_days_that_its_rates_touch_only(
    tmp_path: Path, deck_of: Any
) -> None:
    deck_of(HEADER + "44,0.02,0,1,EUR,,\n", name="wholesale")
    was = book(tmp_path)
    rows = "44,0.02,0,1,EUR,,2026-10-20\n44,0.04,0,1,EUR,2026-10-20,\n"
    deck_of(HEADER + rows, name="wholesale", now=LATER)
    now = book(tmp_path)
    # the zone of the deck's dates is Berlin: 20 October begins at 22:00 UTC of the 19th
    same = [was.version(date(2026, 10, d)) == now.version(date(2026, 10, d)) for d in (18, 19, 20)]
    assert same == [True, False, False]
    assert book(tmp_path, EUR=Decimal("1.2")).version(DAY) != now.version(DAY)


def test_a_currency_without_worth_is_named(tmp_path: Path, deck_of: Any) -> None:
    deck_of(WHOLESALE, name="wholesale")
    assert book(tmp_path).unknown_currencies == ("GBP",)
