"""Row events that do not hold whole rows: images of MINIMAL and NOBLOB, and JSON differences.

What the two images of a row tell together may be everything: then it is a row like any other. Otherwise its key is told,
and the row is read again.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import structlog

from isotherm_cdc.binlog import events
from isotherm_cdc.binlog.decode import BadRow, PartialRow, Row
from isotherm_cdc.binlog.table_map import packed_integer
from isotherm_cdc.errors import DataError, UnsupportedEvent
from isotherm_cdc.values import json_diff
from isotherm_cdc.values.columns import Kind
from isotherm_cdc.values.documents import encode_elements, encode_key
from isotherm_cdc.values.mapping import RULES, changed

if TYPE_CHECKING:
    from isotherm_cdc.binlog.decode import Operation, RowDecoder
    from isotherm_cdc.binlog.events import Event, Gtid
    from isotherm_cdc.values.columns import Table

_HAS_DIFFERENCES = 1
_BROKEN = (IndexError, ValueError, OverflowError, struct.error)


@dataclass(frozen=True, slots=True)
class _Cell:
    """One column of an image.

    Attributes:
        at: where its value stands in the event; None for NULL.
        before: for JSON differences, where the document stands that they were made from.
    """

    at: int | None
    before: int | None = None


_Image = dict[int, _Cell]


class PartialRows:
    """What reads the partial events of one connection."""

    def __init__(self) -> None:
        self._decoders: WeakKeyDictionary[RowDecoder, PartialDecoder] = WeakKeyDictionary()

    def of(
        self, decoder: RowDecoder, operation: Operation, version: int, event: Event, gtid: Gtid | None
    ) -> list[Row | PartialRow | BadRow]:
        """Return the rows of an event that `decoder` refuses.

        Raises:
            UnsupportedEvent: it does not tell the keys of its rows, or is broken.
        """
        reader = self._decoders.get(decoder)
        if reader is None:
            reader = self._decoders[decoder] = PartialDecoder(decoder.table)
            structlog.get_logger().warning("rows_not_whole", table=decoder.full_name, gtid=str(gtid))
        differences = event.kind == events.PARTIAL_UPDATE_ROWS
        return reader.rows(operation, event.body, version=version, differences=differences)


class PartialDecoder:
    """Reads the rows of one table's events that leave something out."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._names = table.fields
        self._extents = [RULES[column.kind].extent(column) for column in table.columns]
        self._decoders = [RULES[column.kind].decode(column) for column in table.columns]
        self._json = [position for position, column in enumerate(table.columns) if column.plain.kind is Kind.JSON]
        self._needed = [position for position, name in enumerate(self._names) if name is not None]

    def rows(
        self, operation: Operation, body: bytes, *, version: int = 2, differences: bool = False
    ) -> list[Row | PartialRow | BadRow]:
        """Return the rows of one event's body (without header and checksum).

        Args:
            operation: what the event does.
            body: the event.
            version: of its form.
            differences: whether it is a PARTIAL_UPDATE_ROWS event.

        Raises:
            UnsupportedEvent: it does not tell the keys of its rows, or is broken.
        """
        rows: list[Row | PartialRow | BadRow] = []
        try:
            images, at = self._head(operation, body, version)
            while at < len(body):
                start = at
                before: _Image = {}
                if operation != "insert":
                    before, at = self._image(images[0], body, at)
                after = before
                if operation != "delete":
                    after, at = self._after(images[-1], before, body, at, differences=differences)
                if at > len(body):
                    raise IndexError(at)
                rows.append(self._row(operation, before, after, body, slice(start, at)))
        except _BROKEN as error:
            message = f"A row event of {self._table.full_name} cannot be read: {error!r}"
            raise UnsupportedEvent(message) from error
        return rows

    def _head(self, operation: Operation, body: bytes, version: int) -> tuple[list[list[int]], int]:
        """Return the columns of each image, and where the rows begin."""
        at = 8
        if version == 2:  # noqa: PLR2004 - the event's version
            at += int.from_bytes(body[8:10], "little")
        count, at = packed_integer(body, at)
        if count != len(self._extents):
            message = (
                f"A row event of {self._table.full_name} has {count} columns and its table map {len(self._extents)}."
            )
            raise UnsupportedEvent(message)
        width, images = (count + 7) // 8, []
        for _ in range(2 if operation == "update" else 1):
            present = int.from_bytes(body[at : at + width], "little")
            images.append([position for position in range(count) if present >> position & 1])
            at += width
        return images, at

    def _image(
        self,
        columns: list[int],
        body: bytes,
        at: int,
        differing: frozenset[int] = frozenset(),
        before: _Image | None = None,
    ) -> tuple[_Image, int]:
        """Read where the values of an image stand; return where the next begins."""
        width = (len(columns) + 7) // 8
        nulls = int.from_bytes(body[at : at + width], "little")
        at += width
        image: _Image = {}
        for number, position in enumerate(columns):
            if nulls >> number & 1:
                image[position] = _Cell(None)
                continue
            start, at = at, self._extents[position](body, at)
            if position not in differing:
                image[position] = _Cell(start)
            elif before and (document := before.get(position)) is not None and document.at is not None:
                image[position] = _Cell(start, document.at)
        return image, at

    def _after(
        self, columns: list[int], before: _Image, body: bytes, at: int, *, differences: bool
    ) -> tuple[_Image, int]:
        """Return a row as it is after the change, as far as both images tell, and where the next begins."""
        differing: frozenset[int] = frozenset()
        if differences:
            options, at = packed_integer(body, at)
            if options & _HAS_DIFFERENCES:
                width = (len(self._json) + 7) // 8
                bits = int.from_bytes(body[at : at + width], "little")
                differing = frozenset(position for n, position in enumerate(self._json) if bits >> n & 1)
                at += width
        image, at = self._image(columns, body, at, differing, before)
        # Of a document whose differences alone are told nothing is known.
        unknown = differing.intersection(columns) - image.keys()
        kept = {position: cell for position, cell in before.items() if position not in unknown}
        return {**kept, **image}, at

    def _row(
        self, operation: Operation, before: _Image, after: _Image, body: bytes, part: slice
    ) -> Row | PartialRow | BadRow:
        old = self._key(before, body) if operation != "insert" else None
        if operation == "delete":
            return (
                self._bad(operation, "its key cannot be told", body[part]) if old is None else Row("delete", old, None)
            )
        new = self._key(after, body)
        if new is None:
            return self._bad(operation, "its key cannot be told", body[part], old)
        old_key = old if old != new else None
        if any(position not in after for position in self._needed):
            return PartialRow(operation, new, old_key=old_key)
        try:
            values = [
                self._value(position, after[position], body) if position in after else None
                for position in range(len(self._extents))
            ]
            return Row(operation, new, encode_elements(new, self._names, values), old_key)
        except DataError as error:
            if self._table.counted:
                return self._bad(operation, str(error), body[part], old)
            return PartialRow(operation, new, old_key=old_key)

    def _key(self, image: _Image, body: bytes) -> bytes | None:
        """Return the BSON of `{_id: …}`; None when a value cannot be represented.

        Raises:
            UnsupportedEvent: the image does not hold the key.
        """
        table = self._table
        if missing := [table.columns[position].name for position in table.key if position not in image]:
            message = (
                f"A row event of {table.full_name} does not hold whole rows, and not {', '.join(missing)} of its key: "
                "binlog_row_image must be FULL in every session that writes."
            )
            raise UnsupportedEvent(message)
        try:
            return encode_key(table, [self._value(position, image[position], body) for position in table.key])
        except DataError:
            return None

    def _value(self, position: int, cell: _Cell, body: bytes) -> Any:
        if cell.at is None:
            return None
        column = self._table.columns[position]
        if cell.before is None:
            return self._decoders[position](body, cell.at)[0]
        plain = RULES[Kind.JSON].decode(column.plain)
        document, _ = plain(body, cell.before)
        size = column.plain.size_bytes
        start = cell.at + size
        data = body[start : start + int.from_bytes(body[cell.at : start], "little")]
        return changed(column, json_diff.apply(document, data))

    @staticmethod
    def _bad(operation: Operation, error: str, data: bytes, old_key: bytes | None = None) -> BadRow:
        """Keep a row as it came; what it would be read by later knows whole rows only."""
        return BadRow(operation, error, data, None, old_key)
