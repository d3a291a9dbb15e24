"""How the bytes of a row event become values, one function for each kind of column that has its own form."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bson.binary import VECTOR_SUBTYPE, Binary
from bson.int64 import Int64

from isotherm_cdc.errors import DataError
from isotherm_cdc.values import decimals, temporal

if TYPE_CHECKING:
    from isotherm_cdc.values.columns import Column

Decode = Callable[[bytes, int], tuple[Any, int]]
Convert = Callable[[bytes], Any]
Extent = Callable[[bytes, int], int]

_VECTOR_HEADER = b"\x27\x00"
_FLOAT_BYTES = 4
_INT32_BYTES = 4
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


def fixed(size: Callable[[Column], int]) -> Callable[[Column], Extent]:
    """Return the extent of values of a fixed width."""

    def extent(column: Column) -> Extent:
        width = size(column)
        return lambda _, at: at + width

    return extent


def decode_fixed(size: Callable[[Column], int], read: Callable[[Column], Convert]) -> Callable[[Column], Decode]:
    """Return the decoding of values of a fixed width."""

    def decode(column: Column) -> Decode:
        width, convert = size(column), read(column)
        return lambda data, at: (convert(data[at : at + width]), at + width)

    return decode


def prefixed(column: Column) -> Extent:
    """Return the extent of values with their length before them."""
    size = column.size_bytes
    if size == 1:
        return lambda data, at: at + 1 + data[at]
    return lambda data, at: at + size + int.from_bytes(data[at : at + size], "little")


def decode_prefixed(read: Callable[[Column], Convert]) -> Callable[[Column], Decode]:
    """Return the decoding of values with their length before them."""

    def decode(column: Column) -> Decode:
        size, convert = column.size_bytes, read(column)

        def decode_value(data: bytes, at: int) -> tuple[Any, int]:
            start = at + size
            end = start + int.from_bytes(data[at:start], "little")
            if end > len(data):
                raise IndexError
            return convert(data[start:end]), end

        return decode_value

    return decode


def integer_type(column: Column) -> Callable[[int], Any]:
    """Return what an integer column's values are made with (contract D5)."""
    if column.size_bytes < _INT32_BYTES or (column.size_bytes == _INT32_BYTES and not column.unsigned):
        return int
    return decimals.unsigned if column.unsigned and column.size_bytes > _INT32_BYTES else Int64


def integer(column: Column) -> Decode:
    """Decode an integer."""
    size, unsigned, wrap = column.size_bytes, column.unsigned, integer_type(column)
    layout = _INTEGERS.get((size, unsigned))
    if layout is None:
        return lambda data, at: (int.from_bytes(data[at : at + size], "little", signed=not unsigned), at + size)
    unpack = layout.unpack_from
    if wrap is int:
        return lambda data, at: (unpack(data, at)[0], at + size)
    return lambda data, at: (wrap(unpack(data, at)[0]), at + size)


def real(layout: struct.Struct) -> Callable[[Column], Decode]:
    """Decode a FLOAT or DOUBLE."""
    unpack, size = layout.unpack_from, layout.size
    return lambda _: lambda data, at: (unpack(data, at)[0], at + size)


def decimal_bytes(column: Column) -> int:
    """Return how many bytes a DECIMAL takes."""
    return decimals.packed_size(column.precision, column.scale)


def decimal(column: Column) -> Convert:
    """Read a DECIMAL."""
    precision, scale = column.precision, column.scale
    return lambda data: decimals.value(decimals.unpack(data, precision, scale), precision, scale)


def year(_: Column) -> Convert:
    """Read a YEAR."""
    return lambda data: data[0] + 1900 if data[0] else 0


def bit(_: Column) -> Convert:
    """Read a BIT."""
    return lambda data: decimals.unsigned(int.from_bytes(data, "big"))


def enum_index(column: Column) -> Callable[[int], Any]:
    """Turn an ENUM's index into its label; index 0, an invalid value, is "" or, if that is a label too, the integer 0."""
    labels = column.labels
    invalid: Any = 0 if "" in labels else ""

    def label(index: int) -> Any:
        if not index:
            return invalid
        try:
            return labels[index - 1]
        except IndexError:
            message = f"{column.name}: ENUM index {index} has no label"
            raise DataError(message) from None

    return label


class Numbered(list[Any]):
    """Labels of a SET that has the empty string for one: what MySQL prints of them does not tell them from others.

    Attributes:
        number: their bits.
    """

    __slots__ = ("number",)
    number: int


def set_bits(column: Column) -> Callable[[int], Any]:
    """Turn a SET's bits into the labels of its members."""
    labels = column.labels

    def members(bits: int) -> list[Any]:
        if bits >> len(labels):
            message = f"{column.name}: SET value {bits:#x} has no labels"
            raise DataError(message)
        return [label for position, label in enumerate(labels) if bits >> position & 1]

    def numbered(bits: int) -> list[Any]:
        found = Numbered(members(bits))
        found.number = bits
        return found

    return numbered if "" in labels else members


def fraction_bytes(column: Column) -> int:
    """Return how many bytes the fraction of a TIME, DATETIME or TIMESTAMP takes."""
    return (column.fraction_digits + 1) // 2


def _microseconds(fraction: int, size: int) -> int:
    scale: int = 10 ** (6 - 2 * size)
    return fraction * scale


def date(_: Column) -> Convert:
    """Read a DATE."""

    def read(data: bytes) -> Any:
        packed = int.from_bytes(data, "little")
        return temporal.date_value(packed >> 9, packed >> 5 & 15, packed & 31)

    return read


def time(column: Column) -> Convert:
    """Read a TIME."""
    size = fraction_bytes(column)
    offset = 0x800000 << 8 * size

    def read(data: bytes) -> Int64:
        signed = int.from_bytes(data, "big") - offset
        magnitude = abs(signed)
        whole, fraction = magnitude >> 8 * size, magnitude & (1 << 8 * size) - 1
        seconds = (whole >> 12 & 0x3FF) * 3600 + (whole >> 6 & 63) * 60 + (whole & 63)
        microseconds = seconds * 1_000_000 + _microseconds(fraction, size)
        return Int64(-microseconds if signed < 0 else microseconds)

    return read


def datetime(column: Column) -> Convert:
    """Read a DATETIME."""
    size, digits = fraction_bytes(column), column.fraction_digits

    def read(data: bytes) -> Any:
        whole = int.from_bytes(data[:5], "big") - 0x8000000000
        days, clock = whole >> 17, whole & 0x1FFFF
        year_number, month = divmod(days >> 5, 13)
        microsecond = _microseconds(int.from_bytes(data[5:], "big"), size)
        return temporal.datetime_value(
            year_number, month, days & 31, clock >> 12, clock >> 6 & 63, clock & 63, microsecond, digits
        )

    return read


def timestamp(column: Column) -> Convert:
    """Read a TIMESTAMP."""
    size, digits = fraction_bytes(column), column.fraction_digits
    return lambda data: temporal.timestamp_value(
        int.from_bytes(data[:4], "big"), _microseconds(int.from_bytes(data[4:], "big"), size), digits
    )


def padded(column: Column) -> Convert:
    """Read a BINARY, whose zero bytes at the end are not stored."""
    length = column.length_bytes
    return lambda data: data.ljust(length, b"\x00")


def vector(column: Column) -> Convert:
    """Read a VECTOR."""

    def read(data: bytes) -> Binary:
        if len(data) % _FLOAT_BYTES:
            message = f"{column.name}: a VECTOR of {len(data)} bytes"
            raise DataError(message)
        return Binary(_VECTOR_HEADER + data, VECTOR_SUBTYPE)

    return read
