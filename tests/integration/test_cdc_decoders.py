"""Both ways to read rows, on what a real MySQL writes into its binary log: every type, and the same events damaged."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from cdc_support.capture import Capture
from cdc_support.type_matrix import FAMILIES
from isotherm_cdc import mysql
from isotherm_cdc.binlog import events, table_map
from isotherm_cdc.binlog.compiled import CompiledDecoder
from isotherm_cdc.binlog.decode import Operation, RowDecoder
from isotherm_cdc.binlog.stream import Source
from isotherm_cdc.gtid import GtidSet
from isotherm_common.settings import MysqlSettings, load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isotherm_cdc.binlog.events import Event
    from isotherm_local.harness import Pipeline

OPERATIONS: dict[int, Operation] = {
    events.WRITE_ROWS[1]: "insert", events.UPDATE_ROWS[1]: "update", events.DELETE_ROWS[1]: "delete",
}  # fmt: skip
DAMAGED = 4000
TYPES = [(definition, [sql for sql, _ in values]) for family in FAMILIES.values() for definition, values in family]


@pytest.fixture
def capture(stack: Pipeline) -> Iterator[Capture]:
    """A schema of its own."""
    with Capture.of(stack) as made:
        yield made


def written(capture: Capture, position: GtidSet, settings: MysqlSettings) -> list[Event]:
    """Return the events of the transactions since `position`."""
    with capture.connection.cursor() as cursor:
        cursor.execute("SELECT @@GLOBAL.gtid_executed")
        missing = GtidSet.parse(cursor.fetchone()[0]) - position
    source = Source(settings, position)
    found: list[Event] = []
    current = GtidSet()
    try:
        for chunk in source:
            for event in chunk:
                if event.kind == events.GTID:
                    gtid = events.parse_gtid(event.body)
                    current.add(gtid.origin, gtid.number)
                found.append(event)
            if missing <= current and found[-1].kind in (events.XID, events.HEARTBEAT, events.HEARTBEAT_V2):
                return found
    finally:
        source.close()
    return found


def outcome(decoder: RowDecoder, operation: Operation, body: bytes) -> Any:
    """The rows, or the error."""
    try:
        return decoder.rows(operation, body)
    except Exception as error:  # noqa: BLE001 - `Assembler` makes one kind of error of all
        return type(error), str(error)


def test_generated_and_plain_reading_agree(capture: Capture) -> None:
    """Every type's values, inserted, updated and deleted, and thousands of damaged events, are read alike both ways."""
    server = capture.stack.servers.mysql.parameters()
    settings = load(
        MysqlSettings,
        {"MYSQL_HOST": server["host"], "MYSQL_PORT": str(server["port"]), "MYSQL_USER": server["user"],
         "MYSQL_PASSWORD": server.get("password", ""), "MYSQL_DATABASE": capture.stack.database},
    )  # fmt: skip
    with capture.connection.cursor() as cursor:
        cursor.execute("SELECT @@GLOBAL.gtid_executed")
        position = GtidSet.parse(cursor.fetchone()[0])
    capture.sql("SET SESSION sql_mode = 'ALLOW_INVALID_DATES'", "SET SESSION time_zone = '+00:00'")
    capture.sql("SET SESSION innodb_strict_mode = OFF")
    for number, (definition, values) in enumerate(TYPES):
        rows = ", ".join(f"({row}, {value}, NULL)" for row, value in enumerate(values))
        null = "" if "INVISIBLE" in definition else " NULL"
        capture.sql(
            f"CREATE TABLE t{number} (id INT UNSIGNED PRIMARY KEY, v {definition}{null}, n {definition}{null})",
            f"INSERT INTO t{number} (id, v, n) VALUES {rows}",
            f"UPDATE t{number} SET n = v",
            f"UPDATE t{number} SET n = NULL, id = id + 1000",
            f"DELETE FROM t{number}",
        )
    charsets = mysql.charsets(capture.connection)
    decoders: dict[int, tuple[CompiledDecoder, RowDecoder]] = {}
    read: list[tuple[int, Operation, bytes]] = []
    for event in written(capture, position, settings):
        table_id = int.from_bytes(event.body[:6], "little")
        if event.kind == events.TABLE_MAP:
            table = table_map.parse(event.body, charsets)
            decoders.setdefault(table_id, (CompiledDecoder(table), RowDecoder(table)))
        elif event.kind in OPERATIONS:
            read.append((table_id, OPERATIONS[event.kind], event.body))
    assert len(read) >= 4 * len(TYPES)
    for table_id, operation, body in read:
        fast, plain = decoders[table_id]
        expected = plain.rows(operation, body)
        assert expected
        for _ in range(2):
            assert fast.rows(operation, body) == expected, plain.table
    assert sum(fast.generated > 0 for fast, _ in decoders.values()) == len(decoders)
    chance = random.Random(5)
    for _ in range(DAMAGED):
        table_id, operation, body = chance.choice(read)
        damaged = bytearray(body)
        for _ in range(chance.randrange(1, 4)):
            damaged[chance.randrange(8, min(len(damaged), 400))] = chance.randrange(256)
        cut = bytes(damaged[: chance.randrange(12, len(damaged) + 1)]) if chance.random() < 0.2 else bytes(damaged)
        fast, plain = decoders[table_id]
        assert outcome(fast, operation, cut) == outcome(plain, operation, cut), (plain.table, cut[:400].hex())
    assert not any(fast.distrusted for fast, _ in decoders.values())
