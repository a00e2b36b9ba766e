"""The arithmetic: how much the agreement of two accounts says, detail by detail, in bits.

Splink computes it in DuckDB: match weight = prior + sum over details of
log2(m / u), where a shared value's own frequency stands in place of u
(term-frequency adjustment). It is given which key agrees and how many accounts
have the value; the values stay outside, except names, which are compared letter
by letter.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log2
from typing import Any

import polars as pl
from splink import DuckDBAPI, Linker, SettingsCreator
from splink.internals.exceptions import SplinkException

from cdr.errors import QueryFailed
from cdr.query import Connection, Query, run, session
from cdr.settings import StoreSettings
from fraud.identity.details import DETAILS, KEYED, NEAR_NAME, Detail, Level
from fraud.identity.normalise import KEYS
from fraud.identity.pairs import PAIR, Pairs
from fraud.identity.parameters import Parameters

DIFFERS = "differs"
"""The level of a detail that both accounts have and do not share."""

_PAIRS_AT_ONCE = 200_000
"""Ours: some 100 MB in DuckDB, however many pairs there are."""

_NOT_SHARED = 0
"""In place of the number of holders, where both accounts have a key and share no value."""


def _columns(detail: Detail) -> tuple[str, str, str]:
    return f"{detail.name}_level", f"{detail.name}_bits", f"{detail.name}_holders"


WEIGHED = pl.Schema(
    {
        "account_id": pl.String(),
        "blocked_id": pl.String(),
        "match_weight_bits": pl.Float64(),
        "match_probability": pl.Float64(),
        "evidence_bits": pl.Float64(),
        **{
            column: dtype
            for detail in DETAILS
            for column, dtype in zip(
                _columns(detail), (pl.String(), pl.Float64(), pl.Int64()), strict=True
            )
        },
    }
)
"""One row per pair of an account and a blocked one."""


def weigh(
    pairs: Pairs, names: pl.DataFrame, *, parameters: Parameters, store: StoreSettings
) -> pl.DataFrame:
    """Weigh what the two accounts of each pair have in common.

    Parameters
    ----------
    pairs : Pairs
        As `pairs.find_pairs` gives.
    names : pl.DataFrame
        account_id and name, as made comparable, of all accounts that have one.
    parameters : Parameters
        As `learning.learn_parameters` gives, or as they were stored.
    store : StoreSettings
        Memory and threads that may be used.

    Returns
    -------
    pl.DataFrame
        One row per pair, sorted: account_id, blocked_id, match_weight_bits (with the
        prior), match_probability (0..1), evidence_bits (without the prior), and of
        each detail `<detail>_level` (key of the level or `differs`),
        `<detail>_bits` (its part of the evidence) and `<detail>_holders` (accounts
        that have the shared value); null where not both accounts have the detail.

    Raises
    ------
    QueryFailed
        If DuckDB refuses.

    Notes
    -----
    A shared value's frequency is tonight's, not a parameter. It leaves out the pair itself
    and adds half (Jeffreys' prior), so a value nobody else has is not taken as impossible
    by chance.
    """
    if pairs.agreements.is_empty():
        return pl.DataFrame(schema=WEIGHED)
    known_count = dict(pairs.known.select("key", "known_count").iter_rows())
    parts = [
        _weigh_some(some, names, parameters, known_count, store)
        for some in _side_by_side(pairs).iter_slices(_PAIRS_AT_ONCE)
    ]
    return pl.concat(parts)


def _side_by_side(pairs: Pairs) -> pl.DataFrame:
    """Return one row per pair with the holders of what each key shares, 0 where nothing."""
    holders = pl.col("holders").fill_null(_NOT_SHARED).cast(pl.Int64)
    return (
        pairs.agreements.group_by(PAIR)
        .agg(holders.filter(pl.col("key") == key).first().alias(key) for key in KEYS)
        .sort(PAIR)
    )


def _weigh_some(
    some: pl.DataFrame,
    names: pl.DataFrame,
    parameters: Parameters,
    known_count: Mapping[str, int],
    store: StoreSettings,
) -> pl.DataFrame:
    some = some.with_row_index("place")
    tables = {"records": _records(some, names), "to_weigh": _to_weigh(some)}
    tables |= {
        f"rarity_{key}": _rarity(some, key, known_count.get(key, 1), parameters.m[key])
        for key in KEYS
    }
    con = session({name: table.to_arrow() for name, table in tables.items()}, store=store)
    try:
        scored = _scored(con, parameters)
    finally:
        con.close()
    scored = scored.with_columns(place=pl.col("match_key").cast(pl.UInt32)).sort("place")
    prior_bits = log2(parameters.prior / (1 - parameters.prior))
    return some.join(scored.drop(KEYS, strict=False), on="place", maintain_order="left").select(
        "account_id",
        "blocked_id",
        match_weight_bits="match_weight",
        match_probability="match_probability",
        evidence_bits=pl.col("match_weight") - prior_bits,
        **{
            column: expr
            for detail in DETAILS
            for column, expr in zip(_columns(detail), _result(detail), strict=True)
        },
    )


def _records(some: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """Return the two sides of each pair as the records that Splink compares."""
    sides = (("l", "account_id"), ("r", "blocked_id"))
    return pl.concat(
        some.join(names, left_on=who, right_on="account_id", how="left", suffix="_text").select(
            *KEYS, "name_text", unique_id=pl.format("{}{}", "place", pl.lit(side))
        )
        for side, who in sides
    )


def _to_weigh(some: pl.DataFrame) -> pl.DataFrame:
    place = pl.col("place").cast(pl.String)
    return some.select(join_key_l=place + "l", join_key_r=place + "r", match_key=place)


def _rarity(some: pl.DataFrame, key: str, known_count: int, m: float) -> pl.DataFrame:
    """Return how often a stranger has a value that so many accounts have; cut at m like u."""
    holders = some.select(pl.col(key)).filter(pl.col(key) > _NOT_SHARED).unique()
    others = pl.col(key) - 2 + 0.5  # without the two of the pair; Jeffreys' half
    frequency = (others / known_count).clip(upper_bound=m)
    return holders.with_columns(frequency.alias(f"tf_{key}"))


def _scored(con: Connection, parameters: Parameters) -> pl.DataFrame:
    """Let Splink weigh the pairs of table ``to_weigh``."""
    try:
        api = DuckDBAPI(con)
        settings = _settings(parameters)
        linker = Linker(api.register("records"), settings, None, validate_settings=False)
        for key in KEYS:
            rarity = api.register(f"rarity_{key}")
            linker.table_management.register_term_frequency_lookup(rarity, key)
        linker.table_management.register_blocked_pairs_for_predict(api.register("to_weigh"))
        table = linker.inference.predict(warning_mode="never").physical_name
    except SplinkException as error:
        raise QueryFailed("identity weights", type(error.__cause__ or error).__name__) from None
    return run(con, Query("identity weights", f"FROM {table}"))


def _settings(parameters: Parameters) -> SettingsCreator:
    return SettingsCreator(
        link_type="dedupe_only",
        probability_two_random_records_match=parameters.prior,
        comparisons=[_comparison(detail, parameters) for detail in DETAILS],
        retain_matching_columns=True,
        retain_intermediate_calculation_columns=True,
        linker_uid="identity",
    )


def _comparison(detail: Detail, parameters: Parameters) -> dict[str, Any]:
    """Describe a detail's levels to Splink."""
    m = sum(parameters.m[level.key] for level in detail.levels)
    u = sum(parameters.u_of(level.key) for level in detail.levels)
    strongest = detail.levels[0].key
    return {
        "output_column_name": detail.name,
        "comparison_levels": [
            {"sql_condition": f"{strongest}_l IS NULL", "is_null_level": True},
            *(_level(level, parameters) for level in detail.levels),
            {"sql_condition": "ELSE", "m_probability": 1 - m, "u_probability": 1 - u},
        ],
    }


def _level(level: Level, parameters: Parameters) -> dict[str, Any]:
    m, u = parameters.m[level.key], parameters.u_of(level.key)
    weights = {"m_probability": m, "u_probability": u}
    if level not in KEYED:
        near = f"jaro_winkler_similarity(name_text_l, name_text_r) >= {NEAR_NAME}"
        return {"sql_condition": near, **weights}
    return {
        "sql_condition": f"{level.key}_l = {level.key}_r AND {level.key}_l > {_NOT_SHARED}",
        "tf_adjustment_column": level.key,
        "disable_tf_exact_match_detection": True,
        **weights,
    }


def _result(detail: Detail) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Return level, bits and holders out of Splink's columns; its gamma counts from the weakest."""
    gamma = pl.col(f"gamma_{detail.name}")
    names = {len(detail.levels) - i: level.key for i, level in enumerate(detail.levels)}
    level = gamma.replace_strict({-1: None, 0: DIFFERS, **names}, return_dtype=pl.String)
    bits = pl.col(f"mw_{detail.name}") + pl.col(f"mw_tf_adj_{detail.name}")
    holders = [
        pl.when(gamma == value).then(pl.col(key)) for value, key in names.items() if key in KEYS
    ]
    return level, pl.when(gamma >= 0).then(bits), pl.coalesce(holders)
