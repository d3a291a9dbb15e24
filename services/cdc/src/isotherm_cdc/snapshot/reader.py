"""Reading tables while they change, without locks (DBLog's watermarks, with GTID sets in place of a watermark table).

For each chunk: note what has been received, wait until the source has committed it, SELECT the next rows by key, ask for
the executed set. The pipeline holds the rows until the stream has passed that set and drops those whose key it met.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pymysql.converters import escape_string

from isotherm_cdc import mysql
from isotherm_cdc.errors import SourceUnusable, UnsupportedEvent
from isotherm_cdc.pipeline.pipeline import SnapshotRow
from isotherm_cdc.values import json_values
from isotherm_cdc.values.columns import Column, Kind, Table
from isotherm_cdc.values.mapping import RULES, encode_elements, encode_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pymysql

    from isotherm_cdc.gtid import GtidSet
    from isotherm_common.settings import MysqlSettings

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
_PLAIN = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.YEAR, Kind.FLOAT, Kind.DOUBLE, Kind.ENUM, Kind.SET, Kind.BIT})
_HAS_DECIMAL = (
    "(INSTR({name}, '.') > 0 OR LENGTH({name}) > 15) AND EXISTS(SELECT 1 FROM JSON_TABLE({name}, '$**[0]' "
    "COLUMNS(v JSON PATH '$')) AS found WHERE JSON_TYPE(v) = 'DECIMAL')"
)


@dataclass(frozen=True)
class Chunk:
    """Rows in the order of their key.

    Attributes:
        rows: what was read.
        high: what the source had committed afterwards.
        last: whether the table ends here.
    """

    rows: list[SnapshotRow]
    high: GtidSet
    last: bool


class TableReader:
    """Reads one table in chunks; holds a connection of its own."""

    def __init__(self, settings: MysqlSettings, full_name: str) -> None:
        """Connect and look at the table.

        Raises:
            SourceUnusable: the table has no primary key.
        """
        self._connection = mysql.connect(settings, use_unicode=False, conv={})
        # The bytes as they are stored, whatever the column's character set: decoded by the code that row events use.
        mysql.query(self._connection, "SET character_set_results = NULL, sql_mode = ''")
        self.table: Table | None = read_table(self._connection, *full_name.split(".", 1))
        if self.table is not None and not self.table.key:
            message = f"{full_name} has no primary key: add one, or exclude the table."
            raise SourceUnusable(message)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def executed(self) -> GtidSet:
        """Return what the source has committed."""
        return mysql.gtid_executed(self._connection)

    def estimate(self) -> int | None:
        """Return how many rows the source thinks the table has."""
        table = self._table()
        rows = mysql.query(
            self._connection,
            "SELECT TABLE_ROWS FROM information_schema.TABLES WHERE TABLE_SCHEMA = "  # noqa: S608 - quoted
            f"{_quoted(table.schema)} AND TABLE_NAME = {_quoted(table.name)}",
        )
        return int(rows[0][0]) if rows and rows[0][0] is not None else None

    def read(self, cursor: tuple[str, ...] | None, limit: int) -> Chunk:
        """Read the rows after `cursor`, in a consistent view of its own.

        Raises:
            DataError: a row cannot be represented.
        """
        table = self._table()
        mysql.query(self._connection, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        try:
            found = mysql.query(self._connection, chunk_query(table, cursor, limit))
            rows = [self._row(table, values) for values in found]
        finally:
            mysql.query(self._connection, "COMMIT")
        return Chunk(rows, self.executed(), len(found) < limit)

    def _table(self) -> Table:
        assert self.table is not None
        return self.table

    def _row(self, table: Table, raw: Sequence[bytes | None]) -> SnapshotRow:
        count, keys = len(table.columns), len(table.key)
        cursor = tuple(
            literal(table.columns[position], raw[count + number] or b"") for number, position in enumerate(table.key)
        )
        flags = iter(raw[count + keys :])
        values: list[Any] = []
        for column, value in zip(table.columns, raw[:count], strict=True):
            has_decimal = column.kind is Kind.JSON and next(flags) == b"1"
            if value is None:
                values.append(None)
            elif has_decimal:
                values.append(self._exact_json(table, column, cursor, value.decode()))
            else:
                values.append(RULES[column.kind].convert(column)(value))
        key = encode_key(table, [values[position] for position in table.key])
        return SnapshotRow(key, encode_elements(key, [column.name for column in table.columns], values), cursor)

    def _exact_json(self, table: Table, column: Column, cursor: tuple[str, ...], text: str) -> Any:
        """Read a document that holds decimals, asking where they are: its text does not tell."""
        name = quote(column.name)
        paths = json_values.number_paths(text)
        where = " AND ".join(
            f"{order_of(table.columns[position])} = {value}" for position, value in zip(table.key, cursor, strict=True)
        )
        decimals: set[json_values.Path] = set()
        for start in range(0, len(paths), _PATHS_AT_ONCE):
            some = paths[start : start + _PATHS_AT_ONCE]
            wanted = ", ".join(
                f"JSON_TYPE(JSON_EXTRACT({name}, {_quoted(json_values.sql_path(path))})) = 'DECIMAL'" for path in some
            )
            answer = mysql.query(
                self._connection,
                f"SELECT {wanted} FROM {quote(table.schema)}.{quote(table.name)} WHERE {where}",  # noqa: S608 - quoted
            )
            decimals.update(path for path, found in zip(some, answer[0], strict=True) if found == b"1")
        return json_values.from_text(text, decimals.__contains__)


_PATHS_AT_ONCE = 500


def chunk_query(table: Table, cursor: tuple[str, ...] | None, limit: int) -> str:
    """Return the SELECT of the rows after `cursor`: the columns, the key for the cursor, a flag for each JSON column."""
    key = [table.columns[position] for position in table.key]
    columns = [RULES[column.kind].select.format(name=quote(column.name)) for column in table.columns]
    columns += [order_of(column) for column in key]
    columns += [_HAS_DECIMAL.format(name=quote(column.name)) for column in table.columns if column.kind is Kind.JSON]
    where = f" WHERE {_after(key, cursor)}" if cursor else ""
    order = ", ".join(order_of(column) for column in key)
    return (
        f"SELECT {', '.join(columns)} FROM {quote(table.schema)}.{quote(table.name)}{where} "  # noqa: S608 - quoted
        f"ORDER BY {order} LIMIT {limit}"
    )


def order_of(column: Column) -> str:
    """Return what the key is ordered and compared by."""
    return RULES[column.kind].order.format(name=quote(column.name))


def _after(key: Sequence[Column], cursor: tuple[str, ...]) -> str:
    """Return the condition of the keys after `cursor`, in a form that MySQL's range access understands."""
    names = [order_of(column) for column in key]
    alternatives = [
        "("
        + " AND ".join([f"{names[i]} = {cursor[i]}" for i in range(depth)] + [f"{names[depth]} > {cursor[depth]}"])
        + ")"
        for depth in range(len(names))
    ]
    bound = f"{names[0]} >= {cursor[0]} AND " if len(names) > 1 else ""
    return f"{bound}({' OR '.join(alternatives)})"


def literal(column: Column, value: bytes) -> str:
    """Write a key's value as an SQL literal that compares as the column does."""
    if column.kind in _PLAIN:
        return value.decode("ascii")
    if column.kind is Kind.STRING:
        return f"_{column.charset} X'{value.hex()}'"
    if column.kind in (Kind.BINARY, Kind.BYTES):
        return f"X'{value.hex()}'"
    return f"'{value.decode('ascii')}'"


def quote(name: str) -> str:
    """Quote an identifier."""
    return "`" + name.replace("`", "``") + "`"


def _quoted(text: str) -> str:
    return f"'{escape_string(text)}'"


def read_table(connection: pymysql.Connection[Any], schema: str, name: str) -> Table | None:
    """Look a table up in information_schema; None when there is no such table."""
    where = f"TABLE_SCHEMA = {_quoted(schema)} AND TABLE_NAME = {_quoted(name)}"
    rows = mysql.query(
        connection,
        "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, NUMERIC_PRECISION, NUMERIC_SCALE, DATETIME_PRECISION, "  # noqa: S608
        "CHARACTER_OCTET_LENGTH, CHARACTER_SET_NAME FROM information_schema.COLUMNS "
        f"WHERE {where} ORDER BY ORDINAL_POSITION",
    )
    key_rows = mysql.query(
        connection,
        f"SELECT COLUMN_NAME FROM information_schema.STATISTICS WHERE {where} AND INDEX_NAME = 'PRIMARY' "  # noqa: S608
        "ORDER BY SEQ_IN_INDEX",
    )
    if not rows:
        return None
    columns = tuple(column_of([_text(value) for value in row]) for row in rows)
    positions = {column.name: number for number, column in enumerate(columns)}
    return Table(schema, name, columns, tuple(positions[_text(row[0])] for row in key_rows))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else "" if value is None else str(value)


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
        labels=tuple(label.replace("''", "'") for label in _LABEL.findall(column_type)) if kind in _LABELLED else (),
    )


_LABELLED = (Kind.ENUM, Kind.SET)


def captured_tables(
    connection: pymysql.Connection[Any], schemas: Sequence[str], captured: Callable[[str], bool]
) -> list[str]:
    """Return the captured base tables that there are."""
    if not schemas:
        return []
    names = ", ".join(_quoted(schema) for schema in schemas)
    rows = mysql.query(
        connection,
        "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE' AND "  # noqa: S608
        f"TABLE_SCHEMA IN ({names}) ORDER BY TABLE_SCHEMA, TABLE_NAME",
    )
    return [name for name in (f"{_text(row[0])}.{_text(row[1])}" for row in rows) if captured(name)]
