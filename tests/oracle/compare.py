"""Compare whole tables with their collections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bson import Int64

from oracle.columns import Column, Mismatch

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pymongo
    import pymysql

SHOWN = 10
"""Differences that a report names at most."""

Key = tuple[str | None, ...]
Row = dict[str, str | None]


@dataclass(frozen=True)
class Table:
    """A table's columns in their order and the columns of its primary key in key order."""

    schema: str
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]


def differences(
    mysql: pymysql.Connection[Any], mongo: pymongo.MongoClient[Any], schema: str, tables: Iterable[str]
) -> list[str]:
    """Return what differs between the tables of `schema` and their collections, one sentence each; nothing if equal.

    MySQL is read in one consistent snapshot; call it when the CDC has caught up.
    """
    found: list[str] = []
    with mysql.cursor() as cursor:
        cursor.execute("SET time_zone = '+00:00', NAMES utf8mb4")
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        for name in tables:
            table = describe(cursor, schema, name)
            found += _compare(table, read_mysql(cursor, table), mongo)
        cursor.execute("ROLLBACK")
    return found


def describe(cursor: Any, schema: str, name: str) -> Table:
    """Read a table's columns and key from information_schema."""
    cursor.execute(
        "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, COALESCE(DATETIME_PRECISION, 0), COALESCE(NUMERIC_PRECISION, 0),"
        " COALESCE(CHARACTER_SET_NAME, '')"
        " FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION",
        (schema, name),
    )
    columns = tuple(
        Column(n, d.lower(), _decoded(c) or "", int(f), int(p), s) for n, d, c, f, p, s in cursor.fetchall()
    )
    cursor.execute(
        "SELECT COLUMN_NAME FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s"
        " AND INDEX_NAME = 'PRIMARY' ORDER BY SEQ_IN_INDEX",
        (schema, name),
    )
    return Table(schema, name, columns, tuple(n for (n,) in cursor.fetchall()))


def read_mysql(cursor: Any, table: Table) -> dict[Key, Row]:
    """Return the table's rows as canonical text by their key."""
    expressions = ", ".join(column.sql for column in table.columns)
    name = table.name.replace("`", "``")
    cursor.execute(f"SELECT {expressions} FROM `{table.schema}`.`{name}`")
    rows: dict[Key, Row] = {}
    for values in cursor.fetchall():
        row = {c.name: c.from_mysql(_decoded(v)) for c, v in zip(table.columns, values, strict=True)}
        rows[tuple(row[name] for name in table.key)] = row
    return rows


def _decoded(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def _compare(table: Table, rows: dict[Key, Row], mongo: pymongo.MongoClient[Any]) -> list[str]:
    found: list[str] = []
    title = f"{table.schema}.{table.name}"
    seen: set[Key] = set()
    for document in mongo[table.schema][table.name].find():
        try:
            key, row = _read_document(table, document)
        except (Mismatch, KeyError) as error:
            found.append(f"{title} {document['_id']!r}: {error}")
            continue
        if key in seen:
            found.append(f"{title} {key}: twice in MongoDB")
        seen.add(key)
        if key not in rows:
            found.append(f"{title} {key}: in MongoDB only")
        elif row != rows[key]:
            unequal = {n: (rows[key][n], row.get(n)) for n in rows[key] if rows[key][n] != row.get(n)}
            found.append(f"{title} {key}: (MySQL, MongoDB) = {unequal}")
    found += [f"{title} {key}: in MySQL only" for key in rows.keys() - seen]
    return found if len(found) <= SHOWN else [*found[:SHOWN], f"{title}: and {len(found) - SHOWN} more"]


def _read_document(table: Table, document: dict[str, Any]) -> tuple[Key, Row]:
    names = [column.field for column in table.columns]
    if list(document) != ["_id", *names, "_cdc"]:
        message = f"fields {list(document)} where the contract names {['_id', *names, '_cdc']}"
        raise Mismatch(message)
    _check_cdc(document["_cdc"])
    row = {column.name: column.from_bson(document[column.field]) for column in table.columns}
    identifier = document["_id"]
    by_name = {column.name: column for column in table.columns}
    fields = [by_name[name].field for name in table.key]
    if len(table.key) > 1 and list(identifier) != fields:
        message = f"_id {identifier!r} is not a sub-document of {fields}"
        raise Mismatch(message)
    parts = identifier if len(table.key) > 1 else {fields[0]: identifier}
    return tuple(by_name[name].from_key(parts[by_name[name].field], row[name]) for name in table.key), row


def _check_cdc(cdc: dict[str, Any]) -> None:
    snapshot = cdc.get("snapshot", False)
    expected = ["seq", "ts", "gtid", "snapshot"] if snapshot else ["seq", "ts", "gtid"]
    stamped = isinstance(cdc["ts"], Int64) and isinstance(cdc["gtid"], str)
    blank = cdc["ts"] is None and cdc["gtid"] is None
    if list(cdc) != expected or not isinstance(cdc["seq"], Int64) or not (blank if snapshot else stamped):
        message = f"_cdc is {cdc!r}"
        raise Mismatch(message)
