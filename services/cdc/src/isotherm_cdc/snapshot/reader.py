"""Reading tables while they change, without locks (DBLog's watermarks, with GTID sets in place of a watermark table).

For each chunk: note what has been received, wait until the source has committed it, SELECT the next rows by key, ask for
the executed set. The pipeline holds the rows until the stream has passed that set and drops those whose key it met.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import bson
import pymysql
from pymysql.cursors import SSCursor

from isotherm_cdc import mysql
from isotherm_cdc.binlog.decode import BadRow
from isotherm_cdc.errors import DataError
from isotherm_cdc.gtid import GtidSet
from isotherm_cdc.pipeline.window import BadSnapshotRow, SnapshotRow
from isotherm_cdc.snapshot.identity import Keyless, identified, overridden
from isotherm_cdc.snapshot.keys import NO_SUCH_KEY, key_condition
from isotherm_cdc.snapshot.queries import chunk_query, is_json, literal, quote, quoted, view_query
from isotherm_cdc.snapshot.tables import read_table
from isotherm_cdc.values import json_values
from isotherm_cdc.values.documents import encode_elements, encode_key
from isotherm_cdc.values.mapping import RULES, changed, order_of
from isotherm_cdc.values.overrides import Overrides

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from isotherm_cdc.values.columns import Column, Table
    from isotherm_common.settings import MysqlSettings

_PATHS_AT_ONCE = 500
_THREAD = re.compile(r"#\d+")
VIEW_TIMEOUT_SECONDS = 3600
"""How long the server waits for a view to be read on: MongoDB may be away for a while."""
_CHANGED_CODES = frozenset({1054, 1146, 1412})
"""Unknown column, no such table, the definition has changed since the view was opened."""


@dataclass(frozen=True)
class Chunk:
    """Rows in the order of their key.

    Attributes:
        rows: what was read.
        high: what the source had committed afterwards.
        last: whether the table ends here.
    """

    rows: list[SnapshotRow | BadSnapshotRow]
    high: GtidSet
    last: bool


class TableChanged(Exception):  # noqa: N818 - nothing is wrong
    """The table is not any more as it was when it was looked at."""


class KeysUnknown(Exception):  # noqa: N818 - it names the state
    """The rows of some documents cannot be selected."""


class TableReader:
    """Reads one table in chunks; holds a connection of its own."""

    def __init__(
        self,
        settings: MysqlSettings,
        full_name: str,
        overrides: Overrides | None = None,
        keyless: Keyless = "fail",
    ) -> None:
        """Connect and look at the table.

        Raises:
            SourceUnusable: the table has no primary key.
        """
        self._connection = mysql.connect(settings, use_unicode=False, conv={})
        # The bytes as they are stored, whatever the column's character set: decoded by the code that row events use.
        mysql.query(
            self._connection,
            "SET character_set_results = NULL, information_schema_stats_expiry = 0",
        )
        self._full_name = full_name
        self._overrides = overrides or Overrides()
        self._keyless = keyless
        self._stream: SSCursor | None = None
        self.table: Table | None = None
        self.look()

    def look(self) -> None:
        """Look at the table; there may be none any more.

        Raises:
            SourceUnusable: the table has no primary key.
        """
        table = read_table(self._connection, *self._full_name.split(".", 1))
        self.table = (
            overridden(identified(self._connection, table, self._keyless), self._overrides)
            if table is not None
            else None
        )
        self._flags = _flag_positions(self.table) if self.table is not None else {}

    def close(self) -> None:
        """Close the connection."""
        if self._stream is None:
            self._connection.close()
            return
        # The driver would read what is left of the result, which may be most of a table.
        result = getattr(self._stream, "_result", None)
        self._stream = None
        if result is not None:
            result.unbuffered_active = False
        self._connection._force_close()  # type: ignore[attr-defined] # noqa: SLF001

    def executed(self) -> GtidSet:
        """Return what the source has committed."""
        return mysql.gtid_executed(self._connection)

    def estimate(self) -> tuple[int | None, int | None]:
        """Return how many rows the source thinks the table has, and how many bytes a row has on average."""
        table = self._table()
        rows = mysql.query(
            self._connection,
            "SELECT TABLE_ROWS, AVG_ROW_LENGTH FROM information_schema.TABLES WHERE TABLE_SCHEMA = "  # noqa: S608 - quoted
            f"{quoted(table.schema)} AND TABLE_NAME = {quoted(table.name)}",
        )
        found = rows[0] if rows else (None, None)
        count, average = (None if value is None else int(value) for value in found)
        return count, average

    def read(self, cursor: tuple[str, ...] | None, limit: int, where: str | None = None) -> Chunk:
        """Read the rows after `cursor` (of those that `where` selects), in a consistent view of its own.

        A table that is not there has no rows.

        Raises:
            TableChanged: a statement has changed the table since it was looked at.
        """
        if self.table is None:
            return Chunk([], self.executed(), last=True)
        table = self.table
        if cursor is not None and len(cursor) != len(table.key):
            message = f"{table.full_name} has another key than it had at the chunk before"
            raise TableChanged(message)
        rows = self._select(table, chunk_query(table, cursor, limit, where))
        return Chunk(rows, self.executed(), len(rows) < limit)

    def read_keys(self, keys: Sequence[bytes]) -> Chunk:
        """Read the rows that some documents (the BSON of `{_id: …}`) are of, those that are there.

        Raises:
            KeysUnknown: they cannot be selected: a setting has changed the key, or it is another by now.
            TableChanged: a statement has changed the table since it was looked at.
        """
        if self.table is None:
            return Chunk([], self.executed(), last=False)
        table = self.table
        try:
            where = " OR ".join(key_condition(table, bson.decode(key)["_id"]) for key in keys)
        except NO_SUCH_KEY as error:
            message = f"rows of {table.full_name} cannot be found by their keys ({error})"
            raise KeysUnknown(message) from error
        return Chunk(self._select(table, chunk_query(table, None, len(keys), where)), self.executed(), last=False)

    def _select(self, table: Table, sql: str) -> list[SnapshotRow | BadSnapshotRow]:
        mysql.query(self._connection, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        try:
            with _noticing_changes():
                return [self._row(table, values) for values in mysql.query(self._connection, sql)]
        finally:
            mysql.query(self._connection, "COMMIT")

    def open_view(self) -> GtidSet:
        """Open a view of the whole table; return what may be in it.

        What is being committed is seen a moment before it counts as executed: it is returned too.

        Raises:
            TableChanged: a statement has changed the table since it was looked at.
        """
        mysql.query(self._connection, f"SET SESSION net_write_timeout = {VIEW_TIMEOUT_SECONDS}")
        mysql.query(self._connection, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        (owned,) = mysql.query(self._connection, "SELECT @@GLOBAL.gtid_owned")[0]
        high = GtidSet.parse(_THREAD.sub("", owned.decode())) | self.executed()
        self._stream = self._connection.cursor(SSCursor)
        with _noticing_changes():
            self._stream.execute(view_query(self._table()))
        return high

    def next_rows(self, limit: int) -> list[SnapshotRow | BadSnapshotRow]:
        """Return the next rows of the view; fewer than `limit` when it ends."""
        assert self._stream is not None
        table = self._table()
        return [self._row(table, values) for values in self._stream.fetchmany(limit)]

    def _table(self) -> Table:
        assert self.table is not None
        return self.table

    def _row(self, table: Table, raw: Sequence[bytes | None]) -> SnapshotRow | BadSnapshotRow:
        try:
            return self._good_row(table, raw)
        except DataError as error:
            return self._bad_row(table, raw, str(error))

    def _good_row(self, table: Table, raw: Sequence[bytes | None]) -> SnapshotRow:
        cursor = _cursor(table, raw)
        values = [self._value(table, position, raw, cursor) for position in range(len(table.columns))]
        key = encode_key(table, [values[position] for position in table.key])
        return SnapshotRow(key, encode_elements(key, table.fields, values), cursor)

    def _bad_row(self, table: Table, raw: Sequence[bytes | None], error: str) -> BadSnapshotRow:
        """Keep a row that cannot be told as MySQL printed it, with its key if that can be."""
        cursor = _cursor(table, raw)
        printed = bson.encode({column.field: value for column, value in zip(table.columns, raw, strict=False)})
        try:
            key = encode_key(table, [self._value(table, position, raw, cursor) for position in table.key])
        except DataError:
            return BadSnapshotRow(None, BadRow("snapshot", error, printed), cursor)
        return BadSnapshotRow(key, BadRow("snapshot", error, printed, key), cursor)

    def _value(self, table: Table, position: int, raw: Sequence[bytes | None], cursor: tuple[str, ...]) -> Any:
        column, value = table.columns[position], raw[position]
        if value is None:
            return None
        if is_json(column) and raw[self._flags[position]] == b"1":
            return changed(column, self._exact_json(table, column, cursor, value.decode()))
        return RULES[column.kind].convert(column)(value)

    def _exact_json(self, table: Table, column: Column, cursor: tuple[str, ...], text: str) -> Any:
        """Read a document that holds decimals, asking where they are: its text does not tell."""
        if table.counted:
            message = f"{column.name} holds decimals, which cannot be read from JSON without a key"
            raise DataError(message)
        name = quote(column.name)
        paths = json_values.number_paths(text)
        where = " AND ".join(
            f"{order_of(table.columns[position], quote(table.columns[position].name))} = {value}"
            for position, value in zip(table.key, cursor, strict=True)
        )
        decimals: set[json_values.Path] = set()
        for start in range(0, len(paths), _PATHS_AT_ONCE):
            some = paths[start : start + _PATHS_AT_ONCE]
            wanted = ", ".join(
                f"JSON_TYPE(JSON_EXTRACT({name}, {quoted(json_values.sql_path(path))})) = 'DECIMAL'" for path in some
            )
            answer = mysql.query(
                self._connection,
                f"SELECT {wanted} FROM {quote(table.schema)}.{quote(table.name)} WHERE {where}",  # noqa: S608 - quoted
            )
            decimals.update(path for path, found in zip(some, answer[0], strict=True) if found == b"1")
        return json_values.from_text(text, decimals.__contains__)


@contextlib.contextmanager
def _noticing_changes() -> Iterator[None]:
    try:
        yield
    except pymysql.err.MySQLError as error:
        if error.args and error.args[0] in _CHANGED_CODES:
            raise TableChanged(str(error)) from error
        raise


def _cursor(table: Table, raw: Sequence[bytes | None]) -> tuple[str, ...]:
    """Return a row's key as SQL literals; it is selected after the columns."""
    if table.counted:
        return ()
    first = len(table.columns)
    return tuple(literal(table.columns[position], raw[first + n] or b"") for n, position in enumerate(table.key))


def _flag_positions(table: Table) -> dict[int, int]:
    """Return where the flag of each JSON column stands: after the columns and the key."""
    first = len(table.columns) + (0 if table.counted else len(table.key))
    json_columns = [position for position, column in enumerate(table.columns) if is_json(column)]
    return {position: first + number for number, position in enumerate(json_columns)}
