"""Row events to rows, by a plan that is compiled once for each table map.

A row that cannot be told (`DataError`) is returned as a `BadRow` with its bytes, so that the rows after it are not lost.
An event that is not whole (a column left out, a partial image) is refused: it would falsify documents.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from isotherm_cdc.binlog.table_map import packed_integer
from isotherm_cdc.errors import DataError, UnsupportedEvent
from isotherm_cdc.values.documents import encode_elements, encode_key
from isotherm_cdc.values.mapping import RULES

if TYPE_CHECKING:
    from isotherm_cdc.values.columns import Table

Operation = Literal["insert", "update", "delete", "snapshot"]


class NotWhole(UnsupportedEvent):
    """An event leaves out columns of its rows: `binlog_row_image` is not FULL in the session that wrote it."""


class Row(NamedTuple):
    """One changed row.

    Attributes:
        operation: what was done.
        key: the BSON of `{_id: …}` after the change; before it for a delete.
        elements: the document's BSON elements without `_cdc`; None for a delete.
        old_key: for an update of the key, the key before.
    """

    operation: Operation
    key: bytes
    elements: bytes | None
    old_key: bytes | None = None


class PartialRow(NamedTuple):
    """A changed row of which the event does not tell everything: it has to be read again by its key.

    Attributes:
        operation: what was done: an insert or an update.
        key: the BSON of `{_id: …}` after the change.
        elements: nothing, where a `Row` has its document's.
        old_key: for an update of the key, the key before.
    """

    operation: Operation
    key: bytes
    elements: None = None
    old_key: bytes | None = None


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be told, for the dead letters.

    Attributes:
        operation: what was done.
        error: why it cannot be told.
        data: its images, as they came.
        key: the BSON of `{_id: …}` after the change, before it for a delete; None when it cannot be told either.
        old_key: for an update of the key, the key before: that row is gone, whatever the new one holds.
        table: what it was read by.
    """

    operation: Operation
    error: str
    data: bytes
    key: bytes | None = None
    old_key: bytes | None = None
    table: Table | None = None


class RowDecoder:
    """Reads the rows of one table's events."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.full_name = table.full_name
        self._names = table.fields
        self._count = len(table.columns)
        self._bitmap_bytes = (self._count + 7) // 8
        self._whole = (1 << self._count) - 1
        self._decoders = [RULES[column.kind].decode(column) for column in table.columns]
        self._extents = [RULES[column.kind].extent(column) for column in table.columns]
        self._key = table.key
        last = max(table.key, default=-1)
        self._key_steps = [
            (position in table.key, self._decoders[position] if position in table.key else self._extents[position])
            for position in range(last + 1)
        ]
        self._read = {"insert": self._insert, "update": self._update, "delete": self._delete}

    def rows(self, operation: Operation, body: bytes, *, version: int = 2) -> list[Row | BadRow]:
        """Return the rows of one event's body (without header and checksum).

        Raises:
            NotWhole: the event does not hold whole rows (`partial` reads those).
            UnsupportedEvent: it cannot be read.
        """
        at = self._head(operation, body, version)
        end = len(body)
        rows: list[Row | BadRow] = []
        while at < end:
            row, at = self._one(operation, body, at)
            rows.append(row)
        return rows

    def _head(self, operation: Operation, body: bytes, version: int) -> int:
        """Check that the event holds whole rows; return where they begin."""
        at = 8
        if version == 2:  # noqa: PLR2004 - the event's version
            at += int.from_bytes(body[8:10], "little")
        count, at = packed_integer(body, at)
        if count != self._count:
            message = f"A row event of {self.table.full_name} has {count} columns and its table map {self._count}."
            raise UnsupportedEvent(message)
        for _ in range(2 if operation == "update" else 1):
            present = int.from_bytes(body[at : at + self._bitmap_bytes], "little")
            if present & self._whole != self._whole:
                message = (
                    f"A row event of {self.table.full_name} does not hold whole rows: binlog_row_image must be FULL in "
                    "every session that writes."
                )
                raise NotWhole(message)
            at += self._bitmap_bytes
        return at

    def _one(self, operation: Operation, body: bytes, start: int) -> tuple[Row | BadRow, int]:
        """Read the row at `start`; return where the next one begins."""
        try:
            row, at = self._read[operation](body, start)
        except (DataError, IndexError, ValueError, OverflowError, struct.error) as error:
            at = self._after(operation, body, start)
            if not isinstance(error, DataError):
                message = f"A row event of {self.table.full_name} cannot be read: {error!r}"
                raise UnsupportedEvent(message) from error
            return self._bad(operation, str(error), body, start, at), at
        if at > len(body):
            message = f"A row event of {self.table.full_name} ends within a row."
            raise UnsupportedEvent(message)
        return row, at

    def _insert(self, body: bytes, at: int) -> tuple[Row, int]:
        values, at = self._values(body, at)
        key = encode_key(self.table, [values[position] for position in self._key])
        return Row("insert", key, encode_elements(key, self._names, values)), at

    def _update(self, body: bytes, at: int) -> tuple[Row, int]:
        old_key = self._read_key(body, at)
        values, at = self._values(body, self._skip(body, at))
        key = encode_key(self.table, [values[position] for position in self._key])
        return Row("update", key, encode_elements(key, self._names, values), old_key if old_key != key else None), at

    def _delete(self, body: bytes, at: int) -> tuple[Row, int]:
        return Row("delete", self._read_key(body, at), None), self._skip(body, at)

    def _bad(self, operation: Operation, error: str, body: bytes, start: int, end: int) -> BadRow:
        """Keep a row that cannot be told, with its keys if they can be."""
        before = self._key_if_told(body, start)
        after = self._key_if_told(body, self._skip(body, start)) if operation == "update" else before
        old = before if operation == "update" and after != before else None
        return BadRow(operation, error, body[start:end], after, old, self.table)

    def key_of(self, operation: Operation, images: bytes) -> bytes:
        """Return the BSON of `{_id: …}` of a row's images, as a dead letter holds them.

        Raises:
            DataError: it cannot be told.
        """
        return self._read_key(images, self._skip(images, 0) if operation == "update" else 0)

    def _key_if_told(self, body: bytes, at: int) -> bytes | None:
        try:
            return self._read_key(body, at)
        except DataError:
            return None

    def _values(self, body: bytes, at: int) -> tuple[list[Any], int]:
        nulls = int.from_bytes(body[at : at + self._bitmap_bytes], "little")
        at += self._bitmap_bytes
        values: list[Any] = []
        append = values.append
        if not nulls:
            for decode in self._decoders:
                value, at = decode(body, at)
                append(value)
            return values, at
        for decode in self._decoders:
            if nulls & 1:
                append(None)
            else:
                value, at = decode(body, at)
                append(value)
            nulls >>= 1
        return values, at

    def _read_key(self, body: bytes, at: int) -> bytes:
        nulls = int.from_bytes(body[at : at + self._bitmap_bytes], "little")
        at += self._bitmap_bytes
        found: dict[int, Any] = {}
        for position, (wanted, step) in enumerate(self._key_steps):
            if nulls >> position & 1:
                continue
            if wanted:
                found[position], at = step(body, at)  # type: ignore[misc]
            else:
                at = step(body, at)  # type: ignore[assignment]
        return encode_key(self.table, [found.get(position) for position in self._key])

    def _skip(self, body: bytes, at: int) -> int:
        nulls = int.from_bytes(body[at : at + self._bitmap_bytes], "little")
        at += self._bitmap_bytes
        for extent in self._extents:
            if not nulls & 1:
                at = extent(body, at)
            nulls >>= 1
        return at

    def _after(self, operation: Operation, body: bytes, at: int) -> int:
        try:
            at = self._skip(body, at)
            at = self._skip(body, at) if operation == "update" else at
        except IndexError:
            at = len(body) + 1
        if at > len(body):
            message = f"A row event of {self.table.full_name} ends within a row."
            raise UnsupportedEvent(message)
        return at
