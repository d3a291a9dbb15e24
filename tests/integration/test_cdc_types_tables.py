"""Keys of every type, odd names, wide and unusual tables: both ways into MongoDB, compared row by row with MySQL."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from bson import Binary

from cdc_support.capture import Capture
from cdc_support.operator import ask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isotherm_local.harness import Pipeline

MEMBERS = ", ".join(f"'m{number}'" for number in range(64))
KEYS: list[tuple[str, list[str]]] = [
    ("k BIGINT UNSIGNED", ["0", "9223372036854775807", "9223372036854775808", "18446744073709551615", "7"]),
    ("k MEDIUMINT", ["-8388608", "0", "8388607", "-1", "1"]),
    ("k DECIMAL(20,3)", ["-99999999999999999.999", "0", "0.001", "-0.001", "5"]),
    ("k DECIMAL(65,30)", ["1e-30", "0", "-1e-30", "99999999999999999999999999999999999.9", "5"]),
    ("k FLOAT", ["0.1", "-0.0e0", "3.4e38", "-3.4e38", "16777217"]),
    ("k DOUBLE", ["0.1", "-0.0e0", "123456789012345.6", "-5e-324", "5e-324"]),
    ("k BIT(64)", ["0", "1 << 63", "(1 << 53) + 1", "1 << 53", "~0"]),
    ("k YEAR", ["'0000'", "1901", "2155", "2000", "1999"]),
    ("k DATE", ["'0000-00-00'", "'2024-00-00'", "'2024-02-30'", "'9999-12-31'", "'1000-01-01'"]),
    (
        "k DATETIME(6)",
        [
            "'0000-00-00'",
            "'2024-01-01 00:00:00.000001'",
            "'2024-01-01'",
            "'9999-12-31 23:59:59.999999'",
            "'1000-01-01'",
        ],
    ),
    ("k DATETIME(2)", ["'0000-00-00'", "'2024-01-01 00:00:00.01'", "'2024-01-01'", "'9999-12-31'", "'1000-01-01'"]),
    (
        "k TIMESTAMP(6)",
        [
            "'0000-00-00'",
            "'2024-01-01 00:00:00.000001'",
            "'2038-01-19 03:14:07.499999'",
            "'2024-01-01'",
            "'1970-01-01 00:00:01'",
        ],
    ),
    ("k TIME(6)", ["'-838:59:59'", "'-00:00:00.000001'", "'0'", "'00:00:00.000001'", "'838:59:59'"]),
    ("k CHAR(10) COLLATE utf8mb4_general_ci", ["'a '", "'B'", "'é'", "'😀'", "''"]),
    ("k VARCHAR(10) COLLATE utf8mb4_0900_ai_ci", ["'a'", "'a '", "'B'", "'ß'", "''"]),
    ("k VARCHAR(10) COLLATE utf8mb4_bin", ["'a'", "'A'", "'b'", "'B'", "'\\0'"]),
    ("k VARCHAR(10) CHARACTER SET latin1 COLLATE latin1_german2_ci", ["'ä'", "'a'", "'z'", "X'81'", "'B'"]),
    ("k VARCHAR(10) CHARACTER SET sjis", ["X'8341'", "X'5C'", "'a'", "X'B1'", "X'8342'"]),
    ("k VARCHAR(10) CHARACTER SET ucs2", ["'a'", "'é'", "X'D800'", "''", "'b'"]),
    ("k VARCHAR(10) CHARACTER SET utf32 COLLATE utf32_bin", ["'a'", "'é'", "'😀'", "''", "'b'"]),
    ("k BINARY(4)", ["X'00'", "X'01'", "X'0101'", "X'FFFFFFFF'", "X'02'"]),
    ("k VARBINARY(10)", ["X''", "X'00'", "X'0000'", "X'FF'", "'a'"]),
    ("k ENUM('z', '', 'a')", ["0", "1", "2", "3"]),
    ("k SET('', 'a')", ["0", "1", "2", "3"]),
    (f"k SET({MEMBERS})", ["0", "1 << 63", "(1 << 53) + 1", "1 << 53", "~0"]),
    ("k TEXT", ["'abc'", "'abd'", "'😀'", "''", "'b'"]),
    ("k BLOB", ["X'00'", "X'0000'", "X'FF'", "''", "'b'"]),
]


@pytest.fixture
def capture(stack: Pipeline) -> Iterator[Capture]:
    """A session that takes zero dates and invalid ENUM values."""
    with Capture.of(stack) as made:
        made.sql("SET SESSION sql_mode = 'ALLOW_INVALID_DATES'", "SET SESSION time_zone = '+00:00'")
        yield made


@pytest.mark.contract("D2")
def test_keys_of_every_type(capture: Capture) -> None:
    """Chunks of two rows follow each key's own order; changes of keys and deletes meet the right document."""
    tables = [f"key_{number}" for number in range(len(KEYS))]
    for table, (definition, values) in zip(tables, KEYS, strict=True):
        part = "k(3)" if definition in ("k TEXT", "k BLOB") else "k"
        capture.sql(f"CREATE TABLE {table} ({definition} NOT NULL, n INT, x INT DEFAULT 7, PRIMARY KEY ({part}))")
        capture.sql(f"CREATE TABLE two_{table} ({definition} NOT NULL, n INT NOT NULL, PRIMARY KEY (n DESC, {part}))")
        for number, value in enumerate(values):
            capture.sql(f"INSERT INTO {table} (k, n) VALUES ({value}, {number})")
            capture.sql(f"INSERT INTO two_{table} VALUES ({value}, {number % 2})")
    every = [*tables, *(f"two_{table}" for table in tables)]
    capture.start(CDC_SNAPSHOT_CHUNK_ROWS="2")
    capture.wait(120)
    assert capture.differences(*every) == []
    for table, (_, values) in zip(tables, KEYS, strict=True):
        capture.sql(
            f"DELETE FROM {table} WHERE n = 0",
            f"INSERT INTO {table} (k, n) VALUES ({values[0]}, 10)",
            f"DELETE FROM {table} WHERE n = 1",
            f"UPDATE {table} SET k = {values[1]}, n = 11 WHERE n = 2",
            f"UPDATE two_{table} SET n = n + 5",
            f"DELETE FROM two_{table} LIMIT 1",
        )
    capture.sql("UPDATE key_13 SET k = 'b' WHERE k = 'B'", "UPDATE key_4 SET k = 0.0e0 WHERE k = 0")
    capture.wait()
    assert capture.differences(*every) == []
    capture.sql("SET SESSION binlog_row_image = MINIMAL")
    for table in tables:
        capture.sql(f"UPDATE {table} SET n = n + 100")
    capture.wait()
    assert capture.differences(*tables) == [], "rows that are told in part are found again by their keys"
    ask(capture, "verify", *(f"{capture.stack.database}.{table}" for table in every))


@pytest.mark.contract("D2")
def test_keys_that_read_alike_stay_apart(capture: Capture) -> None:
    """cp932 has some characters twice: two rows whose keys are the same text are two documents."""
    capture.sql("CREATE TABLE t (k VARCHAR(5) CHARACTER SET cp932 COLLATE cp932_bin PRIMARY KEY, n INT)")
    capture.sql("INSERT INTO t VALUES (X'FBFC', 1), (X'EEE0', 2)")
    capture.start()
    capture.wait()
    expected = {"髙": 1, Binary(b"\xee\xe0", 128): 2}
    assert {document["_id"]: document["n"] for document in capture.collection("t").find()} == expected
    capture.sql("UPDATE t SET n = n + 1", "INSERT INTO t VALUES (X'879C', 3)")
    capture.wait()
    expected = {"髙": 2, Binary(b"\xee\xe0", 128): 3, Binary(b"\x87\x9c", 128): 3}
    assert {document["_id"]: document["n"] for document in capture.collection("t").find()} == expected
    assert {document["k"] for document in capture.collection("t").find()} == {"髙", "\u222a"}


@pytest.mark.contract("D8")
def test_text_that_is_none(capture: Capture) -> None:
    """Invalid UTF-8 in a utf8mb4 column (brought in with a tablespace) is kept as bytes, both ways."""
    folder = Path(capture.scalar("SELECT @@datadir")) / capture.stack.database
    capture.sql(
        "CREATE TABLE raw (id INT PRIMARY KEY, c VARBINARY(20))",
        "INSERT INTO raw VALUES (1, X'61FF62'), (2, X'EDA080'), (3, X'C3A9')",
        "CREATE TABLE t (id INT PRIMARY KEY, c VARCHAR(5) CHARACTER SET utf8mb4)",
        "ALTER TABLE t DISCARD TABLESPACE",
        "FLUSH TABLES raw FOR EXPORT",
    )
    shutil.copy(folder / "raw.ibd", folder / "t.ibd")
    capture.sql("UNLOCK TABLES", "ALTER TABLE t IMPORT TABLESPACE")
    capture.start()
    capture.wait()
    expected = {1: Binary(b"a\xffb", 128), 2: Binary(b"\xed\xa0\x80", 128), 3: "é"}
    assert {document["_id"]: document["c"] for document in capture.collection("t").find()} == expected
    capture.sql("UPDATE t SET id = id + 10 ORDER BY id DESC")
    capture.wait()
    expected = {identifier + 10: value for identifier, value in expected.items()}
    assert {document["_id"]: document["c"] for document in capture.collection("t").find()} == expected


@pytest.mark.contract("D3")
def test_odd_names(capture: Capture) -> None:
    """Reserved names are moved by the rule; everything else that MySQL takes for a name is a field's name as it is."""
    names = ["_id", "__id", "_cdc", "$x", "_$x", "a.b", "$a.b", "x y", "`", "'", "%s", "{", "é" * 64, "_ID2", "NULL"]
    columns = ", ".join(f"`{name.replace('`', '``')}` INT" for name in names)
    for table in ("odd", "`a.b`", "`ü x`"):
        capture.sql(
            f"CREATE TABLE {table} (`$k` INT, `_id` INT, `_cdc` JSON, PRIMARY KEY (`_id`, `$k`))"
            if table != "odd"
            else f"CREATE TABLE odd ({columns}, PRIMARY KEY (`_id`))"
        )
    capture.sql(f"INSERT INTO odd VALUES ({', '.join(map(str, range(len(names))))})")
    capture.sql("INSERT INTO `a.b` VALUES (1, 2, '{\"$x\": 1}')")
    capture.start()
    capture.wait()
    capture.sql("UPDATE odd SET `$x` = 30, `_cdc` = NULL", 'INSERT INTO `ü x` VALUES (1, 2, \'{"_id": {".": 1}}\')')
    capture.sql("INSERT INTO `a.b` VALUES (3, 4, NULL)", "UPDATE `a.b` SET `_id` = 5 WHERE `_id` = 2")
    capture.wait()
    assert capture.differences("odd", "a.b", "ü x") == []
    (document,) = capture.collection("odd").find()
    assert (document["_id"], document["__id"], document["___id"], document["_$x"]) == (0, 0, 1, 30)


def test_a_table_that_mongodb_cannot_have_is_refused(capture: Capture) -> None:
    """In one sentence that says what to do; excluded, it does not matter."""
    capture.sql("CREATE TABLE `a$b` (id INT PRIMARY KEY)", "CREATE TABLE t (id INT PRIMARY KEY)")
    process = capture.start(ready=False)
    capture.stack.until(lambda: not process.running, 60, "refusing")
    assert process.exit_code == 64
    assert f"{capture.stack.database}.a$b" in process.tail()
    capture.sql("INSERT INTO `a$b` VALUES (1)", "INSERT INTO t VALUES (1)")
    capture.start(CDC_TABLE_EXCLUDE_LIST=f"{capture.stack.database}.a$b")
    capture.wait()
    assert capture.differences("t") == []


def test_databases_that_differ_only_in_case_are_refused(capture: Capture) -> None:
    """One sentence names both; one of them alone is captured."""
    schema = capture.stack.database
    other = schema.upper()
    try:
        capture.sql(
            "CREATE TABLE t (id INT PRIMARY KEY)",
            f"CREATE DATABASE {other}",
            f"CREATE TABLE {other}.t (id INT PRIMARY KEY)",
        )
        user = capture.stack.spec("cdc", capture.settings).environment["MYSQL_USER"]
        account = capture.scalar(f"SELECT CONCAT(QUOTE(user), '@', QUOTE(host)) FROM mysql.user WHERE user = '{user}'")
        capture.sql(f"GRANT SELECT ON {other}.* TO {account}")
        both = f"{schema}.*,{other}.*"
        process = capture.start(ready=False, CDC_TABLE_INCLUDE_LIST=both)
        capture.stack.until(lambda: not process.running, 60, "refusing")
        assert process.exit_code == 64
        assert f"cannot have the databases {other} and {schema}, whose names differ only in case" in process.tail()
        capture.start(CDC_TABLE_INCLUDE_LIST=both, CDC_TABLE_EXCLUDE_LIST=f"{other}.*")
        capture.wait()
    finally:
        capture.sql(f"REVOKE IF EXISTS SELECT ON {other}.* FROM {account}", f"DROP DATABASE {other}")


def test_unusual_tables(capture: Capture) -> None:
    """As many columns as there can be, generated and hidden ones, instant ALTERs, partitions, compression, row formats."""
    wide = ", ".join(f"c{number} INT" for number in range(1016))
    widest = ", ".join(f"c{number} TINYINT" for number in range(3000))
    capture.sql(
        "SET SESSION sql_generate_invisible_primary_key = ON",
        "CREATE TABLE hidden_key (a INT)",
        "SET SESSION sql_generate_invisible_primary_key = OFF",
        f"CREATE TABLE wide (id INT PRIMARY KEY, {wide})",
        f"CREATE TABLE widest (id INT PRIMARY KEY, {widest}) ENGINE = MyISAM",
        "CREATE TABLE made (id INT PRIMARY KEY, v INT AS (id + 1) VIRTUAL, s VARCHAR(20) AS (CONCAT('s', id)) STORED,"
        " hidden INT DEFAULT 7 INVISIBLE, j JSON, KEY ((id * 2)), KEY ((CAST(j->'$.x' AS UNSIGNED ARRAY))),"
        " d DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), u BINARY(16) DEFAULT (UUID_TO_BIN(UUID())))",
        "CREATE TABLE stored_key (a INT, k INT AS (a * 2) STORED PRIMARY KEY)",
        "CREATE TABLE instant (id INT PRIMARY KEY, a INT, b VARCHAR(10))",
        "CREATE TABLE parts (id INT, y INT, PRIMARY KEY (id, y)) PARTITION BY RANGE (y) SUBPARTITION BY HASH (id)"
        " SUBPARTITIONS 2 (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE)",
        "CREATE TABLE packed (id INT PRIMARY KEY, t TEXT) ROW_FORMAT = COMPRESSED KEY_BLOCK_SIZE = 4",
        "CREATE TABLE zipped (id INT PRIMARY KEY, t TEXT) COMPRESSION = 'zlib'",
        "CREATE TABLE redundant (id INT PRIMARY KEY, t CHAR(200)) ROW_FORMAT = REDUNDANT",
        "CREATE TABLE compact (id INT PRIMARY KEY, t CHAR(200)) ROW_FORMAT = COMPACT",
        "CREATE TABLE commented (id INT PRIMARY KEY COMMENT 'a\\'b', t TEXT)",
    )
    tables = ["hidden_key", "wide", "widest", "made", "stored_key", "instant", "parts", "packed", "zipped"]
    tables += ["redundant", "compact", "commented"]

    def rows(first: int) -> None:
        numbers = (first, first + 1)
        for number in numbers:
            capture.sql(
                f"INSERT INTO hidden_key (a) VALUES ({number})",
                f"INSERT INTO wide (id, c0, c1015) VALUES ({number}, 1, 2)",
                f"INSERT INTO widest (id, c0, c2999) VALUES ({number}, 1, 2)",
                f"INSERT INTO made (id, j) VALUES ({number}, '{{\"x\": [1, 2]}}')",
                f"INSERT INTO stored_key (a) VALUES ({number})",
                f"INSERT INTO instant (id) VALUES ({number})",
                f"INSERT INTO parts VALUES ({number}, {number})",
            )
            for table in ("packed", "zipped", "redundant", "compact", "commented"):
                capture.sql(f"INSERT INTO {table} VALUES ({number}, REPEAT('x', 150))")
        capture.sql(
            f"UPDATE hidden_key SET a = a + 100 WHERE a = {first}",
            f"UPDATE wide SET c500 = 3 WHERE id = {first}",
            f"UPDATE widest SET c1500 = 3 WHERE id = {first}",
            f"UPDATE made SET hidden = 8 WHERE id = {first}",
            f"UPDATE stored_key SET a = a + 1000 WHERE a = {first}",
            f"UPDATE parts SET y = y + 20 WHERE id = {first}",
        )

    rows(1)
    capture.sql(
        "ALTER TABLE instant ADD COLUMN c INT DEFAULT 5, ALGORITHM = INSTANT",
        "ALTER TABLE instant DROP COLUMN a, ALGORITHM = INSTANT",
    )
    capture.start()
    capture.wait()
    rows(11)
    capture.sql(
        "ALTER TABLE instant ADD COLUMN d INT DEFAULT 6 FIRST, ALGORITHM = INSTANT",
        "ALTER TABLE instant DROP COLUMN b, ALGORITHM = INSTANT",
    )
    rows(21)
    capture.wait()
    assert capture.differences(*tables) == []


def test_overrides_on_both_ways(capture: Capture) -> None:
    """A hashed, masked, cut, hidden or otherwise typed column is so in a snapshot, an insert and an update."""
    schema = capture.stack.database
    capture.sql(
        "CREATE TABLE t (id BINARY(2) PRIMARY KEY, secret VARCHAR(20), phone VARCHAR(20), name VARCHAR(20), note TEXT,"
        " flag TINYINT(1), price DECIMAL(10,2), at DATETIME(6), doc JSON)"
    )
    values = "'s', '123', 'nobody', 'a long note', 5, 1.50, '2024-01-02 03:04:05.678901', '{\"a\": 1.0}'"
    capture.sql(f"INSERT INTO t VALUES (X'01', {values})")
    actions = {
        "id": "hex", "secret": "exclude", "phone": "hash", "name": "mask:3", "note": "truncate:6", "flag": "bool",
        "price": "double", "at": "date", "doc": "string",
    }  # fmt: skip
    capture.start(
        CDC_COLUMN_OVERRIDES=", ".join(f"{schema}.t.{column}={action}" for column, action in actions.items()),
        CDC_COLUMN_HASH_SALT="sixteen characters",
    )
    capture.wait()
    capture.sql(
        f"INSERT INTO t VALUES (X'02', {values}), (X'0300', {values})", "UPDATE t SET flag = 1 WHERE id = X'0300'"
    )
    capture.sql("UPDATE t SET id = X'04' WHERE id = X'0300'", "INSERT INTO t (id) VALUES (X'05')")
    capture.wait()
    documents = {document.pop("_id"): document for document in capture.collection("t").find()}
    assert set(documents) == {"0100", "0200", "0400", "0500"}
    for identifier, document in documents.items():
        assert document.pop("id") == identifier
        del document["_cdc"]
    assert set(documents.pop("0500").values()) == {None}
    assert documents["0100"] == documents["0200"] == documents["0400"]
    document = documents["0100"]
    assert "secret" not in document
    assert len(document["phone"]) == 64
    assert (document["name"], document["note"], document["flag"], document["price"]) == ("***", "a long", True, 1.5)
    assert (document["at"].isoformat(), document["doc"]) == ("2024-01-02T03:04:05.678000", '{"a": 1.0}')
