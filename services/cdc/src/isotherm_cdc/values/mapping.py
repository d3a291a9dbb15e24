"""From MySQL's values to BSON's: the one table that both ways into MongoDB use (contracts D2 to D9).

Each kind of column has a `Rule`. Row events go through `Rule.decode`, rows that a snapshot selects go through
`Rule.select` and `Rule.convert`; what comes out is the same value.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import bson
from bson.binary import VECTOR_SUBTYPE, Binary
from bson.errors import InvalidDocument
from bson.int64 import Int64

from isotherm_cdc.errors import DataError
from isotherm_cdc.values import decimals, json_values, temporal
from isotherm_cdc.values.charsets import decoder as text_decoder
from isotherm_cdc.values.columns import Column, Kind, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

Decode = Callable[[bytes, int], tuple[Any, int]]
Convert = Callable[[bytes], Any]

_VECTOR_HEADER = b"\x27\x00"
_INT32_BYTES = 4
_SRID_BYTES = 4
_INTEGERS = {
    (1, False): struct.Struct("<b"),
    (1, True): struct.Struct("<B"),
    (2, False): struct.Struct("<h"),
    (2, True): struct.Struct("<H"),
    (4, False): struct.Struct("<i"),
    (4, True): struct.Struct("<I"),
    (8, False): struct.Struct("<q"),
    (8, True): struct.Struct("<Q"),
}


@dataclass(frozen=True)
class Rule:
    """How columns of one kind are read.

    Attributes:
        decode: given the column, the function that reads its value at a position of a row event and returns it with
            the position after it.
        extent: given the column, the function that returns the position after its value without reading it.
        convert: given the column, the function that reads what MySQL prints for `select`.
        select: the SQL expression to select, made from the column's quoted name.
        order: the SQL expression that the key is ordered and compared by, made from the column's quoted name.
    """

    decode: Callable[[Column], Decode]
    extent: Callable[[Column], Callable[[bytes, int], int]]
    convert: Callable[[Column], Convert]
    select: str = "{name}"
    order: str = "{name}"


def _fixed(size: Callable[[Column], int]) -> Callable[[Column], Callable[[bytes, int], int]]:
    def extent(column: Column) -> Callable[[bytes, int], int]:
        width = size(column)
        return lambda _, at: at + width

    return extent


def _decode_fixed(
    size: Callable[[Column], int], read: Callable[[Column], Callable[[bytes], Any]]
) -> Callable[[Column], Decode]:
    def decode(column: Column) -> Decode:
        width, convert = size(column), read(column)
        return lambda data, at: (convert(data[at : at + width]), at + width)

    return decode


def _integer_type(column: Column) -> Callable[[int], Any]:
    if column.size_bytes < _INT32_BYTES or (column.size_bytes == _INT32_BYTES and not column.unsigned):
        return int
    return decimals.unsigned if column.unsigned and column.size_bytes > _INT32_BYTES else Int64


def _decode_integer(column: Column) -> Decode:
    size, unsigned, wrap = column.size_bytes, column.unsigned, _integer_type(column)
    layout = _INTEGERS.get((size, unsigned))
    if layout is None:
        return lambda data, at: (int.from_bytes(data[at : at + size], "little", signed=not unsigned), at + size)
    unpack = layout.unpack_from
    if wrap is int:
        return lambda data, at: (unpack(data, at)[0], at + size)
    return lambda data, at: (wrap(unpack(data, at)[0]), at + size)


def _convert_integer(column: Column) -> Convert:
    wrap = _integer_type(column)
    return lambda text: wrap(int(text))


def _decode_real(layout: struct.Struct) -> Callable[[Column], Decode]:
    unpack, size = layout.unpack_from, layout.size
    return lambda _: lambda data, at: (unpack(data, at)[0], at + size)


def _decimal_size(column: Column) -> int:
    return decimals.packed_size(column.precision, column.scale)


def _read_decimal(column: Column) -> Callable[[bytes], Any]:
    precision, scale = column.precision, column.scale
    return lambda data: decimals.value(decimals.unpack(data, precision, scale), precision, scale)


def _convert_decimal(column: Column) -> Convert:
    precision, scale = column.precision, column.scale
    return lambda text: decimals.value(decimals.parse(text.decode(), scale), precision, scale)


def _read_year(_: Column) -> Callable[[bytes], Any]:
    return lambda data: data[0] + 1900 if data[0] else 0


def _read_bit(_: Column) -> Callable[[bytes], Any]:
    return lambda data: decimals.unsigned(int.from_bytes(data, "big"))


def _labelled(column: Column, index: int) -> str:
    if not index:
        return ""
    try:
        return column.labels[index - 1]
    except IndexError:
        message = f"{column.name}: ENUM index {index} has no label"
        raise DataError(message) from None


def _read_enum(column: Column) -> Callable[[bytes], Any]:
    return lambda data: _labelled(column, int.from_bytes(data, "little"))


def _read_set(column: Column) -> Callable[[bytes], Any]:
    labels = column.labels

    def read(data: bytes) -> list[str]:
        bits = int.from_bytes(data, "little")
        if bits >> len(labels):
            message = f"{column.name}: SET value {bits:#x} has no labels"
            raise DataError(message)
        return [label for position, label in enumerate(labels) if bits >> position & 1]

    return read


def _fraction_bytes(column: Column) -> int:
    return (column.fraction_digits + 1) // 2


def _microseconds(fraction: int, size: int) -> int:
    scale: int = 10 ** (6 - 2 * size)
    return fraction * scale


def _read_date(_: Column) -> Callable[[bytes], Any]:
    def read(data: bytes) -> Any:
        packed = int.from_bytes(data, "little")
        return temporal.date_value(packed >> 9, packed >> 5 & 15, packed & 31)

    return read


def _read_time(column: Column) -> Callable[[bytes], Any]:
    size = _fraction_bytes(column)
    offset = 0x800000 << 8 * size

    def read(data: bytes) -> Int64:
        signed = int.from_bytes(data, "big") - offset
        magnitude = abs(signed)
        whole, fraction = magnitude >> 8 * size, magnitude & (1 << 8 * size) - 1
        seconds = (whole >> 12 & 0x3FF) * 3600 + (whole >> 6 & 63) * 60 + (whole & 63)
        microseconds = seconds * 1_000_000 + _microseconds(fraction, size)
        return Int64(-microseconds if signed < 0 else microseconds)

    return read


def _read_datetime(column: Column) -> Callable[[bytes], Any]:
    size, digits = _fraction_bytes(column), column.fraction_digits

    def read(data: bytes) -> Any:
        whole = int.from_bytes(data[:5], "big") - 0x8000000000
        days, clock = whole >> 17, whole & 0x1FFFF
        year, month = divmod(days >> 5, 13)
        microsecond = _microseconds(int.from_bytes(data[5:], "big"), size)
        return temporal.datetime_value(
            year, month, days & 31, clock >> 12, clock >> 6 & 63, clock & 63, microsecond, digits
        )

    return read


def _read_timestamp(column: Column) -> Callable[[bytes], Any]:
    size, digits = _fraction_bytes(column), column.fraction_digits
    return lambda data: temporal.timestamp_value(
        int.from_bytes(data[:4], "big"), _microseconds(int.from_bytes(data[4:], "big"), size), digits
    )


def _convert_datetime(column: Column) -> Convert:
    digits = column.fraction_digits
    return lambda text: temporal.parse_datetime(text.decode(), digits)


def _extent_prefixed(column: Column) -> Callable[[bytes, int], int]:
    size = column.size_bytes
    if size == 1:
        return lambda data, at: at + 1 + data[at]
    return lambda data, at: at + size + int.from_bytes(data[at : at + size], "little")


def _decode_prefixed(read: Callable[[Column], Convert]) -> Callable[[Column], Decode]:
    def decode(column: Column) -> Decode:
        size, convert = column.size_bytes, read(column)

        def decode_value(data: bytes, at: int) -> tuple[Any, int]:
            start = at + size
            end = start + int.from_bytes(data[at:start], "little")
            return convert(data[start:end]), end

        return decode_value

    return decode


def _text(column: Column) -> Convert:
    return text_decoder(column.charset)


def _padded(column: Column) -> Convert:
    length = column.length_bytes
    return lambda data: data.ljust(length, b"\x00")


def _geometry(_: Column) -> Convert:
    return lambda data: {
        "srid": int.from_bytes(data[:_SRID_BYTES], "little", signed=True),
        "wkb": data[_SRID_BYTES:],
    }


def _convert_set(column: Column) -> Convert:
    decode = text_decoder(column.charset)

    def convert(data: bytes) -> list[str]:
        chosen = set(decode(data).split(","))
        return [label for label in column.labels if label in chosen] if data else []

    return convert


def _same(_: Column) -> Convert:
    return bytes


RULES: dict[Kind, Rule] = {
    Kind.INTEGER: Rule(_decode_integer, _fixed(lambda column: column.size_bytes), _convert_integer),
    Kind.FLOAT: Rule(
        _decode_real(struct.Struct("<f")),
        _fixed(lambda _: 4),
        lambda _: float,
        select="CAST({name} AS DOUBLE)",
        order="CAST({name} AS DOUBLE)",
    ),
    Kind.DOUBLE: Rule(
        _decode_real(struct.Struct("<d")), _fixed(lambda _: 8), lambda _: float, select="CAST({name} AS DOUBLE)"
    ),
    Kind.DECIMAL: Rule(_decode_fixed(_decimal_size, _read_decimal), _fixed(_decimal_size), _convert_decimal),
    Kind.DATE: Rule(
        _decode_fixed(lambda _: 3, _read_date),
        _fixed(lambda _: 3),
        lambda _: lambda text: temporal.parse_date(text.decode()),
    ),
    Kind.DATETIME: Rule(
        _decode_fixed(lambda column: 5 + _fraction_bytes(column), _read_datetime),
        _fixed(lambda column: 5 + _fraction_bytes(column)),
        _convert_datetime,
    ),
    Kind.TIMESTAMP: Rule(
        _decode_fixed(lambda column: 4 + _fraction_bytes(column), _read_timestamp),
        _fixed(lambda column: 4 + _fraction_bytes(column)),
        _convert_datetime,
    ),
    Kind.TIME: Rule(
        _decode_fixed(lambda column: 3 + _fraction_bytes(column), _read_time),
        _fixed(lambda column: 3 + _fraction_bytes(column)),
        lambda _: lambda text: temporal.parse_time(text.decode()),
    ),
    Kind.YEAR: Rule(_decode_fixed(lambda _: 1, _read_year), _fixed(lambda _: 1), lambda _: int),
    Kind.STRING: Rule(_decode_prefixed(_text), _extent_prefixed, _text),
    Kind.BINARY: Rule(_decode_prefixed(_padded), _extent_prefixed, _padded),
    Kind.BYTES: Rule(_decode_prefixed(_same), _extent_prefixed, _same),
    Kind.ENUM: Rule(
        _decode_fixed(lambda column: column.size_bytes, _read_enum),
        _fixed(lambda column: column.size_bytes),
        _text,
        order="{name}+0",
    ),
    Kind.SET: Rule(
        _decode_fixed(lambda column: column.size_bytes, _read_set),
        _fixed(lambda column: column.size_bytes),
        _convert_set,
        order="{name}+0",
    ),
    Kind.BIT: Rule(
        _decode_fixed(lambda column: column.size_bytes, _read_bit),
        _fixed(lambda column: column.size_bytes),
        lambda _: lambda text: decimals.unsigned(int(text)),
        select="{name}+0",
        order="{name}+0",
    ),
    Kind.JSON: Rule(
        _decode_prefixed(lambda _: json_values.from_binary),
        _extent_prefixed,
        lambda _: lambda text: json_values.from_text(text.decode()),
    ),
    Kind.GEOMETRY: Rule(_decode_prefixed(_geometry), _extent_prefixed, _geometry),
    Kind.VECTOR: Rule(
        _decode_prefixed(lambda _: lambda data: Binary(_VECTOR_HEADER + data, VECTOR_SUBTYPE)),
        _extent_prefixed,
        lambda _: lambda data: Binary(_VECTOR_HEADER + data, VECTOR_SUBTYPE),
    ),
}
"""What stands in docs/type-mapping.md."""


def encode_key(table: Table, values: Sequence[Any]) -> bytes:
    """Return the BSON document `{_id: …}` of a row (contract D2); `values` are its key columns' in key order."""
    if len(table.key) == 1:
        return _encode({"_id": values[0]})
    names = (table.columns[position].name for position in table.key)
    return _encode({"_id": dict(zip(names, values, strict=True))})


def encode_elements(key: bytes, names: Sequence[str], values: Sequence[Any]) -> bytes:
    """Return the BSON elements of a row's document without its frame, so that `_cdc` can be put after them (D3)."""
    return key[4:-1] + _encode(dict(zip(names, values, strict=True)))[4:-1]


def _encode(document: dict[str, Any]) -> bytes:
    try:
        return bson.encode(document)
    except (InvalidDocument, OverflowError, UnicodeEncodeError, ValueError, RecursionError) as error:
        message = f"BSON cannot hold the row: {error}"
        raise DataError(message) from None
