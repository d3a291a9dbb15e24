"""What information_schema tells of the captured tables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from isotherm_cdc import mysql
from isotherm_cdc.errors import SourceUnusable, UnsupportedEvent
from isotherm_cdc.snapshot.identity import Keyless, identified
from isotherm_cdc.snapshot.queries import quoted
from isotherm_cdc.values import names
from isotherm_cdc.values.columns import Column, Kind, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pymysql

_INTEGER_BYTES = {"tinyint": 1, "smallint": 2, "mediumint": 3, "int": 4, "bigint": 8}
_KINDS = {
    "float": Kind.FLOAT, "double": Kind.DOUBLE, "decimal": Kind.DECIMAL, "date": Kind.DATE, "datetime": Kind.DATETIME,
    "timestamp": Kind.TIMESTAMP, "time": Kind.TIME, "year": Kind.YEAR, "char": Kind.STRING, "varchar": Kind.STRING,
    "tinytext": Kind.STRING, "text": Kind.STRING, "mediumtext": Kind.STRING, "longtext": Kind.STRING,
    "binary": Kind.BINARY, "varbinary": Kind.BYTES, "tinyblob": Kind.BYTES, "blob": Kind.BYTES,
    "mediumblob": Kind.BYTES, "longblob": Kind.BYTES, "enum": Kind.ENUM, "set": Kind.SET, "bit": Kind.BIT,
    "json": Kind.JSON, "vector": Kind.VECTOR, "geometry": Kind.GEOMETRY, "point": Kind.GEOMETRY,
    "linestring": Kind.GEOMETRY, "polygon": Kind.GEOMETRY, "multipoint": Kind.GEOMETRY,
    "multilinestring": Kind.GEOMETRY, "multipolygon": Kind.GEOMETRY, "geomcollection": Kind.GEOMETRY,
    "geometrycollection": Kind.GEOMETRY,
}  # fmt: skip
_LABEL = re.compile(r"'((?:[^']|'')*)'")
_MEANT = {"''": "'", r"\\": "\\", r"\n": "\n", r"\r": "\r", r"\0": "\0"}
_ESCAPED = re.compile(r"''|\\[\\nr0]")
_LABELLED = (Kind.ENUM, Kind.SET)


def read_table(connection: pymysql.Connection[Any], schema: str, name: str) -> Table | None:
    """Look a table up in information_schema; None when there is no such table (a view is none)."""
    where = f"TABLE_SCHEMA = {quoted(schema)} AND TABLE_NAME = {quoted(name)}"
    ask_columns = (
        "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, NUMERIC_PRECISION, NUMERIC_SCALE, DATETIME_PRECISION, "  # noqa: S608
        "CHARACTER_OCTET_LENGTH, CHARACTER_SET_NAME FROM information_schema.COLUMNS "
        f"WHERE {where} AND EXISTS (SELECT 1 FROM information_schema.TABLES WHERE {where} AND TABLE_TYPE = 'BASE TABLE') "
        "ORDER BY ORDINAL_POSITION"
    )
    ask_key = (
        f"SELECT COLUMN_NAME FROM information_schema.STATISTICS WHERE {where} AND INDEX_NAME = 'PRIMARY' "  # noqa: S608
        "ORDER BY SEQ_IN_INDEX"
    )
    rows, before = mysql.query(connection, ask_columns), None
    while rows != before:
        # Two questions have two moments: the key belongs to these columns only if they are still the same after it.
        before, key_rows = rows, mysql.query(connection, ask_key)
        rows = mysql.query(connection, ask_columns)
    if not rows:
        return None
    columns = tuple(column_of([_text(value) for value in row]) for row in rows)
    positions = {column.name: number for number, column in enumerate(columns)}
    return Table(schema, name, columns, tuple(positions[_text(row[0])] for row in key_rows))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else "" if value is None else str(value)


def _label(text: str) -> str:
    """Undo what information_schema writes for a label's quotes, backslashes and line ends."""
    return _ESCAPED.sub(lambda found: _MEANT[found[0]], text)


def column_of(row: Sequence[str]) -> Column:
    """Turn a row of information_schema.COLUMNS into a column."""
    name, data_type, column_type, precision, scale, digits, octets, charset = row
    if data_type in _INTEGER_BYTES:
        return Column(name, Kind.INTEGER, _INTEGER_BYTES[data_type], unsigned="unsigned" in column_type)
    kind = _KINDS.get(data_type)
    if kind is None:
        message = f"Column {name} has type {data_type}, which is not supported: exclude the table."
        raise UnsupportedEvent(message)
    return Column(
        name,
        kind,
        precision=int(precision or 0) if kind is Kind.DECIMAL else 0,
        scale=int(scale or 0) if kind is Kind.DECIMAL else 0,
        fraction_digits=int(digits or 0),
        length_bytes=int(octets or 0) if kind is Kind.BINARY else 0,
        charset=charset,
        labels=tuple(map(_label, _LABEL.findall(column_type))) if kind in _LABELLED else (),
    )


def captured_tables(
    connection: pymysql.Connection[Any], schemas: Sequence[str], captured: Callable[[str], bool]
) -> list[str]:
    """Return the captured base tables that there are.

    Raises:
        SourceUnusable: MongoDB cannot have collections for some of them.
    """
    if not schemas:
        return []
    wanted = ", ".join(quoted(schema) for schema in schemas)
    rows = mysql.query(
        connection,
        "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE' AND "  # noqa: S608
        f"TABLE_SCHEMA IN ({wanted}) ORDER BY TABLE_SCHEMA, TABLE_NAME",
    )
    found = [(_text(row[0]), _text(row[1])) for row in rows]
    tables = [(schema, table) for schema, table in found if captured(f"{schema}.{table}")]
    refused = [reason for table in tables if (reason := names.refusal(*table))]
    refused += names.differing_only_in_case(schema for schema, _ in tables)
    if refused:
        raise SourceUnusable("\n".join(refused))
    return [f"{schema}.{table}" for schema, table in tables]


def check_keys(connection: pymysql.Connection[Any], tables: Sequence[str], keyless: Keyless) -> None:
    """Check that the rows of every table can be told apart.

    Raises:
        SourceUnusable: with every table where they cannot.
    """
    rows = mysql.query(
        connection,
        "SELECT DISTINCT TABLE_SCHEMA, TABLE_NAME FROM information_schema.STATISTICS WHERE INDEX_NAME = 'PRIMARY'",
    )
    keyed = {f"{_text(row[0])}.{_text(row[1])}" for row in rows}
    problems = []
    for name in tables:
        table = None if name in keyed else read_table(connection, *name.split(".", 1))
        if table is not None:
            try:
                identified(connection, table, keyless)
            except SourceUnusable as error:
                problems.append(str(error))
    if problems:
        raise SourceUnusable("\n".join(problems))
