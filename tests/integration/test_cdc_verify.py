"""`isotherm-cdc verify`: it finds what differs, and nothing else, while both sides change."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from cdc_support.capture import Capture
from cdc_support.operator import ask, run
from cdc_support.workload import changing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isotherm_local.harness import Pipeline


@pytest.fixture
def capture(stack: Pipeline) -> Iterator[Capture]:
    """A table of several types with rows, captured and caught up."""
    with Capture.of(stack, CDC_HEARTBEAT_INTERVAL_MS="500") as made:
        made.sql(
            "CREATE TABLE t (a INT PRIMARY KEY, s VARCHAR(20), d DECIMAL(8,2), f FLOAT, m DATETIME(6), e ENUM('x','y'), "
            "o SET('p','q'), j JSON, b VARBINARY(4), z TIME(1), g POINT, u BIGINT UNSIGNED, i BIT(64), y YEAR, v VECTOR(2))"
        )
        for number in range(60):
            made.sql(
                f"INSERT INTO t VALUES ({number}, 'wörd {number}', {number}.50, {number} / 3, '2026-01-01 00:00:00.{number:06}', "
                f"'x', 'p,q', '{{\"k\": [1, 2.5, {{\"n\": null, \"t\": true}}, \"{number}\"]}}', X'00FF', '-01:00:00.5', "
                f"ST_GeomFromText('POINT(1 {number})'), 18446744073709551615, b'1', 2026, TO_VECTOR('[1, 2.5]'))"
            )
        made.sql(
            "INSERT INTO t (a) VALUES (1000)",
            "CREATE TABLE w (a INT, b INT, PRIMARY KEY (b, a))",
            "INSERT INTO w VALUES (1, 2)",
        )
        made.start()
        made.wait()
        yield made


def test_equal_tables_have_a_hash(capture: Capture) -> None:
    """Without differences it ends with 0 and a hash for each table, which changes when a row does."""
    first = ask(capture, "verify")
    assert first["equal"]
    tables = {table["table"]: table for table in first["tables"]}
    table = tables[f"{capture.stack.database}.t"]
    assert (table["rows"], table["differences"], table["skipped"]) == (61, [], [])
    assert len(table["sha256"]) == 64
    shown = run(capture, "verify", table["table"])
    assert shown.stdout == f"{table['table']}: 61 rows equal, sha256 {table['sha256']}\n"
    capture.sql("UPDATE t SET s = 'other' WHERE a = 1")
    (again,) = ask(capture, "verify", table["table"], table["table"])["tables"]
    assert again["sha256"] != table["sha256"]


def test_every_difference_is_named(capture: Capture) -> None:
    """Missing, extra, and each column that differs with both values; the exit code is 1."""
    documents = capture.collection("t")
    documents.delete_one({"_id": 3})
    for extra in (5000, "not a number", None, 4.5):
        documents.insert_one({**documents.find_one({"_id": 4}), "_id": extra})
    for key, change in {
        5: {"s": "word 5"}, 6: {"d": 6.5}, 7: {"f": 2.3333}, 8: {"m": 1}, 9: {"e": "y"}, 10: {"o": ["p"]},
        11: {"j.k.1": 2.25}, 12: {"b": b"\x00"}, 13: {"z": 0}, 14: {"g.srid": 1}, 15: {"u": 1}, 16: {"i": 2}, 17: {"y": 1},
        18: {"v": b"\x27\x00"}, 19: {"s": None}, 1000: {"f": 0.0}, 20: {"more": 1},
    }.items():  # fmt: skip
        assert documents.update_one({"_id": key}, {"$set": change}).modified_count == 1
    documents.update_one({"_id": 21}, {"$unset": {"y": ""}})
    table = f"{capture.stack.database}.t"
    (found,) = ask(capture, "verify", table, code=1)["tables"]
    seen = {(found["kind"], found["_id"], *found["columns"]) for found in found["differences"]}
    assert seen == {
        ("missing", 3), ("extra", 5000), ("extra", "not a number"), ("extra", None), ("extra", 4.5), ("different", 5, "s"), ("different", 6, "d"), ("different", 7, "f"),
        ("different", 8, "m"), ("different", 9, "e"), ("different", 10, "o"), ("different", 11, "j"), ("different", 12, "b"),
        ("different", 13, "z"), ("different", 14, "g"), ("different", 15, "u"), ("different", 16, "i"), ("different", 17, "y"),
        ("different", 18, "v"), ("different", 19, "s"), ("different", 1000, "f"), ("different", 20, "(fields)"),
        ("different", 21, "y"),
    }  # fmt: skip
    shown = run(capture, "verify", table, "--limit", "30")
    assert shown.returncode == 1
    assert f"different {table} _id=5 s: MySQL 'wörd 5', MongoDB 'word 5'" in shown.stdout
    assert f"missing   {table} _id=3" in shown.stdout
    ask(capture, "snapshot", table, "--wait")
    assert ask(capture, "verify", table)["equal"]


def test_changes_under_way_raise_no_alarm(capture: Capture) -> None:
    """While rows are written, changed and deleted all the time, only the real difference is told."""
    chance = random.Random(5)

    def change(cursor: Any) -> None:
        key = chance.randrange(60)
        statements = (
            f"REPLACE INTO t (a, s) VALUES ({key}, '{chance.random():.9f}')",
            f"DELETE FROM t WHERE a = {key}",
        )
        cursor.execute(chance.choice(statements))

    with changing(capture.stack, change, pause_seconds=0.002):
        for _ in range(3):
            assert ask(capture, "verify", f"{capture.stack.database}.t")["equal"]
        capture.collection("t").update_one({"_id": 1000}, {"$set": {"s": "wrong"}})
        (found,) = ask(capture, "verify", f"{capture.stack.database}.t", code=1)["tables"]
        assert [(one["kind"], one["_id"]) for one in found["differences"]] == [("different", 1000)]


def test_without_a_reader_it_does_not_pretend(capture: Capture) -> None:
    """When the checkpoint does not catch up, the comparison ends with 75 and says why."""
    capture.stack.processes["cdc"].stop()
    capture.sql("UPDATE t SET s = 'unseen' WHERE a = 1")
    shown = run(capture, "verify", "--timeout", "1")
    assert shown.returncode == 75
    assert "has not caught up" in shown.stderr


def test_keys_that_lead_back_to_their_rows_by_a_detour(stack: Pipeline) -> None:
    """Keys that an override has changed, and labels that information_schema does not tell: verify, read again, requeue."""
    with Capture.of(stack, CDC_HEARTBEAT_INTERVAL_MS="500") as capture:
        capture.sql(
            "CREATE TABLE h (id BINARY(2), f FLOAT, n INT, j JSON, PRIMARY KEY (id, f))",
            "INSERT INTO h VALUES (X'01', 0.1, 1, NULL), (X'02', 1e30, 1, '{\"x\\\\u0000y\": 1}')",
            "CREATE TABLE s (id SET('a', '?', '😀') CHARACTER SET utf8mb4 PRIMARY KEY, n INT)",
            "INSERT INTO s VALUES ('a', 1), ('a,😀', 1), ('?', 1), ('', 1)",
        )
        schema = stack.database
        overrides = f"{schema}.h.id=hex,{schema}.h.f=string"
        process = capture.start(CDC_COLUMN_OVERRIDES=overrides)
        capture.wait()
        first = {"id": "0100", "f": "0.1"}
        capture.collection("h").insert_one({"_id": {"id": "no hex", "f": "0.1"}, "n": 1})
        capture.collection("s").insert_one({"_id": "b", "n": 1})
        for table, differences in (
            ("h", [("extra", {"id": "no hex", "f": "0.1"}), ("missing", {"id": "0200", "f": "1e+30"})]),
            ("s", [("extra", "b")]),
        ):
            name = f"{schema}.{table}"
            (found,) = ask(capture, "verify", name, code=1, CDC_COLUMN_OVERRIDES=overrides)["tables"]
            assert sorted((one["kind"], one["_id"]) for one in found["differences"]) == differences
        with capture.connection.cursor() as cursor:
            cursor.execute("SET SESSION binlog_row_image = 'MINIMAL'")
            cursor.execute("UPDATE h SET n = 2 WHERE id = X'0100'")
            cursor.execute("UPDATE s SET n = 2")
            cursor.execute("SET SESSION binlog_row_image = 'FULL'")
        capture.wait()
        assert capture.collection("h").find_one({"_id": first})["n"] == 2
        assert {one["n"] for one in capture.collection("s").find({"_id": {"$ne": "b"}})} == {2}
        assert "cannot be found by their keys" not in process.tail(500)
        (letter,) = capture.collection("_cdc_dead_letters").find()
        capture.sql("UPDATE h SET j = NULL WHERE id = X'0200'")
        capture.wait()
        assert ask(capture, "requeue", "--all", CDC_COLUMN_OVERRIDES=overrides)["settled"] == [letter["_id"]]
        capture.collection("h").delete_one({"_id.id": "no hex"})
        capture.collection("s").delete_one({"_id": "b"})
        assert ask(capture, "verify", CDC_COLUMN_OVERRIDES=overrides)["equal"]
