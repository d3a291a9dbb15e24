"""How each kind of column is read from a row event and written as BSON, as lines of source text for `codegen`.

Only what is plain is written here; the lines raise `NotPlainError` for the rest (a zero date, text that is none, a number
that BSON has no integer for), and a column whose kind is not known here is read by its rule.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import bson

from isotherm_cdc.binlog.element_code import (
    ARRAY,
    BINARY,
    DATE,
    DECIMAL,
    DOUBLE,
    INT32,
    INT64,
    STRING,
    Code,
    Memo,
    NotPlainError,
)
from isotherm_cdc.binlog.moment_code import clock_us, datetime_code, day_us, time_code, timestamp_code
from isotherm_cdc.values.columns import Column, Kind
from isotherm_cdc.values.decimals import DECIMAL128_DIGITS, packed_size
from isotherm_cdc.values.mapping import RULES

if TYPE_CHECKING:
    from collections.abc import Callable

_DIGITS_BYTES = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)
_GROUP = 9
_INT64_DIGITS = 18
_DECIMAL_BIAS = 6176
_SMALL = 256
_ASCII_COMPATIBLE = frozenset({"latin1", "ascii"})
_UTF8 = frozenset({"utf8mb4", "utf8mb3", "utf8"})


_MEMORISED = {
    Kind.DATE: DATE, Kind.YEAR: INT32, Kind.ENUM: STRING, Kind.SET: ARRAY,
}  # fmt: skip


def _by_rule(column: Column, bson_type: int) -> Callable[[bytes], bytes]:
    """Return the function that has the column's rule make the BSON of a value; the type must be the usual one."""
    decode = RULES[column.kind].decode(column)

    def encode(raw: bytes) -> bytes:
        encoded = bson.encode({"": decode(raw, 0)[0]})
        if encoded[4] != bson_type:
            raise NotPlainError
        return encoded[6:-1]

    return encode


def _integer(column: Column, _: int) -> Code:
    size = column.size_bytes
    if column.unsigned:
        if size == 8:  # noqa: PLR2004 - bytes
            return Code(INT64, ["{v}"], "8s", 8, ["if {v}[7] > 127: raise NotPlainError"])
        wide = 8 if size == 4 else 4  # noqa: PLR2004 - bytes
        return Code(INT64 if wide == 8 else INT32, ["{v}", bytes(wide - size)], f"{size}s", size)  # noqa: PLR2004
    if size == 1:
        return Code(INT32, ["tiny[{v}]"], "b", 1)
    if size == 2:  # noqa: PLR2004 - bytes
        return Code(INT32, ["int32({v})"], "h", 2)
    if size == 3:  # noqa: PLR2004 - bytes
        return Code(INT32, ["{v}", "(b'\\xff' if {v}[2] > 127 else b'\\0')"], "3s", 3)
    return Code(INT32 if size == 4 else INT64, ["{v}"], f"{size}s", size)  # noqa: PLR2004


def _bit(column: Column, _: int) -> Code:
    size = column.size_bytes
    checks = ["if {v}[0] > 127: raise NotPlainError"] if size == 8 else []  # noqa: PLR2004 - bytes
    return Code(INT64, ["{v}[::-1]", bytes(8 - size)], f"{size}s", size, checks)


def _decimal(column: Column, position: int) -> Code | None:
    """Read the groups of nine digits from one whole number, and write Decimal128's two halves."""
    precision, scale = column.precision, column.scale
    if precision > DECIMAL128_DIGITS:
        return None
    size = packed_size(precision, scale)
    whole_groups, whole_rest = divmod(precision - scale, _GROUP)
    groups, rest = divmod(scale, _GROUP)
    digits = [whole_rest, *[_GROUP] * (whole_groups + groups), rest]
    terms: list[str] = []
    shift = power = 0
    for number in reversed(digits):
        width = 8 * _DIGITS_BYTES[number]
        if width:
            term = f"n >> {shift} & {(1 << width) - 1}" if shift else f"n & {(1 << width) - 1}"
            terms.append(f"({term}) * {10**power}" if power else f"({term})")
        shift += width
        power += number
    top = 1 << 8 * size - 1
    plus = (_DECIMAL_BIAS - scale) << 49
    magnitude = " + ".join(terms)
    w = f"w{position}"
    large = precision > _INT64_DIGITS
    low, high = (f"n & {(1 << 64) - 1}", " | n >> 64") if large else ("n", "")
    lines = [
        "n = from_bytes({v})",
        f"if n >= {top}:",
        f"    n -= {top}",
        f"    n = {magnitude}",
        f"    {w} = pair({low}, {plus}{high})",
        "else:",
        f"    n = {top - 1} - n",
        f"    n = {magnitude}",
        f"    {w} = pair({low}, ({plus | 1 << 63} if n else {plus}){high})",
    ]
    return Code(DECIMAL, [w], f"{size}s", size, lines)


def _string(column: Column, position: int) -> Code | None:
    if column.charset in _UTF8:
        check = "if not {v}.isascii(): {v}.decode()"
    elif column.charset in _ASCII_COMPATIBLE:
        check = "if not {v}.isascii(): raise NotPlainError"
    else:
        return None
    size = column.size_bytes
    length = f"lengths[n{position}]" if size == 1 else f"int32(n{position} + 1)"
    return Code(STRING, [length, "{v}", b"\0"], "", size, [f"n{position} = n", check])


def _bytes(column: Column, position: int) -> Code:
    return Code(BINARY, [f"blob(n{position})", "{v}"], "", column.size_bytes, [f"n{position} = n"])


def _binary(column: Column, position: int) -> Code:
    width, w = column.length_bytes, f"w{position}"
    lines = [f"if n > {width}: raise NotPlainError", f"{w} = {{v}}.ljust({width}, b'\\0')"]
    return Code(BINARY, [struct.pack("<ix", width), w], "", column.size_bytes, lines)


def _double(_: Column, __: int) -> Code:
    return Code(DOUBLE, ["{v}"], "8s", 8)


def _float(_: Column, __: int) -> Code:
    return Code(DOUBLE, ["double({v})"], "f", 4)


def _memorised(column: Column, position: int) -> Code:
    """Have the rule encode each value once."""
    size = RULES[column.kind].extent(column)(b"", 0)
    bson_type = _MEMORISED[column.kind]
    memo = Memo(_by_rule(column, bson_type))
    w = f"w{position}"
    return Code(bson_type, [w], f"{size}s", size, [f"{w} = m{position}[{{v}}]"], {f"m{position}": memo})


def by_rule(position: int, name: str) -> Code:
    """Return how a column is read by its rule and written by the BSON encoder."""
    w = f"w{position}"
    lines = [f"{w} = e{position}({{v}})"]
    return Code(0, [w], "", 0, lines, {f"e{position}": lambda value: bson.encode({name: value})[4:-1]})


_FAMILIES: dict[Kind, Callable[[Column, int], Code | None]] = {
    Kind.INTEGER: _integer,
    Kind.BIT: _bit,
    Kind.DOUBLE: _double,
    Kind.FLOAT: _float,
    Kind.DECIMAL: _decimal,
    Kind.DATETIME: datetime_code,
    Kind.TIMESTAMP: timestamp_code,
    Kind.TIME: time_code,
    Kind.DATE: _memorised,
    Kind.YEAR: _memorised,
    Kind.ENUM: _memorised,
    Kind.SET: _memorised,
    Kind.STRING: _string,
    Kind.BYTES: _bytes,
    Kind.BINARY: _binary,
}


def code_of(column: Column, position: int) -> Code | None:
    """Return how a column is read and written; None when only its rule can."""
    family = _FAMILIES.get(column.kind)
    return None if family is None else family(column, position)


SCOPE: dict[str, Any] = {
    "join": b"".join,
    "int32": struct.Struct("<i").pack,
    "int64": struct.Struct("<q").pack,
    "double": struct.Struct("<d").pack,
    "pair": struct.Struct("<QQ").pack,
    "blob": struct.Struct("<ix").pack,
    "from_bytes": int.from_bytes,
    "lengths": [struct.pack("<i", size + 1) for size in range(_SMALL)],
    "tiny": [struct.pack("<i", number - _SMALL * (number > 127)) for number in range(_SMALL)],  # noqa: PLR2004
    "days": Memo(day_us),
    "clock": Memo(clock_us),
    "NotPlainError": NotPlainError,
}
"""What the lines use."""
