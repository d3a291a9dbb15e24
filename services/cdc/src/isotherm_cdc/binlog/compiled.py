"""Row events to rows by functions that are generated for each table (`codegen`), with the plain path as the judge.

Each function reads the rows with one set of null columns. It is trusted when it has read its first row as the plain path
reads it; what it refuses or cannot read goes the plain path, row by row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from isotherm_cdc.binlog.codegen import Mode, compile_reader
from isotherm_cdc.binlog.decode import BadRow, Operation, Row, RowDecoder
from isotherm_cdc.binlog.element_code import NotPlainError

if TYPE_CHECKING:
    from isotherm_cdc.values.columns import Table

Read = Callable[[bytes, int], Any]

_HEAD_AT = 8
MOST_READERS = 200
"""Sets of null columns of one table that functions are compiled for."""


class CompiledDecoder(RowDecoder):
    """Reads the rows of one table's events as `RowDecoder` does, only faster.

    Attributes:
        distrusted: how many generated functions read their first row otherwise than the plain path; those are not used.
    """

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self.distrusted = 0
        self._readers: dict[Mode, dict[bytes, Read]] = {"row": {}, "key": {}, "raw": {}}
        self._refused: set[tuple[Mode, bytes]] = set()
        self._heads: dict[tuple[Operation, int], bytes] = {}

    @property
    def generated(self) -> int:
        """How many generated functions are in use."""
        return sum(map(len, self._readers.values()))

    def rows(self, operation: Operation, body: bytes, *, version: int = 2) -> list[Row | BadRow]:
        """Return the rows of one event's body (without header and checksum).

        Raises:
            UnsupportedEvent: the event does not hold whole rows.
        """
        head = self._heads.get((operation, version))
        if head is not None and body.startswith(head, _HEAD_AT):
            at = _HEAD_AT + len(head)
        else:
            at = self._head(operation, body, version)
            self._heads[operation, version] = body[_HEAD_AT:at]
        if operation == "update":
            return self._updates(body, at)
        return self._images(operation, body, at)

    def _updates(self, body: bytes, at: int) -> list[Row | BadRow]:
        rows: list[Row | BadRow] = []
        append, new, row_class = rows.append, tuple.__new__, Row
        before, after = self._readers["raw"], self._readers["row"]
        end, width = len(body), self._bitmap_bytes
        while at < end:
            start = at
            try:
                begin = at + width
                old, at = before[body[at:begin]](body, begin)
                begin = at + width
                raw, key, elements, at = after[body[at:begin]](body, begin)
                old_key = None if raw == old else self._read_key(body, start)
            except Exception:  # noqa: BLE001 - whatever it is, the plain path judges
                at = end + 1
            if at > end:
                row, at = self._plain("update", body, start)
                append(row)
            else:
                append(new(row_class, ("update", key, elements, None if old_key == key else old_key)))
        return rows

    def _images(self, operation: Operation, body: bytes, at: int) -> list[Row | BadRow]:
        rows: list[Row | BadRow] = []
        append, new, row_class = rows.append, tuple.__new__, Row
        whole, keys = self._readers["row"], self._readers["key"]
        insert = operation == "insert"
        end, width = len(body), self._bitmap_bytes
        elements = None
        while at < end:
            start = at
            try:
                begin = at + width
                if insert:
                    _, key, elements, at = whole[body[at:begin]](body, begin)
                else:
                    key, at = keys[body[at:begin]](body, begin)
            except Exception:  # noqa: BLE001 - whatever it is, the plain path judges
                at = end + 1
            if at > end:
                row, at = self._plain(operation, body, start)
                append(row)
            else:
                append(new(row_class, (operation, key, elements, None)))
        return rows

    def _plain(self, operation: Operation, body: bytes, at: int) -> tuple[Row | BadRow, int]:
        """Read one row the plain way, and learn to read such rows faster."""
        row, after = self._one(operation, body, at)
        if isinstance(row, Row):
            if operation == "insert":
                self._learn("row", body, at, (row.key, row.elements, after))
            elif operation == "delete":
                self._learn("key", body, at, (row.key, after))
            else:
                middle = self._skip(body, at)
                self._learn("raw", body, at, (middle,))
                self._learn("row", body, middle, (row.key, row.elements, after))
        return row, after

    def _learn(self, mode: Mode, body: bytes, at: int, expected: tuple[Any, ...]) -> None:
        """Compile the function for images like the one at `at`, unless it is there, or reads this one wrongly."""
        begin = at + self._bitmap_bytes
        nulls = body[at:begin]
        known = self._readers[mode]
        if nulls in known or (mode, nulls) in self._refused or len(known) + len(self._refused) >= MOST_READERS:
            return
        try:
            read = compile_reader(self.table, self._names, int.from_bytes(nulls, "little") & self._whole, mode)
        except NotPlainError:
            self._refused.add((mode, nulls))
            return
        try:
            found = read(body, begin)
        except Exception:  # noqa: BLE001 - this row is not plain; another one will tell
            return
        if found[-len(expected) :] == expected:
            known[nulls] = read
        else:
            self.distrusted += 1
            self._refused.add((mode, nulls))
