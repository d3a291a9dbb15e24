"""The source's side of a comparison: rows by key, each column rendered by MySQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pymysql.cursors import SSCursor

from isotherm_cdc import mysql
from isotherm_cdc.snapshot.identity import identified, overridden
from isotherm_cdc.snapshot.keys import NO_SUCH_KEY, key_condition
from isotherm_cdc.snapshot.queries import after, literal, quote
from isotherm_cdc.snapshot.tables import read_table
from isotherm_cdc.values.documents import encode_key
from isotherm_cdc.values.mapping import RULES, cursor_of, order_of, select_of
from isotherm_cdc.verify.rendering import expression, is_compared

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pymysql

    from isotherm_cdc.gtid import GtidSet
    from isotherm_cdc.settings import Settings
    from isotherm_cdc.values.columns import Column, Table


@dataclass(frozen=True)
class SourceRow:
    """One row.

    Attributes:
        key: the BSON of `{_id: …}` that its document should have.
        cursor: its key as SQL literals.
        texts: what MySQL has rendered, for each column that is compared.
    """

    key: bytes
    cursor: tuple[str, ...]
    texts: tuple[str | None, ...]


class SourceTable:
    """One table, over a connection of its own."""

    def __init__(self, settings: Settings, full_name: str) -> None:
        self.full_name = full_name
        self._connection: pymysql.Connection[Any] = mysql.connect(settings.mysql, use_unicode=False, conv={})
        mysql.query(self._connection, "SET character_set_results = NULL")
        found = read_table(self._connection, *full_name.split(".", 1))
        self.table: Table | None = found and overridden(
            identified(self._connection, found, settings.keyless), settings.overrides
        )
        self.columns: tuple[Column, ...] = ()
        if self.table is not None:
            self.columns = tuple(column for column in self.table.columns if is_compared(column))
            self._key = [self.table.columns[position] for position in self.table.key]

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def executed(self) -> GtidSet:
        """Return what the source has committed."""
        return mysql.gtid_executed(self._connection)

    def chunk(self, cursor: tuple[str, ...] | None, limit: int) -> list[SourceRow]:
        """Return the rows after `cursor` in key order."""
        order = ", ".join(order_of(column, quote(column.name)) for column in self._key)
        where = f" WHERE {after(self._key, cursor)}" if cursor else ""
        return self._select(f"{where} ORDER BY {order} LIMIT {limit}")

    def view(self) -> Iterator[SourceRow]:
        """Yield all rows of a table without a key, in one consistent view; their `cursor` is empty."""
        table = self.table
        assert table is not None
        wanted = [expression(column, quote(column.name)) for column in self.columns]
        wanted += [select_of(column, quote(column.name)) for column in table.columns]
        mysql.query(self._connection, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        with self._connection.cursor(SSCursor) as cursor:
            cursor.execute(f"SELECT {', '.join(wanted)} FROM {quote(table.schema)}.{quote(table.name)}")  # noqa: S608 - quoted
            count = len(self.columns)
            for found in cursor:
                values = [
                    None if value is None else RULES[column.kind].convert(column)(value)
                    for column, value in zip(table.columns, found[count:], strict=True)
                ]
                texts = tuple(None if text is None else text.decode() for text in found[:count])
                yield SourceRow(encode_key(table, values), (), texts)
        mysql.query(self._connection, "COMMIT")

    def rows(self, keys: Iterable[Any]) -> dict[bytes, SourceRow]:
        """Return the rows of some `_id`s that are there."""
        assert self.table is not None
        conditions = [condition for key in keys if (condition := _condition(self.table, key)) is not None]
        if not conditions:
            return {}
        return {row.key: row for row in self._select(f" WHERE {' OR '.join(conditions)}")}

    def _select(self, rest: str) -> list[SourceRow]:
        table = self.table
        assert table is not None
        wanted = [expression(column, quote(column.name)) for column in self.columns]
        wanted += [select_of(column, quote(column.name)) for column in self._key]
        wanted += [cursor_of(column, quote(column.name)) for column in self._key]
        sql = f"SELECT {', '.join(wanted)} FROM {quote(table.schema)}.{quote(table.name)}{rest}"  # noqa: S608 - quoted
        return [self._row(table, found) for found in mysql.query(self._connection, sql)]

    def _row(self, table: Table, found: Sequence[bytes | None]) -> SourceRow:
        texts, rest = found[: len(self.columns)], found[len(self.columns) :]
        count = len(self._key)
        values = [
            RULES[column.kind].convert(column)(value or b"") for column, value in zip(self._key, rest, strict=False)
        ]
        cursor = tuple(literal(column, value or b"") for column, value in zip(self._key, rest[count:], strict=True))
        return SourceRow(
            encode_key(table, values), cursor, tuple(None if text is None else text.decode() for text in texts)
        )


def _condition(table: Table, key: Any) -> str | None:
    """Return the condition of a document's row; None where the `_id` is none that a row could have."""
    try:
        return key_condition(table, key)
    except NO_SUCH_KEY:
        return None
