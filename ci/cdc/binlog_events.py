#!/usr/bin/env python3
"""Have a MySQL server write every type to its binary log, and keep the events for the decoder's fuzz test.

    PYTHONPATH=tests ci/cdc/binlog_events.py HOST PORT USER [PASSWORD]

It makes a schema `fuzz` on the server and drops it again.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cdc_support.type_matrix import FAMILIES, Values
from isotherm_cdc import mysql
from isotherm_cdc.binlog import events
from isotherm_cdc.binlog.stream import Source
from isotherm_common.settings import MysqlSettings, Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

TARGET = Path(__file__).parents[2] / "services/cdc/tests/data/events.json.gz"
KEPT = (
    {events.TABLE_MAP, events.GTID, events.GTID_TAGGED, events.QUERY, events.XID, events.TRANSACTION_PAYLOAD}
    | set(events.WRITE_ROWS)
    | set(events.UPDATE_ROWS)
    | set(events.DELETE_ROWS)
)
LARGEST_BYTES = 16384


def statements() -> Iterator[str]:
    """Yield what is executed."""
    yield "SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'"
    for name, family in FAMILIES.items():
        yield from of_family(name, family)
    yield "CREATE TABLE t (id INT, k VARCHAR(20), v DOUBLE, PRIMARY KEY (k, id))"
    yield "SET SESSION gtid_next = 'AUTOMATIC:fuzz'"
    yield "INSERT INTO t VALUES (1, 'a', 0.5), (2, 'b', NULL)"
    yield "SET SESSION gtid_next = 'AUTOMATIC', binlog_transaction_compression = ON"
    yield "INSERT INTO t SELECT id + 10, REPEAT(k, 10), v FROM t"


def of_family(name: str, family: list[tuple[str, Values]]) -> Iterator[str]:
    """Yield the statements that insert, change and delete a family's rows."""
    columns = ", ".join(f"c{number} {definition}" for number, (definition, _) in enumerate(family))
    yield f"CREATE TABLE {name} (id INT PRIMARY KEY, {columns})"
    for row in range(max(len(values) for _, values in family)):
        chosen = [(f"c{number}", values[row][0]) for number, (_, values) in enumerate(family) if row < len(values)]
        small = [(column, value) for column, value in chosen if "REPEAT" not in value]
        names = "".join(f", {column}" for column, _ in small)
        yield f"INSERT INTO {name} (id{names}) VALUES ({row}{''.join(f', {value}' for _, value in small)})"  # noqa: S608
    yield f"UPDATE {name} SET id = id + 100 WHERE id < 3"  # noqa: S608
    yield f"DELETE FROM {name} WHERE id IN (3, 100)"  # noqa: S608


def main(host: str, port: str, user: str, password: str = "") -> None:
    """Write the file."""
    settings = MysqlSettings(host=host, port=int(port), user=user, password=Secret(password), database="fuzz")
    connection: Any = mysql.connect(settings)
    mysql.query(connection, "DROP DATABASE IF EXISTS fuzz")
    mysql.query(connection, "CREATE DATABASE fuzz")
    start = mysql.gtid_executed(connection)
    mysql.query(connection, "USE fuzz")
    for statement in statements():
        mysql.query(connection, statement)
    end = mysql.gtid_executed(connection)
    transactions = len(list(end - start))
    charsets = mysql.charsets(connection)
    mysql.query(connection, "SET SESSION binlog_transaction_compression = OFF")
    mysql.query(connection, "DROP DATABASE fuzz")
    found: list[list[Any]] = []
    begun = 0
    for batch in Source(settings, start):
        for event in batch:
            begun += event.kind in (events.GTID, events.GTID_TAGGED)
            if begun <= transactions and event.kind in KEPT and len(event.body) <= LARGEST_BYTES:
                found.append([event.kind, event.flags, bytes(event.body).hex()])
        if begun > transactions:
            break
    TARGET.parent.mkdir(exist_ok=True)
    text = json.dumps({"charsets": charsets, "events": found})
    TARGET.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{len(found)} events, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
