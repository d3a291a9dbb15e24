"""Reading whole tables while they change: which, when, in what order, and what becomes of documents without a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cdc_support.capture import Capture
from cdc_support.operator import ask, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isotherm_local.harness import Pipeline

SETTINGS = {"CDC_SNAPSHOT_CHUNK_ROWS": "7", "CDC_HEARTBEAT_INTERVAL_MS": "500"}


@pytest.fixture
def capture(stack: Pipeline) -> Iterator[Capture]:
    """An empty schema, all of it captured."""
    with Capture.of(stack, **SETTINGS) as made:
        yield made


def ghost(capture: Capture, table: str, key: Any) -> None:
    """Leave a document that no row stands behind, as if its delete had been missed."""
    capture.collection(table).insert_one({"_id": key, "_cdc": {"seq": 1, "ts": None, "gtid": None}})


def keys(capture: Capture, table: str) -> list[Any]:
    """Return the `_id`s of a collection."""
    return sorted(document["_id"] for document in capture.collection(table).find())


def stop(capture: Capture) -> None:
    """End the reader."""
    capture.stack.processes["cdc"].stop()


KEYS = {
    "ci": "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci",
    "pad": "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
    "bin": "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    "german": "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_de_pb_0900_ai_ci",
    "latin": "VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_swedish_ci",
    "utf16": "VARCHAR(20) CHARACTER SET utf16",
    "char": "CHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
}
WORDS = (
    "", "a", "B", "b2", "Ba", "ä", "Äb", "z", "Z2", "ß", "ssa", "A b", "a-b", "10", "9", "_", "%", "'", "\\\\", "ø", "Ø1", "é", "e2", "ñ",
    "n2", "日本", "日", "\U0001f600", "ｶ", "か", "ﬁ", "i\u0307", "I", "İ", "x\t", "x y", "~",
)  # fmt: skip


def test_string_keys_in_the_order_of_their_collation(capture: Capture) -> None:
    """In chunks of a few rows every row of every collation arrives once: case, accents, padding, other alphabets."""
    for name, column in KEYS.items():
        capture.sql(f"CREATE TABLE k_{name} (k {column} PRIMARY KEY, v INT)")
        for number, word in enumerate(WORDS):
            capture.sql(f"INSERT IGNORE INTO k_{name} VALUES ('{word}', {number})".replace("'''", "''''"))
    capture.start()
    capture.wait()
    assert capture.differences(*(f"k_{name}" for name in KEYS)) == []
    for name in KEYS:
        rows = capture.scalar(f"SELECT COUNT(*) FROM k_{name}")
        assert rows > 15
        assert capture.collection(f"k_{name}").count_documents({}) == rows
    assert run(capture, "verify", *(f"{capture.stack.database}.k_{name}" for name in KEYS)).returncode == 0


def test_composite_keys_of_every_kind(capture: Capture) -> None:
    """Keys of several columns, in another order than the table's, with dates, decimals, bytes, labels and negatives."""
    capture.sql(
        "CREATE TABLE c (v INT, d DATE, n DECIMAL(8,3), s VARCHAR(5), e ENUM('z','a','m'), y VARBINARY(3), t TIME(2), "
        "u BIGINT UNSIGNED, PRIMARY KEY (s, e, n, y, d, u, t))"
    )
    rows = [
        f"({number}, DATE '2026-01-01' - INTERVAL {number % 3} DAY, {number % 4 - 2}.125, '{'aAbß'[number % 4]}', "
        f"{number % 3 + 1}, X'{number % 2:02}FF', '-{number % 5:02}:00:00.5', 18446744073709551615 - {number % 2})"
        for number in range(120)
    ]
    capture.sql(f"INSERT IGNORE INTO c VALUES {', '.join(rows)}")
    capture.start()
    capture.wait()
    assert capture.scalar("SELECT COUNT(*) FROM c") > 40
    assert capture.differences("c") == []
    assert run(capture, "verify", f"{capture.stack.database}.c").returncode == 0


def test_a_snapshot_on_demand_removes_ghosts_and_one_with_a_condition_does_not(capture: Capture) -> None:
    """Read again, a table's documents are equal to its rows; with WHERE only the rows that it selects are written."""
    capture.sql("CREATE TABLE t (a INT PRIMARY KEY, b INT)")
    capture.sql("INSERT INTO t VALUES " + ", ".join(f"({number}, {number})" for number in range(30)))
    capture.start()
    capture.wait()
    ghost(capture, "t", 100)
    capture.collection("t").update_many({}, {"$set": {"b": -1}})
    table = f"{capture.stack.database}.t"
    ask(capture, "snapshot", table, "--wait", "--where", "b > 9 AND a % 2 = 0 OR a = 1")
    right = {document["_id"] for document in capture.collection("t").find() if document["b"] == document["_id"]}
    assert right == {1, *range(10, 30, 2)}
    assert 100 in keys(capture, "t")
    ask(capture, "snapshot", table, "--wait")
    assert keys(capture, "t") == list(range(30))
    assert capture.differences("t") == []


def test_modes(capture: Capture) -> None:
    """no_data begins with what comes; initial reads once; always reads at every start and removes ghosts."""
    capture.sql("CREATE TABLE t (a INT PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)")
    capture.start(CDC_SNAPSHOT_MODE="no_data")
    capture.sql("INSERT INTO t VALUES (3)")
    capture.wait()
    assert keys(capture, "t") == [3]
    capture.sql(
        "ALTER TABLE t ADD COLUMN b INT DEFAULT 5", "INSERT INTO t VALUES (4, 6)",
        "CREATE TABLE late (a INT PRIMARY KEY)", "INSERT INTO late VALUES (1), (2)",
    )  # fmt: skip
    capture.wait()
    assert (keys(capture, "t"), keys(capture, "late")) == ([3, 4], [1, 2])
    assert "b" not in capture.collection("t").find_one({"_id": 3})
    assert not capture.collection("late").count_documents({"_cdc.snapshot": True})
    capture.sql("ALTER TABLE t DROP COLUMN b", "DELETE FROM t WHERE a = 4")
    capture.wait()
    stop(capture)
    ghost(capture, "t", 9)
    capture.start(CDC_SNAPSHOT_MODE="initial")
    capture.wait()
    assert keys(capture, "t") == [3, 9]
    stop(capture)
    capture.start(CDC_SNAPSHOT_MODE="always")
    capture.wait()
    assert keys(capture, "t") == [1, 2, 3]
    assert capture.differences("t") == []


def test_tables_that_come_later_are_read(capture: Capture) -> None:
    """One that is created while the reader streams, and one that a longer include list captures."""
    database = capture.stack.database
    capture.sql(
        "CREATE TABLE t (a INT PRIMARY KEY)",
        "CREATE TABLE late (a INT PRIMARY KEY)",
        "INSERT INTO late VALUES (1), (2)",
    )
    capture.start(CDC_TABLE_INCLUDE_LIST=f"{database}.t,{database}.new")
    capture.wait()
    capture.sql("CREATE TABLE new (a INT PRIMARY KEY)", "INSERT INTO new VALUES (5)", "INSERT INTO late VALUES (3)")
    capture.wait()
    assert keys(capture, "new") == [5]
    assert keys(capture, "late") == []
    stop(capture)
    ghost(capture, "late", 9)
    capture.start()
    capture.wait()
    assert keys(capture, "late") == [1, 2, 3]
    assert capture.differences("t", "late", "new") == []


def test_a_generated_invisible_primary_key(capture: Capture) -> None:
    """A table whose key MySQL has generated is captured by it, also when information_schema hides it."""
    capture.sql(
        "SET SESSION sql_generate_invisible_primary_key = ON", "CREATE TABLE g (a INT)", "INSERT INTO g VALUES (7), (7)",
        "SET GLOBAL show_gipk_in_create_table_and_information_schema = OFF",
    )  # fmt: skip
    try:
        capture.start()
        capture.wait()
        capture.sql("INSERT INTO g VALUES (7)", "DELETE FROM g WHERE a = 7 LIMIT 1")
        capture.wait()
    finally:
        capture.sql("SET GLOBAL show_gipk_in_create_table_and_information_schema = ON")
    found = list(capture.collection("g").find())
    assert [document["a"] for document in found] == [7, 7]
    assert sorted(document["_id"] for document in found) == [2, 3]
    assert all(document["my_row_id"] == document["_id"] for document in found)


def test_a_row_that_no_document_can_hold_does_not_stop_a_snapshot(capture: Capture) -> None:
    """It becomes a dead letter as a changed row does; when it is mended, `requeue` puts it back."""
    capture.sql("CREATE TABLE j (a INT PRIMARY KEY, j JSON)")
    capture.sql("""INSERT INTO j VALUES (1, '{"x": 1}'), (2, '{"x\\\\u0000y": 1}'), (3, '{"x": 3}')""")
    capture.start()
    capture.wait()
    assert keys(capture, "j") == [1, 3]
    (letter,) = capture.collection("_cdc_dead_letters").find()
    assert (letter["operation"], letter["key"], letter["gtid"]) == ("snapshot", 2, "")
    assert ask(capture, "status")["dead_letters"] == 1
    # As it is, it fails again, and is kept again.
    answer = ask(capture, "requeue", "--all", code=70)
    (again,) = capture.collection("_cdc_dead_letters").find()
    assert again["_id"] != letter["_id"]
    assert again["key"] == 2
    assert (answer["settled"], list(answer["failed_again"])) == ([], [again["_id"]])
    # A row that is mended arrives by its change; the letter is settled by reading it, and nothing is made older.
    capture.sql("""UPDATE j SET j = '{"x": 2}' WHERE a = 2""")
    capture.wait()
    assert ask(capture, "requeue", "--table", f"{capture.stack.database}.j")["settled"] == [again["_id"]]
    assert capture.collection("_cdc_dead_letters").count_documents({}) == 0
    assert capture.differences("j") == []


def test_a_killed_snapshot_goes_on_where_it_was(capture: Capture) -> None:
    """After kill -9 in the middle, no chunk that is in MongoDB is read again."""
    capture.sql("CREATE TABLE t (a INT PRIMARY KEY, b INT)")
    capture.sql("INSERT INTO t VALUES " + ", ".join(f"({number}, 0)" for number in range(900)))
    process = capture.start(ready=False)
    capture.stack.until(lambda: capture.collection("t").count_documents({}) >= 50, 60, "some chunks")
    process.kill()
    state = next(one for one in capture.checkpoint()["snapshot"]["tables"] if one["table"].endswith(".t"))
    assert 50 <= state["rows"] < 900
    assert state["estimate"] is not None
    before = {document["_id"]: document["_cdc"]["seq"] for document in capture.collection("t").find()}
    capture.start()
    capture.wait()
    after = {document["_id"]: document["_cdc"]["seq"] for document in capture.collection("t").find()}
    assert len(after) == 900
    assert {key: after[key] for key in before} == before


DEFAULTS = {
    "sql_select_limit": "3", "max_execution_time": "1", "transaction_isolation": "'READ-UNCOMMITTED'",
    "sql_mode": "'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH,PIPES_AS_CONCAT'", "completion_type": "'CHAIN'",
    "max_join_size": "10",
}  # fmt: skip


def test_the_server_may_have_any_defaults_for_sessions(capture: Capture) -> None:
    """Limits, isolation, modes that would cut a snapshot short or falsify it are set by the reader for itself."""
    values = ", ".join(f"({number}, 'x', JSON_OBJECT('a\\\\b', 1.50))" for number in range(50))
    capture.sql("CREATE TABLE d (id INT PRIMARY KEY, c CHAR(9), j JSON)", f"INSERT INTO d VALUES {values}")
    before = {name: capture.scalar(f"SELECT @@GLOBAL.{name}") for name in DEFAULTS}
    try:
        capture.sql(*(f"SET GLOBAL {name} = {value}" for name, value in DEFAULTS.items()))
        capture.start(CDC_SNAPSHOT_CHUNK_ROWS="20")
        capture.wait()
    finally:
        for name, value in before.items():
            capture.sql(f"SET GLOBAL {name} = {value!r}")
    assert capture.differences("d") == []
