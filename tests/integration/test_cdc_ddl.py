"""DDL while streaming: documents end equal to rows, whatever a statement did to them without row events.

Hazards ("What breaks such systems" in docs/reliability-hazards.md) and the test that shows each guarded:

DDL parsers           test_columns_of_every_kind, test_names_of_every_kind
online schema changes test_gh_ost, test_pt_online_schema_change
no keys in the log    test_partitions, test_a_crash_at_any_stage_of_ddl
re-reading for naught test_what_keeps_rows_is_not_read_again
"""

from __future__ import annotations

import contextlib
import random
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cdc_support.capture import Capture
from cdc_support.workload import changing, more
from isotherm_local.process import ManagedProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from isotherm_local.harness import Pipeline

ROWS = 300
TESTS = Path(__file__).parent.parent


@pytest.fixture
def capture(stack: Pipeline) -> Iterator[Capture]:
    """A table with rows, read and written in small pieces."""
    settings = {"CDC_MAX_BATCH_SIZE": "50", "CDC_SNAPSHOT_CHUNK_ROWS": "20", "CDC_HEARTBEAT_INTERVAL_MS": "500"}
    with Capture.of(stack, **settings) as made:
        made.sql("CREATE TABLE t (a INT PRIMARY KEY, b INT NOT NULL, s VARCHAR(40) CHARACTER SET utf8mb4)", fill("t"))
        yield made


def fill(table: str, columns: str = "a, b, s", count: int = ROWS) -> str:
    values = ", ".join(f"({number}, {number}, 'row é {number}')" for number in range(count))
    return f"INSERT INTO {table} ({columns}) VALUES {values}"


def documents(capture: Capture, table: str = "t") -> int:
    return int(capture.collection(table).count_documents({}))


def rewritten(capture: Capture, table: str = "t") -> int:
    """How many documents a snapshot has written."""
    return int(capture.collection(table).count_documents({"_cdc.snapshot": True}))


@contextlib.contextmanager
def writing(capture: Capture, key: str = "a") -> Iterator[Callable[[], int]]:
    """Change rows of `t` all the while, however it looks just then; yields a function that counts changes."""
    chance = random.Random(5)

    def change(cursor: Any) -> None:
        row = chance.randrange(2 * ROWS)
        statements = (
            f"UPDATE t SET b = b + 1 WHERE {key} = {row}",
            f"INSERT IGNORE INTO t ({key}, b) VALUES ({row}, 0)",
            f"DELETE FROM t WHERE {key} = {row}",
        )
        cursor.execute(chance.choice(statements))

    with changing(capture.stack, change, pause_seconds=0.002, through_faults=True) as count:
        yield count


def test_columns_of_every_kind(capture: Capture) -> None:
    """Columns are added, moved, renamed, changed in type and dropped under a writing load."""
    process = capture.start()
    capture.wait()
    with writing(capture) as count:
        for action in (
            "ADD COLUMN n INT NOT NULL DEFAULT 5",
            "ADD COLUMN f DOUBLE NULL FIRST, ADD COLUMN g INT AS (b + 1) STORED AFTER a",
            "MODIFY b BIGINT NOT NULL AFTER s",
            "RENAME COLUMN n TO `n.x`, DROP COLUMN f",
            "CHANGE `n.x` m VARCHAR(20) NULL DEFAULT 'x'",
            "MODIFY s VARCHAR(40) CHARACTER SET latin1",
            "CONVERT TO CHARACTER SET utf8mb4",
            "ALTER COLUMN m SET DEFAULT 'y', ADD COLUMN e ENUM('p', 'q') NOT NULL DEFAULT 'q'",
            "MODIFY e ENUM('q', 'r', 'p') NOT NULL",
            "DROP COLUMN g, ALGORITHM = COPY",
        ):
            capture.sql(f"ALTER TABLE t {action}")
            more(capture.stack, count, 20)
    capture.wait()
    assert process.running
    assert capture.differences("t") == []


def test_the_key_changes(capture: Capture) -> None:
    """Another primary key means other documents; those under the old key go."""
    capture.start()
    capture.wait()
    capture.sql("ALTER TABLE t ADD COLUMN k INT NOT NULL DEFAULT 1", "UPDATE t SET k = a + 1000")
    capture.sql("ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (k, a)", "UPDATE t SET b = -1 WHERE a < 10")
    capture.wait()
    assert capture.differences("t") == []
    capture.sql("ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (k)")
    capture.wait()
    assert capture.differences("t") == []
    assert documents(capture) == ROWS
    assert capture.collection("t").find_one({"_id": 1005}) is not None


def test_what_keeps_rows_is_not_read_again(capture: Capture) -> None:
    """Indexes, comments, defaults, statistics and rebuilding cost nothing, however large the table is."""
    capture.start()
    capture.wait()
    capture.sql("UPDATE t SET b = b + 1")
    capture.wait()
    assert rewritten(capture) == 0
    capture.sql(
        "ALTER TABLE t ADD INDEX i (b), COMMENT = 'DROP COLUMN s'", "CREATE INDEX j ON t (s)", "DROP INDEX i ON t",
        "ALTER TABLE t ALTER COLUMN b SET DEFAULT 5, ALGORITHM = INSTANT", "ANALYZE TABLE t", "OPTIMIZE TABLE t",
        "ALTER TABLE t ENGINE = InnoDB", "ALTER TABLE t AUTO_INCREMENT = 7, ROW_FORMAT = DYNAMIC", "CHECK TABLE t",
        "ALTER TABLE t RENAME INDEX j TO k", "CREATE TABLE IF NOT EXISTS t (x INT PRIMARY KEY)",
        "CREATE VIEW v AS SELECT * FROM t", "DROP VIEW v", "CREATE PROCEDURE p() TRUNCATE TABLE t", "DROP PROCEDURE p",
        "CREATE TRIGGER g BEFORE DELETE ON t FOR EACH ROW SET @x = 1", "DROP TRIGGER g",
        "CREATE TEMPORARY TABLE t (x INT)", "TRUNCATE t", "DROP TEMPORARY TABLE t",
        "CREATE TABLE outside LIKE t", "DROP TABLE outside",
    )  # fmt: skip
    capture.wait()
    assert rewritten(capture) == 0
    assert capture.differences("t") == []


def test_names_of_every_kind(capture: Capture) -> None:
    """Quotes, dots, backticks, comments, other alphabets and character sets of clients; statements over schemas."""
    capture.start()
    capture.wait()
    names = ["a.b", "x`y", 'q"z', "täble", "таблица", "select", "with space", "1st"]
    for name in names:
        quoted = "`" + name.replace("`", "``") + "`"
        capture.sql(f"CREATE TABLE {quoted} (a INT PRIMARY KEY, b INT)", f"INSERT INTO {quoted} VALUES (1, 1), (2, 2)")
    capture.wait()
    assert capture.differences(*names) == []
    capture.sql("SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'")
    for name in names:
        quoted = '"' + name.replace('"', '""') + '"'
        capture.sql(f"/* one */ TRUNCATE # two\n TABLE -- three\n {quoted}", f"INSERT INTO {quoted} VALUES (3, 3)")
    capture.sql(f'/*!40000 ALTER TABLE {capture.stack.database}."a.b" ADD COLUMN "c""d" INT DEFAULT 4 */')
    with contextlib.closing(capture.stack.mysql(charset="latin1")) as connection, connection.cursor() as cursor:
        cursor.execute("TRUNCATE TABLE `täble`")
    capture.sql("SET SESSION sql_mode = DEFAULT")
    capture.wait()
    assert capture.differences(*names) == []
    assert documents(capture, "täble") == 0


@pytest.mark.contract("D10")
def test_tables_change_names(capture: Capture) -> None:
    """A swap of three, chains, a move into and out of the captured schema: an old name keeps no documents."""
    other = f"{capture.stack.database}_o"
    capture.sql(
        "CREATE TABLE u (a INT PRIMARY KEY, c INT)", "INSERT INTO u VALUES (1, 1), (1000, 2)",
        "CREATE TABLE w (a INT PRIMARY KEY, d INT)", "INSERT INTO w VALUES (2, 1), (2000, 2)",
        f"CREATE DATABASE {other}", f"CREATE TABLE {other}.x (a INT PRIMARY KEY, e INT)", f"INSERT INTO {other}.x VALUES (7, 7)",
    )  # fmt: skip
    try:
        capture.start()
        capture.wait()
        capture.sql("RENAME TABLE t TO tmp, u TO t, w TO u, tmp TO w", "INSERT INTO t VALUES (5, 5)")
        capture.wait()
        assert capture.differences("t", "u", "w") == []
        assert documents(capture, "tmp") == 0
        capture.sql("ALTER TABLE w RENAME TO v, ADD COLUMN z INT DEFAULT 3", "DELETE FROM v WHERE a = 1")
        capture.sql(f"RENAME TABLE {other}.x TO x, u TO {other}.u")
        capture.sql("INSERT INTO x VALUES (8, 8)", f"INSERT INTO {other}.u VALUES (9, 9)")
        capture.wait()
        assert capture.differences("t", "v", "x") == []
        assert (documents(capture, "w"), documents(capture, "u")) == (0, 0)
    finally:
        capture.sql(f"DROP DATABASE {other}")


def test_a_view_takes_the_place_of_a_table(capture: Capture) -> None:
    """A view has no rows of its own: the collection under its name is empty, and whoever reads goes on."""
    process = capture.start()
    capture.wait()
    capture.sql("RENAME TABLE t TO base", "CREATE VIEW t AS SELECT * FROM base", "UPDATE t SET b = -1 WHERE a = 1")
    capture.wait()
    assert process.running
    assert capture.differences("base") == []
    assert documents(capture) == 0
    capture.sql("DROP VIEW t", "RENAME TABLE base TO t", "UPDATE t SET b = -2 WHERE a = 1")
    capture.wait()
    assert capture.differences("t") == []


@pytest.mark.contract("D10")
def test_tables_come_and_go(capture: Capture) -> None:
    """CREATE … LIKE and SELECT, DROP (documents stay), CREATE anew (they go), DROP DATABASE."""
    capture.start()
    capture.wait()
    capture.sql("CREATE TABLE l LIKE t", "INSERT INTO l SELECT * FROM t LIMIT 5")
    capture.sql("CREATE TABLE s (PRIMARY KEY (a)) SELECT a, b FROM t", "UPDATE s SET b = 0 WHERE a = 3")
    capture.wait()
    assert capture.differences("l", "s") == []
    capture.sql("DROP TABLE l, s")
    capture.wait()
    assert (documents(capture, "l"), documents(capture, "s")) == (5, ROWS)
    capture.sql("CREATE TABLE IF NOT EXISTS l (a INT PRIMARY KEY, other TEXT)", "INSERT INTO l VALUES (1, 'new')")
    capture.wait()
    assert capture.differences("l") == []
    assert documents(capture, "l") == 1


@pytest.mark.contract("D10")
def test_dropped_tables_may_be_emptied(capture: Capture) -> None:
    """If asked for, DROP TABLE and DROP DATABASE empty collections, also those of tables gone before the reader starts."""
    capture.sql("CREATE TABLE u (a INT PRIMARY KEY)", "INSERT INTO u VALUES (1), (2)")
    process = capture.start(CDC_EMPTY_DROPPED_TABLES="true")
    capture.wait()
    capture.sql("DROP TABLE u")
    capture.wait()
    assert documents(capture, "u") == 0
    process.stop()
    database = capture.stack.database
    # schema_version goes with it: the reader must not wait for it.
    capture.sql(f"DROP DATABASE {database}", f"CREATE DATABASE {database}", f"USE {database}",
                "CREATE TABLE schema_version (version INT PRIMARY KEY)", "INSERT INTO schema_version VALUES (1)")  # fmt: skip
    capture.start(CDC_EMPTY_DROPPED_TABLES="true")
    capture.wait()
    assert documents(capture) == 0


def test_partitions(capture: Capture) -> None:
    """DROP, TRUNCATE, EXCHANGE, REORGANIZE: no rows in the log, and still the documents of those rows go or come."""
    capture.sql(
        "CREATE TABLE p (a INT PRIMARY KEY, b INT) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (100), "
        "PARTITION p1 VALUES LESS THAN (200), PARTITION p2 VALUES LESS THAN MAXVALUE)",
        "INSERT INTO p SELECT a, b FROM t",
        "CREATE TABLE x (a INT PRIMARY KEY, b INT)", "INSERT INTO x VALUES (101, -1), (102, -2)",
    )  # fmt: skip
    capture.start()
    capture.wait()
    capture.sql("ALTER TABLE p EXCHANGE PARTITION p1 WITH TABLE x", "UPDATE x SET b = 0 WHERE a = 150")
    capture.wait()
    assert capture.differences("p", "x") == []
    assert documents(capture, "x") == 100
    capture.sql("ALTER TABLE p TRUNCATE PARTITION p0", "INSERT INTO p VALUES (5, 5)")
    capture.wait()
    assert capture.differences("p") == []
    capture.sql("ALTER TABLE p DROP PARTITION p2", "ALTER TABLE p ADD PARTITION (PARTITION p3 VALUES LESS THAN (900))")
    capture.sql("INSERT INTO p VALUES (800, 1)")
    capture.wait()
    assert capture.differences("p") == []
    assert documents(capture, "p") == 4


def test_gh_ost(capture: Capture) -> None:
    """The sequence of gh-ost: a shadow table filled in chunks and from the log, then a swap under a lock."""
    process = capture.start()
    capture.wait()
    with writing(capture) as count:
        capture.sql(
            "CREATE TABLE _t_gho LIKE t",
            "ALTER TABLE _t_gho ADD COLUMN n INT NOT NULL DEFAULT 9, MODIFY b BIGINT NOT NULL",
        )
        capture.sql(
            "CREATE TABLE _t_ghc (id INT PRIMARY KEY, hint VARCHAR(20))", "INSERT INTO _t_ghc VALUES (1, 'state')"
        )
        more(capture.stack, count, 50)
        with contextlib.closing(capture.stack.mysql()) as holder, holder.cursor() as cursor:
            cursor.execute("CREATE TABLE _t_del (id INT AUTO_INCREMENT PRIMARY KEY) COMMENT = 'ghost-cut-over-sentry'")
            cursor.execute("LOCK TABLES t WRITE, _t_del WRITE, _t_gho WRITE")
            cursor.execute("INSERT INTO _t_gho (a, b, s) SELECT a, b, s FROM t")
            swap = threading.Thread(target=_execute, args=(capture, "RENAME TABLE t TO _t_del, _t_gho TO t"))
            swap.start()
            capture.stack.until(lambda: _is_waiting(capture, "RENAME TABLE"), 30, "the blocked RENAME")
            cursor.execute("DROP TABLE _t_del")
            cursor.execute("UNLOCK TABLES")
        swap.join()
        more(capture.stack, count, 50)
        capture.sql("DROP TABLE IF EXISTS _t_ghc", "DROP TABLE _t_del")
        more(capture.stack, count, 50)
    capture.wait()
    assert process.running
    assert capture.differences("t") == []
    assert capture.scalar("SELECT MIN(n) FROM t") == 9


def _execute(capture: Capture, statement: str) -> None:
    with contextlib.closing(capture.stack.mysql()) as connection, connection.cursor() as cursor:
        cursor.execute(statement)


def _is_waiting(capture: Capture, statement: str) -> bool:
    found = capture.scalar(
        "SELECT COUNT(*) FROM performance_schema.processlist WHERE STATE LIKE 'Waiting for table metadata lock' AND INFO LIKE "
        f"'{statement}%'"
    )
    return bool(found)


@pytest.mark.parametrize("everything", [True, False], ids=["whole schema", "one table"])
def test_pt_online_schema_change(capture: Capture, everything: bool) -> None:
    """Its sequence: triggers keep a new table equal while it is filled, one RENAME swaps, the old one is dropped."""
    settings = {} if everything else {"CDC_TABLE_INCLUDE_LIST": f"{capture.stack.database}.t"}
    process = capture.start(**settings)
    capture.wait()
    with writing(capture) as count:
        capture.sql(
            "CREATE TABLE _t_new LIKE t", "ALTER TABLE _t_new ADD COLUMN n INT NOT NULL DEFAULT 9, DROP COLUMN s"
        )
        capture.sql(
            "CREATE TRIGGER pt_del AFTER DELETE ON t FOR EACH ROW DELETE IGNORE FROM _t_new WHERE a <=> OLD.a",
            "CREATE TRIGGER pt_upd AFTER UPDATE ON t FOR EACH ROW BEGIN DELETE IGNORE FROM _t_new WHERE a <=> OLD.a AND "
            "NOT (OLD.a <=> NEW.a); REPLACE INTO _t_new (a, b) VALUES (NEW.a, NEW.b); END",
            "CREATE TRIGGER pt_ins AFTER INSERT ON t FOR EACH ROW REPLACE INTO _t_new (a, b) VALUES (NEW.a, NEW.b)",
        )
        for first in range(0, 2 * ROWS, 100):
            capture.sql(
                "INSERT LOW_PRIORITY IGNORE INTO _t_new (a, b) SELECT a, b FROM t FORCE INDEX (PRIMARY) WHERE a >= "
                f"{first} AND a < {first + 100} LOCK IN SHARE MODE"
            )
        capture.sql("ANALYZE TABLE _t_new", "RENAME TABLE t TO _t_old, _t_new TO t")
        more(capture.stack, count, 50)
        capture.sql(
            "DROP TABLE IF EXISTS _t_old",
            *(f"DROP TRIGGER IF EXISTS {name}" for name in ("pt_del", "pt_upd", "pt_ins")),
        )
        more(capture.stack, count, 50)
    capture.wait()
    assert process.running
    assert capture.differences("t") == []


def test_the_two_step_swap_that_is_not_atomic(capture: Capture) -> None:
    """For a moment there is no table of the name."""
    process = capture.start()
    capture.wait()
    capture.sql("CREATE TABLE n (a INT PRIMARY KEY, b INT, s INT)", fill("n", count=20).replace("'row é ", "'"))
    for _ in range(3):
        capture.sql(
            "ALTER TABLE t RENAME TO t_old",
            "ALTER TABLE n RENAME TO t",
            "UPDATE t SET b = b + 1",
            "ALTER TABLE t_old RENAME TO n",
        )
    capture.wait()
    assert process.running
    assert capture.differences("t", "n") == []
    assert documents(capture, "t_old") == 0


def test_many_statements_while_a_table_is_read(capture: Capture) -> None:
    """DDL in the middle of chunks: they are thrown away and read anew, whichever way the table looks by then."""
    with writing(capture) as count:
        process = capture.start(ready=False, CDC_SNAPSHOT_CHUNK_ROWS="5")
        for number in range(6):
            capture.sql(f"ALTER TABLE t ADD COLUMN c{number} INT NOT NULL DEFAULT {number}")
            more(capture.stack, count, 10)
            capture.sql(f"ALTER TABLE t DROP COLUMN c{number}", "CREATE TABLE z (a INT PRIMARY KEY)", "DROP TABLE z")
            more(capture.stack, count, 10)
        capture.sql("RENAME TABLE t TO y", "RENAME TABLE y TO t")
        more(capture.stack, count, 10)
    capture.wait()
    assert process.running
    assert capture.differences("t") == []


STAGES = {
    "before a clearing step": "TRUNCATE TABLE t",
    "between clearing steps": "TRUNCATE TABLE t",
    "after clearing, before the checkpoint": "TRUNCATE TABLE t",
    "before the first write": "ALTER TABLE t ADD COLUMN n INT NOT NULL DEFAULT 9",
    "after the commit, before its acknowledgement": "RENAME TABLE t TO x, u TO t, x TO u",
    "chunk read": "RENAME TABLE t TO x, u TO t, x TO u",
    "between chunks": "ALTER TABLE t DROP COLUMN s",
    "before ghosts are removed": "RENAME TABLE t TO x, u TO t, x TO u",
}


@pytest.mark.parametrize(("stage", "statement"), STAGES.items(), ids=STAGES)
def test_a_crash_at_any_stage_of_ddl(capture: Capture, stage: str, statement: str) -> None:
    """A reader killed there is followed by one that ends what was begun; what came after the statement stays."""
    rows = 2500 if statement.startswith("TRUNCATE") else 50
    values = ", ".join(f"({number}, 1, 's')" for number in range(1000, 1000 + rows))
    capture.sql(
        f"INSERT INTO t VALUES {values}", "CREATE TABLE u (a INT PRIMARY KEY, q INT)", "INSERT INTO u VALUES (1, 1)"
    )
    settings = {"CDC_MAX_BATCH_SIZE": "1000", "CDC_SNAPSHOT_CHUNK_ROWS": "200"}
    process = capture.start(**settings)
    capture.wait()
    process.stop()
    swapped = statement.startswith("RENAME")
    capture.sql(
        statement,
        f"UPDATE {'t' if swapped else 'u'} SET q = 5",
        *(["INSERT INTO t VALUES (7, 7, 'after')"] if rows > 50 else []),
    )
    crashing = _crashing(capture, stage, settings).start()
    try:
        assert crashing.wait(60) in (-9, 137)
    finally:
        crashing.kill()
    capture.start(**settings)
    capture.wait()
    assert capture.differences("t", "u") == []
    assert documents(capture, "x") == 0
    assert capture.checkpoint()["ddl"] is None


def _crashing(capture: Capture, stage: str, settings: dict[str, Any]) -> ManagedProcess:
    spec = capture.stack.spec("cdc", {**capture.settings, **settings, "CRASH_AT": stage, "PYTHONPATH": str(TESTS)})
    return ManagedProcess(replace(spec, command=[sys.executable, "-m", "cdc_support.crashing"]))
