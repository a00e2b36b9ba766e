"""Each kind of fraud has its signature, and honest accounts have habits."""

from __future__ import annotations

import numpy as np
import pytest
from simulated_month import Month

from pipelines.simulate.draws import Flags, Ints
from pipelines.simulate.fraud_profiles import FRAUD_KINDS
from pipelines.simulate.frauds import NEVER
from pipelines.simulate.hours import CURVES, HOUR_MS, to_local_ms
from pipelines.simulate.places import HIGH_RISK, MID_PRICE
from pipelines.simulate.traffic import Direction, Outcome

pytestmark = pytest.mark.slow


def median_talk_s(month: Month, chosen: Flags) -> float:
    answered = chosen & (month.legs.outcome == Outcome.ANSWERED)
    return float(np.median(month.legs.talk_ms[answered])) / 1000


def answered_share(month: Month, chosen: Flags) -> float:
    return float((month.legs.outcome[chosen] == Outcome.ANSWERED).mean())


def countries(month: Month, chosen: Flags) -> set[str]:
    pools = np.unique(month.legs.other_pool[chosen])
    return {month.destinations.pools.names[pool][0] for pool in pools if pool >= 0}


def accounts_of(month: Month, kind: str) -> Ints:
    return np.flatnonzero(month.people.fraud == FRAUD_KINDS.index(kind))


def weekend_share(month: Month, chosen: Flags) -> float:
    local_h = to_local_ms(month.legs.start_ms[chosen], "Europe/Berlin") // HOUR_MS
    weekday = (local_h // 24 + 3) % 7  # 1 January 1970 was a Thursday
    hour_of_week = weekday * 24 + local_h % 24
    return float(((hour_of_week >= 4 * 24 + 18) | (hour_of_week < 10)).mean())


@pytest.mark.parametrize("kind", FRAUD_KINDS)
def test_of_each_kind_one_is_caught_and_one_is_not(month: Month, kind: str) -> None:
    blocked = month.people.blocked_ms[accounts_of(month, kind)]

    assert (blocked < month.last_ms).any()
    assert (blocked == NEVER).any()


@pytest.mark.parametrize("kind", FRAUD_KINDS)
def test_fraud_lies_between_sign_up_and_block(month: Month, kind: str) -> None:
    account = month.legs.account[month.of(kind)]
    start_ms = month.legs.start_ms[month.of(kind)]

    assert len(start_ms) > 20
    assert (start_ms >= month.people.created_ms[account]).all()
    assert (start_ms < month.people.blocked_ms[account]).all()


@pytest.mark.parametrize("kind", ["irsf", "pbx_hacking"])
def test_short_tests_of_the_same_numbers_precede_the_attack(month: Month, kind: str) -> None:
    for account in accounts_of(month, kind):
        calls = month.of(kind) & (month.legs.account == account)
        before = calls & (month.legs.start_ms < month.people.fraud_from_ms[account])
        attack = calls & ~before
        lead_h = month.people.fraud_from_ms[account] - month.legs.start_ms[before]
        home = month.destinations.pools.names
        foreign = before & np.isin(
            month.legs.other_pool, [i for i, name in enumerate(home) if name[0] in HIGH_RISK]
        )

        assert foreign.any()
        assert lead_h.max() <= 25 * HOUR_MS
        assert median_talk_s(month, foreign) < 20 < median_talk_s(month, attack)
        assert set(month.legs.other[foreign]) & set(month.legs.other[attack])


def test_irsf_is_few_dear_numbers_long_calls_and_weekends(month: Month) -> None:
    chosen = month.of("irsf")

    assert countries(month, chosen) <= set(HIGH_RISK)
    assert median_talk_s(month, chosen) > 200
    assert weekend_share(month, chosen) > 0.7
    for account in accounts_of(month, "irsf"):
        assert len(np.unique(month.legs.other[chosen & (month.legs.account == account)])) < 40


def test_evasive_irsf_is_mid_price_spread_out_and_not_at_weekends(month: Month) -> None:
    chosen = month.of("irsf_evasive") & month.out()
    answered = chosen & (month.legs.outcome == Outcome.ANSWERED)

    assert countries(month, chosen) <= set(MID_PRICE)
    assert len(np.unique(month.legs.other[chosen])) > 100
    assert np.log(month.legs.talk_ms[answered]).std() > 0.8
    assert weekend_share(month, chosen) < 0.3


def test_wangiri_rings_once_goes_number_by_number_and_is_called_back(month: Month) -> None:
    chosen = month.of("wangiri") & month.out()
    back = month.of("wangiri") & (month.legs.direction == Direction.INBOUND)
    account = accounts_of(month, "wangiri")[0]
    in_time = np.argsort(month.legs.start_ms[chosen & (month.legs.account == account)])
    numbers = month.legs.other[chosen & (month.legs.account == account)][in_time]

    assert answered_share(month, chosen) < 0.06
    assert np.median(month.legs.ring_ms[chosen]) < 3000
    assert (np.diff(numbers) == 1).mean() > 0.8
    assert 0.02 < back.sum() / chosen.sum() < 0.1
    assert np.isin(month.legs.other[back], month.legs.other[chosen]).mean() > 0.6


def test_robocalls_are_short_and_hardly_ever_repeated(month: Month) -> None:
    chosen = month.of("robocall") & month.out()
    answered = chosen & (month.legs.outcome == Outcome.ANSWERED)
    numbers = month.legs.other[chosen]

    assert (month.legs.talk_ms[answered] <= 6000).mean() > 0.2
    assert (month.legs.talk_ms[answered] < 60_000).mean() > 0.9
    assert len(np.unique(numbers)) / len(numbers) > 0.9


def test_bypass_has_many_callees_in_one_country_and_no_calls_back(month: Month) -> None:
    chosen = month.of("simbox")
    for account in accounts_of(month, "simbox"):
        calls = chosen & (month.legs.account == account)
        outbound = calls & month.out()

        assert len(countries(month, outbound)) == 1
        assert (calls & ~month.out()).sum() < 0.03 * outbound.sum()
        assert len(np.unique(month.legs.other[outbound])) > 0.7 * outbound.sum()


def test_hacked_pbx_goes_on_with_its_own_calls_and_is_hacked_at_the_weekend(month: Month) -> None:
    victims = accounts_of(month, "pbx_hacking")
    own = np.isin(month.legs.account, victims) & ~month.legs.fraudulent

    assert own.any()
    assert weekend_share(month, month.of("pbx_hacking")) > 0.6
    assert (month.people.created_ms[victims] < month.first_ms).all()


def test_take_over_comes_from_other_addresses(month: Month) -> None:
    for account in accounts_of(month, "takeover"):
        mine = month.legs.account == account
        own = month.legs.address[mine & ~month.legs.fraudulent] >> 16
        intruder = month.legs.address[mine & month.legs.fraudulent] >> 16

        assert not set(own) & set(intruder)


def test_returning_person_calls_the_same_people(month: Month) -> None:
    again = np.flatnonzero(month.people.predecessor >= 0)
    assert len(again) >= 2
    for account in again:
        old = month.of("returning") & (month.legs.account == month.people.predecessor[account])
        new = month.of("returning") & (month.legs.account == account)

        shared = np.isin(month.legs.other[new], month.legs.other[old]).mean()

        assert shared > 0.3


def test_customers_call_the_same_people_again(month: Month) -> None:
    honest = month.out() & (month.people.fraud[month.legs.account] == -1)
    honest &= month.people.lookalike[month.legs.account] == -1
    pairs = np.stack([month.legs.account[honest], month.legs.other[honest]])
    _, counts = np.unique(pairs, axis=1, return_counts=True)

    assert counts[counts > 1].sum() / counts.sum() > 0.6


@pytest.mark.parametrize(
    ("kind", "low_s", "high_s"),
    [("reminders", 5, 40), ("call_centre", 30, 110), ("conference_host", 1000, 4000)],
)
def test_look_alikes_talk_as_they_should(
    month: Month, kind: str, low_s: float, high_s: float
) -> None:
    assert low_s < median_talk_s(month, month.by(kind)) < high_s


def test_diaspora_calls_dear_countries_for_long(month: Month) -> None:
    chosen = month.by("diaspora") & month.out()

    assert len(countries(month, chosen)) >= 2
    assert median_talk_s(month, chosen) > 200


def test_failover_has_failed_attempts_before_the_call(month: Month) -> None:
    failed = month.by("pbx_failover") & (month.legs.leg > 0)

    assert failed.sum() > 100
    assert set(month.legs.outcome[failed]) == {Outcome.FAILED}


def test_every_week_of_a_curve_is_seven_mean_days() -> None:
    for table in CURVES.values():
        assert table.sum() == pytest.approx(7)
