"""A session reads its views and nothing else: every way out that DuckDB knows is tried."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import duckdb
import polars as pl
import pytest

from cdr.errors import CdrError
from cdr.query import ask, session
from cdr.settings import StoreSettings

SECRET = "value-of-the-secret"
FILE = "{file}"
OUT = "{out}"

READ_FILES = [
    "SELECT * FROM read_text('{file}')",
    "SELECT * FROM read_blob('{file}')",
    "SELECT * FROM read_csv('{file}')",
    "SELECT * FROM read_csv_auto('{file}')",
    "SELECT * FROM sniff_csv('{file}')",
    "SELECT * FROM read_json('{file}')",
    "SELECT * FROM read_json_auto('{file}')",
    "SELECT * FROM read_json_objects('{file}')",
    "SELECT * FROM read_ndjson('{file}')",
    "SELECT * FROM read_ndjson_objects('{file}')",
    "SELECT * FROM read_parquet('{parquet}')",
    "SELECT * FROM parquet_scan('{parquet}')",
    "SELECT * FROM parquet_metadata('{parquet}')",
    "SELECT * FROM parquet_schema('{parquet}')",
    "SELECT * FROM parquet_file_metadata('{parquet}')",
    "SELECT * FROM parquet_kv_metadata('{parquet}')",
    "SELECT * FROM parquet_bloom_probe('{parquet}', 'a', 'x')",
    "SELECT * FROM glob('{folder}/*')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM '{file}'",
    "SELECT * FROM '{parquet}'",
    'SELECT * FROM "{parquet}"',
    "FROM '{parquet}'",
    "FROM '/etc/passwd'",
    "FROM '/proc/self/environ'",
    "FROM 'file://{file}'",
    "FROM 'https://example.com/x.csv'",
    "FROM 's3://bucket/x.parquet'",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_text('/proc/self/environ')",
    "SELECT * FROM query('SELECT * FROM read_text(''{file}'')')",
    "SELECT * FROM query_table('{parquet}')",
    "WITH x AS MATERIALIZED (FROM read_text('{file}')) FROM x",
    "SELECT (SELECT content FROM read_text('{file}'))",
    "SELECT * FROM calls, LATERAL (SELECT * FROM read_text('{file}'))",
    "/* a comment */ SELECT * FROM read_text('{file}') -- and another",
    "SELECT * FROM READ_TEXT(E'{file}')",
    "SELECT * FROM main.read_text('{file}')",
    "SELECT * FROM system.main.read_text('{file}')",
    "SELECT\u00a0*\u00a0FROM\u00a0read_text('{file}')",
    "SELECT * FROM \uff52ead_text('{file}')",
    "SELECT * FROM seq_scan('{parquet}')",
    "SELECT * FROM arrow_scan(1, 2, 3)",
    "SELECT * FROM arrow_scan_dumb(1, 2, 3)",
    "SELECT * FROM pandas_scan(1)",
    "SELECT * FROM python_map_function(1)",
    "SELECT * FROM secret_frame",
    "SELECT * FROM secret_list",
    "EXPLAIN ANALYZE SELECT * FROM read_text('{file}')",
    "SUMMARIZE FROM '{parquet}'",
    "DESCRIBE SELECT * FROM read_parquet('{parquet}')",
    "DESCRIBE '{parquet}'",
    "SELECT * FROM read_duckdb('{folder}/x.duckdb')",
    "SELECT * FROM read_text(['{file}', '/etc/passwd'])",
    "SELECT list_transform(['{file}'], lambda x: (SELECT content FROM read_text(x)))",
    "SELECT * FROM query_table(['calls', '{parquet}'])",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('FROM read_text(''{file}'')'))",
    "SELECT json_serialize_plan('FROM read_csv(''{file}'')')",
    "SELECT * FROM delta_scan('{folder}')",
    "SELECT * FROM sqlite_scan('{file}', 't')",
    "FROM 'hf://datasets/a/b/x.parquet'",
    ".read {file}",
]
WRITE_FILES = [
    "COPY calls TO '{out}'",
    "COPY (SELECT 1) TO '{out}' (FORMAT csv)",
    "COPY (SELECT 1) TO '{out}' (FORMAT parquet)",
    "COPY (SELECT 1) TO '{out}' (FORMAT json)",
    "COPY (SELECT 1) TO '/dev/stdout'",
    "CREATE TABLE t (a VARCHAR); COPY t FROM '{file}'",
    "EXPORT DATABASE '{out}'",
    "IMPORT DATABASE '{folder}'",
    "ATTACH '{out}' AS other",
    "ATTACH '{out}' AS other (TYPE sqlite)",
    "ATTACH 'postgres://localhost/x' AS other (TYPE postgres)",
    "ATTACH ':memory:' AS other; COPY FROM DATABASE memory TO other; ATTACH '{out}' AS o2",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{out}'",
    "CALL enable_logging(storage = 'file', storage_config = {{'path': '{out}'}})",
    "CALL enable_logging('QueryLog', storage_path = '{out}')",
    "PRAGMA enable_profiling = 'json'; SET profile_output = '{out}'",
    "PRAGMA profile_output = '{out}'",
    "PRAGMA enable_checkpoint_on_shutdown",
    "PRAGMA database_list; SELECT * FROM read_text('{file}')",
    "PREPARE p AS SELECT * FROM read_text('{file}'); EXECUTE p",
    "PREPARE p AS SELECT * FROM read_text($1); EXECUTE p('{file}')",
    "CREATE VIEW v AS SELECT * FROM read_text('{file}'); SELECT * FROM v",
    "CREATE TEMP VIEW v AS FROM '{parquet}'; FROM v",
    "CREATE TABLE t AS SELECT * FROM read_csv('{file}'); FROM t",
    "CREATE MACRO m(x) AS TABLE SELECT * FROM read_text(x); FROM m('{file}')",
    "SELECT 1; SELECT * FROM read_text('{file}')",
    "COPY FROM DATABASE memory TO temp",
    "MERGE INTO calls USING (FROM read_text('{file}')) AS f ON true WHEN MATCHED THEN DELETE",
    "CREATE TYPE e AS ENUM (SELECT content FROM read_text('{file}')); SELECT enum_range(NULL::e)",
]
CHANGE_SETTINGS = [
    "SET enable_external_access = true",
    "SET GLOBAL enable_external_access = true",
    "RESET enable_external_access",
    "SET lock_configuration = false",
    "RESET lock_configuration",
    "SET allowed_directories = ['/']",
    "SET allowed_paths = ['{file}']",
    "SET allowed_configs = ['enable_external_access']",
    "SET memory_limit = '1TB'",
    "SET threads = 64",
    "SET max_execution_time = 0",
    "SET temp_directory = '{folder}'",
    "SET max_temp_directory_size = '1TB'",
    "SET python_enable_replacements = true",
    "SET python_scan_all_frames = true",
    "SET autoload_known_extensions = true",
    "SET custom_extension_repository = 'http://example.com'",
    "SET log_query_path = '{out}'",
    "SET profiling_output = '{out}'",
    "SET secret_directory = '{folder}'",
    "SET home_directory = '{folder}'",
    "SET file_search_path = '{folder}'",
    "PRAGMA threads = 64",
    "PRAGMA memory_limit = '1TB'",
    "PRAGMA temp_directory = '{folder}'",
    "PRAGMA enable_external_access = true",
    "INSTALL httpfs",
    "INSTALL sqlite FROM community",
    "FORCE INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{out}'",
    "UPDATE EXTENSIONS",
    "CREATE SECRET s (TYPE s3, KEY_ID 'x', SECRET 'y')",
    "CREATE PERSISTENT SECRET s (TYPE s3, KEY_ID 'x', SECRET 'y')",
    "SELECT * FROM duckdb_settings(); SET threads = 64",
    "SELECT * FROM duckdb_extensions()",
    "FROM enable_logging('QueryLog')",
]
ENVIRONMENT = [
    "SELECT getenv('CALLSIEVE_TEST_SECRET')",
    "SELECT system.main.getenv('CALLSIEVE_TEST_SECRET')",
    "SELECT getvariable('CALLSIEVE_TEST_SECRET')",
    "SELECT current_setting('secret_directory') || getenv('CALLSIEVE_TEST_SECRET')",
]
ATTEMPTS = [*READ_FILES, *WRITE_FILES, *CHANGE_SETTINGS, *ENVIRONMENT]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reachable")
    (folder / "secret.csv").write_text(f"{SECRET}\n{SECRET}\n")
    pl.DataFrame({"a": [SECRET]}).write_parquet(folder / "secret.parquet")
    return folder


@pytest.fixture(scope="module")
def con(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    calls = pl.DataFrame({"n": [1, 2]}).to_arrow()
    con = session({"calls": calls}, store=StoreSettings(), spill=folder / "spill")
    yield con
    con.close()


def filled(sql: str, folder: Path) -> str:
    return sql.format(
        file=folder / "secret.csv",
        parquet=folder / "secret.parquet",
        folder=folder,
        out=folder / "out",
    )


def settings(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    return con.execute("SELECT name, value FROM duckdb_settings() ORDER BY ALL").fetchall()


def test_there_are_more_than_a_hundred_attempts() -> None:
    assert len(set(ATTEMPTS)) > 100


@pytest.mark.parametrize("number", range(len(ATTEMPTS)))
def test_a_connection_that_was_handed_out_gives_nothing_away(
    number: int,
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret_frame = pl.DataFrame({"a": [SECRET]})
    secret_list = [SECRET, secret_frame.height]
    monkeypatch.setenv("CALLSIEVE_TEST_SECRET", SECRET)
    files = set(folder.iterdir())
    said = ""
    try:
        said = str(con.execute(filled(ATTEMPTS[number], folder)).fetchall())
    except (duckdb.Error, RuntimeError, ValueError) as refused:
        said = str(refused)

    assert secret_list[0] not in said
    assert "root:" not in said
    assert set(folder.iterdir()) == files
    assert con.execute("SELECT sum(n) FROM calls").fetchall() == [(3,)]


def test_no_attempt_changes_a_setting(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    before = settings(con)
    for sql in CHANGE_SETTINGS:
        with suppress(duckdb.Error, ValueError):
            con.execute(filled(sql, folder)).fetchall()
    assert settings(con) == before


@pytest.mark.parametrize("number", range(len(ATTEMPTS)))
def test_a_query_is_refused_with_an_error_of_ours(
    number: int, con: duckdb.DuckDBPyConnection, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLSIEVE_TEST_SECRET", SECRET)
    sql = filled(ATTEMPTS[number], folder)
    try:
        said = str(ask(con, sql, limit=10))
    except CdrError as refused:
        said = str(refused)
        assert str(folder) not in said
    else:
        assert number in ANSWERED, sql
    assert SECRET not in said
    assert "root:" not in said


ANSWERED = {
    ATTEMPTS.index("SELECT getvariable('CALLSIEVE_TEST_SECRET')"),
    ATTEMPTS.index("SELECT json_serialize_plan('FROM read_csv(''{file}'')')"),
}
"""DuckDB's own variables, of which there are none, and a plan, which is a refusal as JSON."""


@pytest.mark.parametrize(
    "method", ["read_csv", "read_parquet", "read_json", "from_parquet", "from_csv_auto"]
)
def test_python_ways_of_reading_files_are_closed_too(
    method: str, con: duckdb.DuckDBPyConnection, folder: Path
) -> None:
    with pytest.raises(duckdb.Error):
        getattr(con, method)(str(folder / "secret.parquet")).fetchall()


@pytest.mark.parametrize("method", ["install_extension", "load_extension"])
def test_python_ways_of_loading_extensions_are_closed_too(
    method: str, con: duckdb.DuckDBPyConnection
) -> None:
    with pytest.raises(duckdb.Error):
        getattr(con, method)("httpfs")
