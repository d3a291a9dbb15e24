"""TABLE_MAP events: which table the row events that follow belong to, and everything known of its columns.

Needs `binlog_row_metadata=FULL` on the source: names, signedness, labels, character sets and the primary key come from
the event itself, so that no DDL has to be parsed and no ALTER TABLE can come between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isotherm_cdc.errors import SourceUnusable, UnsupportedEvent
from isotherm_cdc.values.charsets import label as text_of_label
from isotherm_cdc.values.columns import Column, Kind, Table
from isotherm_cdc.values.names import refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

_TINY, _SHORT, _LONG, _FLOAT, _DOUBLE, _LONGLONG, _INT24, _DATE, _YEAR = 1, 2, 3, 4, 5, 8, 9, 10, 13
_VARCHAR, _BIT, _TIMESTAMP2, _DATETIME2, _TIME2, _VECTOR, _BOOL = 15, 16, 17, 18, 19, 242, 244
_JSON, _NEWDECIMAL, _ENUM, _SET, _BLOB, _VAR_STRING, _STRING, _GEOMETRY = 245, 246, 247, 248, 252, 253, 254, 255
_INTEGERS = {_TINY: 1, _SHORT: 2, _INT24: 3, _LONG: 4, _LONGLONG: 8}
_NUMERIC = frozenset({*_INTEGERS, _FLOAT, _DOUBLE, _NEWDECIMAL, _YEAR})
_CHARACTER = frozenset({_STRING, _VAR_STRING, _VARCHAR, _BLOB, _VECTOR})
_LABELLED = frozenset({_ENUM, _SET})
_METADATA_BYTES = {
    _FLOAT: 1, _DOUBLE: 1, _VARCHAR: 2, _BIT: 2, _TIMESTAMP2: 1, _DATETIME2: 1, _TIME2: 1, _VECTOR: 1, _JSON: 1,
    _NEWDECIMAL: 2, _ENUM: 2, _SET: 2, _BLOB: 1, _VAR_STRING: 2, _STRING: 2, _GEOMETRY: 1,
}  # fmt: skip
_SIGNEDNESS, _DEFAULT_CHARSET, _COLUMN_CHARSET, _COLUMN_NAME, _SET_VALUES, _ENUM_VALUES = 1, 2, 3, 4, 5, 6
_SIMPLE_KEY, _KEY_WITH_PREFIX, _LABEL_DEFAULT_CHARSET, _LABEL_COLUMN_CHARSET = 8, 9, 10, 11
_BINARY_COLLATION = 63
_ONE_BYTE_LENGTH = 256
_PACKED_BYTES = {252: 2, 253: 3, 254: 8}


def table_name(body: bytes) -> tuple[int, str, str]:
    """Return the table id, the schema and the table of a TABLE_MAP event, without reading more of it."""
    schema_end = 9 + body[8]
    name_at = schema_end + 2
    return (
        int.from_bytes(body[:6], "little"),
        body[9:schema_end].decode(),
        body[name_at : name_at + body[schema_end + 1]].decode(),
    )


def parse(body: bytes, charsets: Mapping[int, str]) -> Table:
    """Read a TABLE_MAP event.

    Args:
        body: the event without its header and checksum.
        charsets: the character set of each collation's id.

    Raises:
        SourceUnusable: the source does not write full metadata, or MongoDB cannot have a collection for the table.
        UnsupportedEvent: a column's type is not known, or the event is broken.
    """
    try:
        return _parse(body, charsets)
    except (IndexError, KeyError, ValueError) as error:
        message = f"A table map cannot be read ({error!r}): {body[:200].hex()}"
        raise UnsupportedEvent(message) from error


def _parse(body: bytes, charsets: Mapping[int, str]) -> Table:
    _, schema, name = table_name(body)
    if (reason := refusal(schema, name)) is not None:
        raise SourceUnusable(reason)
    at = 9 + body[8]
    at += 2 + body[at + 1] + 1
    count, at = packed_integer(body, at)
    types = body[at : at + count]
    size, at = packed_integer(body, at + count)
    layouts = _column_layouts(types, body[at : at + size], f"{schema}.{name}")
    at += size + (count + 7) // 8
    return _build(schema, name, layouts, _Optional(body, at, [kind for kind, _ in layouts]), charsets)


def packed_integer(data: bytes, at: int) -> tuple[int, int]:
    """Read MySQL's length-encoded integer and return it with the position after it.

    Raises:
        UnsupportedEvent: there is none.
    """
    try:
        first = data[at]
        if first < 251:  # noqa: PLR2004 - the format's constant
            return first, at + 1
        size = _PACKED_BYTES[first]
    except (IndexError, KeyError):
        message = f"An event of {len(data)} bytes has no number at {at}."
        raise UnsupportedEvent(message) from None
    if at + 1 + size > len(data):
        message = f"An event of {len(data)} bytes ends within a number."
        raise UnsupportedEvent(message)
    return int.from_bytes(data[at + 1 : at + 1 + size], "little"), at + 1 + size


def _column_layouts(types: bytes, metadata: bytes, table: str) -> list[tuple[int, bytes]]:
    layouts: list[tuple[int, bytes]] = []
    at = 0
    for number, kind in enumerate(types):
        if kind not in _METADATA_BYTES and kind not in _INTEGERS and kind not in (_DATE, _YEAR):
            message = f"Column {number + 1} of {table} has type {kind}, which is not supported: exclude the table."
            raise UnsupportedEvent(message)
        size = _METADATA_BYTES.get(kind, 0)
        meta = metadata[at : at + size]
        at += size
        layouts.append((meta[0] if kind == _STRING and meta[0] in _LABELLED else kind, meta))
    return layouts


class _Optional:
    """The optional metadata at the end of the event."""

    def __init__(self, body: bytes, at: int, types: list[int]) -> None:
        self.names: list[str] = []
        self.key: tuple[int, ...] = ()
        self.unsigned: dict[int, bool] = {}
        self.collations: dict[int, int] = {}
        self.labels: dict[int, list[bytes]] = {}
        while at < len(body):
            field = body[at]
            size, at = packed_integer(body, at + 1)
            self._field(field, body[at : at + size], types)
            at += size

    def _field(self, field: int, data: bytes, types: list[int]) -> None:
        if field == _SIGNEDNESS:
            for number, position in enumerate(_positions(types, _NUMERIC)):
                self.unsigned[position] = bool(data[number // 8] << number % 8 & 0x80)
        elif field in (_DEFAULT_CHARSET, _LABEL_DEFAULT_CHARSET):
            positions = _positions(types, _CHARACTER if field == _DEFAULT_CHARSET else _LABELLED)
            default, *pairs = _integers(data)
            self.collations.update(dict.fromkeys(positions, default))
            self.collations.update(
                {positions[number]: collation for number, collation in zip(pairs[::2], pairs[1::2], strict=True)}
            )
        elif field in (_COLUMN_CHARSET, _LABEL_COLUMN_CHARSET):
            positions = _positions(types, _CHARACTER if field == _COLUMN_CHARSET else _LABELLED)
            self.collations.update(zip(positions, _integers(data), strict=True))
        elif field == _COLUMN_NAME:
            self.names = [name.decode() for name in _strings(data, 0, None)[0]]
        elif field in (_SET_VALUES, _ENUM_VALUES):
            at = 0
            for position in _positions(types, frozenset({_SET if field == _SET_VALUES else _ENUM})):
                count, at = packed_integer(data, at)
                self.labels[position], at = _strings(data, at, count)
        elif field == _SIMPLE_KEY:
            self.key = tuple(_integers(data))
        elif field == _KEY_WITH_PREFIX:
            self.key = tuple(_integers(data)[::2])


def _positions(types: list[int], wanted: frozenset[int]) -> list[int]:
    return [position for position, kind in enumerate(types) if kind in wanted]


def _integers(data: bytes) -> list[int]:
    result, at = [], 0
    while at < len(data):
        number, at = packed_integer(data, at)
        result.append(number)
    return result


def _strings(data: bytes, at: int, count: int | None) -> tuple[list[bytes], int]:
    result: list[bytes] = []
    while at < len(data) if count is None else len(result) < count:
        size, at = packed_integer(data, at)
        result.append(data[at : at + size])
        at += size
    return result, at


def _build(
    schema: str, name: str, layouts: list[tuple[int, bytes]], optional: _Optional, charsets: Mapping[int, str]
) -> Table:
    if len(optional.names) != len(layouts):
        message = (
            f"The binary log does not name the columns of {schema}.{name}: set binlog_row_metadata=FULL on the source."
        )
        raise SourceUnusable(message)
    if any(position >= len(layouts) for position in optional.key):
        message = f"The table map of {schema}.{name} has {len(layouts)} columns and a key of columns {optional.key}."
        raise UnsupportedEvent(message)
    columns = []
    for position, (kind, meta) in enumerate(layouts):
        collation = optional.collations.get(position, _BINARY_COLLATION)
        charset = charsets.get(collation)
        if charset is None:
            message = (
                f"{schema}.{name}.{optional.names[position]} has collation {collation}, which the source does not list."
            )
            raise UnsupportedEvent(message)
        columns.append(_column(optional.names[position], kind, meta, optional, position, charset))
    return Table(schema, name, tuple(columns), optional.key)


def _column(  # noqa: PLR0911 - one return for each family of types
    name: str, kind: int, meta: bytes, optional: _Optional, position: int, charset: str
) -> Column:
    if kind in _INTEGERS:
        return Column(name, Kind.INTEGER, _INTEGERS[kind], unsigned=optional.unsigned.get(position, False))
    if kind in _SIMPLE:
        return Column(name, _SIMPLE[kind])
    if kind == _NEWDECIMAL:
        return Column(name, Kind.DECIMAL, precision=meta[0], scale=meta[1])
    if kind in _TEMPORAL:
        return Column(name, _TEMPORAL[kind], fraction_digits=meta[0])
    if kind in _LABELLED:
        labels = tuple(text_of_label(label, charset) for label in optional.labels[position])
        return Column(name, Kind.ENUM if kind == _ENUM else Kind.SET, meta[1], charset=charset, labels=labels)
    if kind == _BIT:
        return Column(name, Kind.BIT, meta[1] + (meta[0] > 0))
    if kind in _PREFIXED:
        return Column(name, _PREFIXED[kind], meta[0])
    return _character_column(name, kind, meta, charset)


def _character_column(name: str, kind: int, meta: bytes, charset: str) -> Column:
    binary = charset == "binary"
    if kind == _BLOB:
        return Column(name, Kind.BYTES if binary else Kind.STRING, meta[0], charset=charset)
    length = int.from_bytes(meta, "little") if kind == _VARCHAR else meta[1] | (meta[0] & 48 ^ 48) << 4
    size = 1 if length < _ONE_BYTE_LENGTH else 2
    if not binary:
        return Column(name, Kind.STRING, size, charset=charset)
    if kind == _VARCHAR:
        return Column(name, Kind.BYTES, size, charset=charset)
    return Column(name, Kind.BINARY, size, length_bytes=length, charset=charset)


_SIMPLE = {_FLOAT: Kind.FLOAT, _DOUBLE: Kind.DOUBLE, _DATE: Kind.DATE, _YEAR: Kind.YEAR}
_TEMPORAL = {_TIMESTAMP2: Kind.TIMESTAMP, _DATETIME2: Kind.DATETIME, _TIME2: Kind.TIME}
_PREFIXED = {_JSON: Kind.JSON, _GEOMETRY: Kind.GEOMETRY, _VECTOR: Kind.VECTOR}
