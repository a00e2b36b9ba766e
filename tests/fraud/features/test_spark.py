"""The statement of the signals, translated, gives on Spark what it gives on DuckDB."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
import sqlglot
from feature_rows import AS_OF, opened
from sqlglot import exp
from test_point_in_time import EARLIER, OPENED, OTHERS, PAST, merged

from cdr.query import Query, run
from fraud.features.midnight import features_as_of
from fraud.features.signals import SIGNALS
from fraud.features.window import window_features

pytestmark = pytest.mark.spark

TABLES = (
    "accounts",
    "account_events",
    "account_numbers",
    "message_templates",
    "lists",
    "account_days",
    "account_day_keys",
    "blocked_traces",
)


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Start Spark on this machine; CI installs it (dependency group `spark`)."""
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is not installed: see .ci/run")

    folder = tmp_path_factory.mktemp("spark")
    builder = sql.SparkSession.builder.master("local[2]").appName("signals")
    settings = {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "1",
        "spark.default.parallelism": "1",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.ui.enabled": "false",
        "spark.driver.memory": "2g",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.local.dir": str(folder),
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


def test_every_signal_is_the_same_on_spark(spark: Any, tmp_path: Path) -> None:
    """On an account for which no signal is unknown, and on those that are tied to it."""
    known = merged(PAST, OTHERS)
    con = opened(**known, accounts=[OPENED, *EARLIER])
    expected = features_as_of(con, as_of=AS_OF)
    for name in TABLES:
        file = tmp_path / f"{name}.parquet"
        pq.write_table(run(con, Query(name, f"FROM {name}")).to_arrow(), file)
        spark.read.parquet(str(file)).createOrReplaceTempView(name)
    con.close()

    given = {
        "as_of": AS_OF,
        "as_of_date": AS_OF.date(),
        "first_date": AS_OF.date() - timedelta(days=30),
        "until_date": AS_OF.date(),
        "left_out": [],
        "from_account": None,
        "to_account": None,
    }
    found = on_spark(spark, window_features(SIGNALS).sql, given)
    rows = [row.asDict() for row in found.collect()]
    got = pl.DataFrame(rows, schema_overrides={s.name: pl.Float64 for s in SIGNALS})

    assert got["account_id"].to_list() == expected["account_id"].to_list()
    unlike = {
        signal.name: (expected[signal.name].to_list(), got[signal.name].to_list())
        for signal in SIGNALS
        if got[signal.name].to_list()
        != [None if v is None else pytest.approx(v) for v in expected[signal.name]]
    }
    assert unlike == {}


def on_spark(spark: Any, sql: str, given: dict[str, Any]) -> Any:
    """Run a translated statement, each relation of its ``WITH`` made before the next.

    One plan of forty relations takes Spark minutes to think about; rows are few.
    """
    tree = sqlglot.parse_one(sql, read="duckdb")
    parts = tree.args.pop("with_").expressions
    for part in parts:
        made = _run(spark, part.this, given)
        made.localCheckpoint(eager=True).createOrReplaceTempView(part.alias)
    return _run(spark, tree, given)


def _run(spark: Any, tree: exp.Expression, given: dict[str, Any]) -> Any:
    text = tree.sql(dialect="spark", unsupported_level=sqlglot.ErrorLevel.RAISE)
    return spark.sql(text, args={name: v for name, v in given.items() if f":{name}" in text})
