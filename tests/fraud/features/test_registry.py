"""The registry says what it means, and its SQL runs on other engines too."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlglot
from feature_rows import AS_OF, call
from sqlglot import expressions as exp

from cdr.errors import SettingsError
from cdr.query import Connection, Query
from fraud.features import words
from fraud.features.account_days import reductions
from fraud.features.destination_risk import Risk, destinations
from fraud.features.midnight import features_as_of
from fraud.features.registry import WINDOWS, Signal, Unit
from fraud.features.signals import SIGNALS, feature_set_hash, signals_on
from fraud.features.traces import traces_query
from fraud.features.window import window_features
from fraud.features.zones import zone_of_country

BY_NAME = {signal.name: signal for signal in SIGNALS}
STATEMENTS = [
    *reductions(),
    window_features(SIGNALS),
    window_features(SIGNALS, scored="scored_pairs"),
    traces_query(),
]


def test_names_are_unique() -> None:
    assert len(BY_NAME) == len(SIGNALS) >= 45


def test_a_name_says_unit_and_window() -> None:
    assert {signal.window_days for signal in SIGNALS} == {*WINDOWS}
    for signal in SIGNALS:
        assert signal.name.endswith(f"_{signal.unit.suffix}_{signal.window_days}d")


def test_a_signal_says_where_it_comes_from_and_what_it_means() -> None:
    for signal in SIGNALS:
        source = r"product design, |bandicoot, |ours, because |ours: "
        assert re.match(source, signal.source), signal.name
        assert "{value}" in signal.meaning, signal.name
        assert ("{n}" in signal.meaning) <= (signal.counted is not None), signal.name
        assert signal.minimum_count >= 1, signal.name
        assert signal.threshold is None or signal.direction is not None, signal.name


def test_what_a_share_is_a_part_of_is_a_count_over_the_same_window() -> None:
    for signal in (s for s in SIGNALS if s.counted):
        counted = BY_NAME[str(signal.counted)]
        assert counted.unit is Unit.COUNT, signal.name
        assert counted.window_days == signal.window_days, signal.name


@pytest.mark.slow
@pytest.mark.parametrize("query", STATEMENTS, ids=lambda q: q.name)
def test_statements_translate_to_spark(query: Query) -> None:
    tree = sqlglot.parse_one(query.sql, read="duckdb")
    unknown = {node.name for node in tree.find_all(exp.Anonymous)}
    assert not unknown  # a function nobody knows would be passed on as it stands
    tree.sql(dialect="spark", unsupported_level=sqlglot.ErrorLevel.RAISE)


def test_signals_translate_to_spark() -> None:
    for signal in SIGNALS:
        text = f"SELECT {signal.sql} AS value, {signal.count_sql} AS n FROM {signal.relation}"
        tree = sqlglot.parse_one(text, read="duckdb")
        assert not list(tree.find_all(exp.Anonymous)), signal.name
        tree.sql(dialect="spark", unsupported_level=sqlglot.ErrorLevel.RAISE)


def test_statements_hold_no_value_of_a_call() -> None:
    assert all("2026" not in query.sql for query in STATEMENTS)


def test_the_hash_follows_definitions_and_not_words() -> None:
    first, *rest = SIGNALS
    whole = feature_set_hash()
    assert re.fullmatch(r"[0-9a-f]{16}", whole)
    assert feature_set_hash(SIGNALS) == whole
    assert feature_set_hash((replace(first, meaning="{value}"), *rest)) == whole
    for changed in (
        (replace(first, minimum_count=9), *rest),
        (replace(first, sql="1"), *rest),
        rest,
    ):
        assert feature_set_hash(changed) != whole


def test_signals_can_be_switched_off() -> None:
    on = signals_on(["cost_usd_7d", "night_share_1d"])
    assert {s.name for s in SIGNALS} - {s.name for s in on} == {"cost_usd_7d", "night_share_1d"}


def test_an_unknown_signal_is_refused_with_a_suggestion() -> None:
    with pytest.raises(SettingsError, match=r"did you mean cost_usd_7d\?"):
        signals_on(["cost_usd_7"])


ONE_OF_EACH_RELATION = list({signal.relation: signal for signal in SIGNALS}.values())


@pytest.mark.parametrize("signal", ONE_OF_EACH_RELATION, ids=lambda s: s.relation)
def test_signals_can_be_computed_alone(tables: Callable[..., Connection], signal: Signal) -> None:
    got = features_as_of(tables(), as_of=AS_OF, signals=[signal])
    assert got.columns == ["account_id", signal.name]


def test_unknown_is_null_and_never_zero(tables: Callable[..., Connection]) -> None:
    row = features_as_of(tables(), as_of=AS_OF).row(0, named=True)
    known = {name for name, value in row.items() if value is not None}
    assert known == {"account_id", "account_age_days_30d"}


def test_a_share_is_unknown_below_its_minimum_count(tables: Callable[..., Connection]) -> None:
    name = "answer_seizure_share_1d"
    minimum = BY_NAME[name].minimum_count
    calls = [call(f"2026-03-01 10:{minute:02}", 5) for minute in range(minimum)]
    signals = [BY_NAME[name]]
    below = features_as_of(tables(calls[1:]), as_of=AS_OF, signals=signals)
    at = features_as_of(tables(calls), as_of=AS_OF, signals=signals)
    assert [below[name][0], at[name][0]] == [None, 1.0]


def test_every_signal_can_be_said() -> None:
    for signal in SIGNALS:
        said = words.describe(signal, 1.0)
        assert not re.search(r"[{}]", said), signal.name
        assert words.describe(signal, None).startswith("unknown: "), signal.name


def test_the_longest_prefix_is_unique_and_every_number_has_one() -> None:
    prefixes = [d.prefix for d in destinations()]
    assert len(prefixes) == len(set(prefixes))
    assert "+" in prefixes
    assert all(re.fullmatch(r"\+\d*", prefix) for prefix in prefixes)
    assert all(d.source and d.usd_per_min > 0 for d in destinations())
    assert {d.risk for d in destinations()} == set(Risk)


def test_countries_have_the_zone_most_of_their_people_live_in() -> None:
    zones = zone_of_country()
    assert len(zones) > 240
    assert [zones[c] for c in ("DE", "US", "BR", "AU")] == [
        "Europe/Berlin",
        "America/New_York",
        "America/Sao_Paulo",
        "Australia/Sydney",
    ]
