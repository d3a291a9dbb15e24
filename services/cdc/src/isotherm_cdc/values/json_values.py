"""JSON columns as BSON values (contract D9), from MySQL's binary form and from its text.

Text alone does not tell a DECIMAL from a DOUBLE: whoever reads text passes `is_decimal`, which knows the places of the
decimals in a document that has any.
"""

from __future__ import annotations

import base64
import json
import struct
from typing import TYPE_CHECKING, Any

from bson.int64 import Int64

from isotherm_cdc.errors import DataError
from isotherm_cdc.values import decimals

if TYPE_CHECKING:
    from collections.abc import Callable

Path = tuple[str | int, ...]

_LITERALS = {0: None, 1: True, 2: False}
_SMALL_OBJECT, _LARGE_OBJECT, _SMALL_ARRAY, _LARGE_ARRAY, _LITERAL = 0, 1, 2, 3, 4
_STRING, _OPAQUE = 0x0C, 0x0F
_NUMBERS = {
    0x05: struct.Struct("<h"),
    0x06: struct.Struct("<H"),
    0x07: struct.Struct("<i"),
    0x08: struct.Struct("<I"),
    0x09: struct.Struct("<q"),
    0x0A: struct.Struct("<Q"),
}
_DOUBLE = 0x0B
_TYPE_TIMESTAMP, _TYPE_DATE, _TYPE_TIME, _TYPE_DATETIME, _TYPE_DECIMAL = 7, 10, 11, 12, 246
_LARGEST_PRECISION = 81
"""Of a DECIMAL in JSON: of what it holds, with the digits before the point rounded up to whole groups of nine."""
_BASE64_LINE = 76
_DEEPEST = 100
_LONGEST_LENGTH_BITS = 35
_INLINE, _WIDE_INLINE = (4, 5, 6), (4, 5, 6, 7, 8)


def from_binary(data: bytes) -> Any:
    """Read a JSON column's bytes in a row event.

    Raises:
        DataError: the bytes are no JSON value.
    """
    if not data:
        return None
    try:
        return _Binary(data).value(data[0], 1, 0)
    except (IndexError, struct.error, KeyError, ValueError, RecursionError) as error:
        message = f"the bytes {data[:64].hex()}… are no binary JSON: {error!r}"
        raise DataError(message) from None


class _Binary:
    """A document in MySQL's form.

    What it says of itself is not trusted: parts that are used more than once would take time and memory without bound.
    """

    __slots__ = ("_data", "_left")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = len(data)

    def value(self, kind: int, at: int, depth: int) -> Any:
        """Read the value of a kind at a position."""
        data = self._data
        if kind <= _LARGE_ARRAY:
            return self._container(kind, at, depth)
        if kind == _LITERAL:
            return _LITERALS[data[at]]
        if (number := _NUMBERS.get(kind)) is not None:
            return decimals.unsigned(number.unpack_from(data, at)[0])
        if kind == _DOUBLE:
            return struct.unpack_from("<d", data, at)[0]
        if kind == _STRING:
            size, at = _variable_length(data, at)
            return self._slice(at, size).decode()
        if kind == _OPAQUE:
            size, start = _variable_length(data, at + 1)
            return _opaque(data[at], self._slice(start, size))
        message = f"unknown JSON type {kind:#x}"
        raise DataError(message)

    def _container(self, kind: int, base: int, depth: int) -> Any:
        if depth > _DEEPEST:
            message = "JSON nested too deeply"
            raise DataError(message)
        data = self._data
        wide = kind in (_LARGE_OBJECT, _LARGE_ARRAY)
        size, code = (4, "I") if wide else (2, "H")
        count, _ = struct.unpack_from(f"<2{code}", data, base)
        at = base + 2 * size
        self._use(count * (1 + size))
        names: list[str] = []
        if kind in (_SMALL_OBJECT, _LARGE_OBJECT):
            entry = struct.Struct(f"<{code}H")
            for _ in range(count):
                offset, length = entry.unpack_from(data, at)
                names.append(self._slice(base + offset, length).decode())
                at += entry.size
        inline = _WIDE_INLINE if wide else _INLINE
        offset_at = struct.Struct(f"<{code}").unpack_from
        values = []
        for _ in range(count):
            value_kind = data[at]
            where = at + 1 if value_kind in inline else base + offset_at(data, at + 1)[0]
            values.append(self.value(value_kind, where, depth + 1))
            at += 1 + size
        return dict(zip(names, values, strict=True)) if kind in (_SMALL_OBJECT, _LARGE_OBJECT) else values

    def _slice(self, at: int, size: int) -> bytes:
        self._use(size)
        if at + size > len(self._data):
            message = "JSON ends too early"
            raise DataError(message)
        return self._data[at : at + size]

    def _use(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            message = "JSON uses its parts more than once"
            raise DataError(message)


def _variable_length(data: bytes, at: int) -> tuple[int, int]:
    size = shift = 0
    while shift < _LONGEST_LENGTH_BITS:
        byte = data[at]
        at += 1
        size |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return size, at
        shift += 7
    message = "a length in JSON does not end"
    raise DataError(message)


def _opaque(kind: int, data: bytes) -> Any:
    if kind == _TYPE_DECIMAL:
        precision, scale = data[0], data[1]
        if not scale <= precision <= _LARGEST_PRECISION or scale > decimals.LARGEST_SCALE:
            message = f"a DECIMAL({precision},{scale}) in JSON"
            raise DataError(message)
        return _decimal(decimals.unpack(data[2:], precision, scale), scale)
    if kind in (_TYPE_DATE, _TYPE_DATETIME, _TYPE_TIMESTAMP, _TYPE_TIME):
        return _temporal(kind, int.from_bytes(data, "little", signed=True))
    text = base64.b64encode(data).decode()
    lines = [text[start : start + _BASE64_LINE] for start in range(0, len(text), _BASE64_LINE)]
    return f"base64:type{kind}:" + "\n".join(lines)


def _decimal(unscaled: int, scale: int) -> Any:
    """Return a DECIMAL; without digits after the point it is an integer like any other, for its text does not differ."""
    if not scale and -decimals.INT64_MAX - 1 <= unscaled <= decimals.INT64_MAX:
        return Int64(unscaled)
    fits = abs(unscaled) < 10**decimals.DECIMAL128_DIGITS
    return decimals.decimal128(unscaled, scale) if fits else decimals.to_text(unscaled, scale)


def _temporal(kind: int, packed: int) -> str:
    sign = "-" if packed < 0 else ""
    packed = abs(packed)
    microsecond, whole = packed & 0xFFFFFF, packed >> 24
    hour, minute, second = whole >> 12, whole >> 6 & 63, whole & 63
    if kind == _TYPE_TIME:
        return f"{sign}{hour & 0x3FF:02}:{minute:02}:{second:02}.{microsecond:06}"
    days = whole >> 17
    day, (year, month) = days & 31, divmod(days >> 5, 13)
    text = f"{year:04}-{month:02}-{day:02}"
    return text if kind == _TYPE_DATE else f"{text} {hour & 31:02}:{minute:02}:{second:02}.{microsecond:06}"


class _Number(str):
    """A number as it stands in the text."""

    __slots__ = ()


def from_text(text: str, is_decimal: Callable[[Path], bool] = lambda _: False) -> Any:
    """Read what MySQL prints for a JSON column.

    Args:
        text: the document.
        is_decimal: whether the number at a path is a DECIMAL.
    """
    return _convert(json.loads(text, parse_int=_Number, parse_float=_Number), (), is_decimal)


def number_paths(text: str) -> list[Path]:
    """Return where the document has numbers that may be DECIMAL or DOUBLE."""
    found: list[Path] = []

    def note(path: Path) -> bool:
        found.append(path)
        return False

    from_text(text, note)
    return found


def sql_path(path: Path) -> str:
    """Write a path in MySQL's notation."""
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{json.dumps(step)}" for step in path)


def _convert(value: Any, path: Path, is_decimal: Callable[[Path], bool]) -> Any:
    if isinstance(value, _Number):
        return _number(value, path, is_decimal)
    if isinstance(value, dict):
        return {name: _convert(item, (*path, name), is_decimal) for name, item in value.items()}
    if isinstance(value, list):
        return [_convert(item, (*path, index), is_decimal) for index, item in enumerate(value)]
    return value


def _number(text: str, path: Path, is_decimal: Callable[[Path], bool]) -> Any:
    if "e" in text or "E" in text:
        return float(text)
    if "." not in text:
        return _decimal(int(text), 0)
    if not is_decimal(path):
        return float(text)
    scale = len(text.partition(".")[2])
    return _decimal(decimals.parse(text, scale), scale)
