"""Each column once more, another way: MySQL itself renders the value as text, and the document's value is held against it.

Nothing of `values` is used for what is compared, so that a mistake there is found whichever way the row came.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from bson import Decimal128

from isotherm_cdc.values.columns import Column, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

Same = tuple[str, "Callable[[Column, str, Any], bool]"]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VECTOR_HEADER_BYTES = 2
_LARGEST_DECIMAL_DIGITS = 34
_ZEROFILL = re.compile(r"^0+(?=\d)")


def expression(column: Column, name: str) -> str:
    """Return what MySQL is asked for, given the column's quoted name."""
    return _RENDERINGS[column.kind][0].format(name=name)


def same(column: Column, text: str | None, value: Any) -> bool:
    """Whether a document's value is what MySQL has rendered."""
    if text is None or value is None:
        return value is None and (text is None or (column.kind is Kind.JSON and text == "null"))
    try:
        return _RENDERINGS[column.kind][1](column, text, value)
    except (TypeError, ValueError, AttributeError, KeyError, OverflowError, InvalidOperation):
        return False


def shown(column: Column, text: str | None) -> str:
    """Write MySQL's value for people."""
    if text is None:
        return "NULL"
    if column.kind in (Kind.STRING, Kind.SET):
        return repr(bytes.fromhex(text.partition(" ")[0]).decode("utf-8", "replace"))
    if column.kind is Kind.ENUM:
        return repr(bytes.fromhex(text.partition(" ")[2]).decode("utf-8", "replace"))
    if column.kind in (Kind.BINARY, Kind.BYTES, Kind.GEOMETRY, Kind.VECTOR):
        return f"x'{text}'"
    return repr(text)


def is_compared(column: Column) -> bool:
    """Whether the column can be compared: not when a setting changes it or leaves it out."""
    return column.kind in _RENDERINGS


def _number(_: Column, text: str, value: Any) -> bool:
    if isinstance(value, Decimal128):
        return f"{value.to_decimal():f}" == text
    return isinstance(value, int) and not isinstance(value, bool) and str(int(value)) == text


def _decimal(_: Column, text: str, value: Any) -> bool:
    return (value if isinstance(value, str) else f"{value.to_decimal():f}") == _ZEROFILL.sub("", text)


def _real(_: Column, text: str, value: Any) -> bool:
    return isinstance(value, float) and repr(float(text)) == repr(value)


def _moment(column: Column, text: str, value: Any) -> bool:
    if isinstance(value, str):
        return value == text
    digits = column.fraction_digits
    moment = value if isinstance(value, datetime) else _EPOCH + timedelta(microseconds=int(value))
    day = f"{moment.year:04}-{moment.month:02}-{moment.day:02}"
    clock = f" {moment.hour:02}:{moment.minute:02}:{moment.second:02}"
    if column.kind is Kind.DATE:
        return f"{day}{clock}" == f"{text} 00:00:00"
    fraction = f".{moment.microsecond:06}"[: digits + 1] if digits else ""
    return day + clock + fraction == text


def _time(_: Column, text: str, value: Any) -> bool:
    hours, minutes, seconds = text.lstrip("-").split(":")
    whole = Decimal(int(hours) * 3600 + int(minutes) * 60) + Decimal(seconds)
    return int(value) == int((-whole if text.startswith("-") else whole) * 1_000_000)


def _text(_: Column, text: str, value: Any) -> bool:
    converted, __, stored = text.partition(" ")
    if isinstance(value, str):
        return value.encode().hex().upper() == converted
    return bytes(value).hex().upper() == stored


def _enum(_: Column, text: str, value: Any) -> bool:
    index, __, label = text.partition(" ")
    if isinstance(value, str):
        return value.encode().hex().upper() == label
    return index == "0" and value == 0


def _set(column: Column, text: str, value: Any) -> bool:
    """Compare the labels but for an empty one, whose place MySQL's text does not show: its bit does."""
    printed, __, number = text.partition(" ")
    shown = [part for part in bytes.fromhex(printed).decode().split(",") if part]
    has_empty = "" in column.labels and bool(int(number) >> column.labels.index("") & 1)
    return [label for label in value if label] == shown and ("" in value) == has_empty


def _bytes(_: Column, text: str, value: Any) -> bool:
    return bytes(value).hex().upper() == text


def _geometry(_: Column, text: str, value: Any) -> bool:
    stored = int(value["srid"]).to_bytes(4, "little", signed=True) + bytes(value["wkb"])
    return stored.hex().upper() == text


def _vector(_: Column, text: str, value: Any) -> bool:
    return bytes(value)[_VECTOR_HEADER_BYTES:].hex().upper() == text


def _json(_: Column, text: str, value: Any) -> bool:
    return _same_json(json.loads(text, parse_float=Decimal), value)


def _same_json(expected: Any, value: Any) -> bool:
    if isinstance(expected, dict):
        return (
            isinstance(value, dict)
            and expected.keys() == value.keys()
            and all(_same_json(part, value[name]) for name, part in expected.items())
        )
    if isinstance(expected, list):
        return isinstance(value, list) and len(expected) == len(value) and all(map(_same_json, expected, value))
    if isinstance(expected, bool) or expected is None or isinstance(expected, str):
        return type(expected) is type(value) and bool(expected == value)
    return _same_number(Decimal(expected), value)


def _same_number(expected: Decimal, value: Any) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, float):
        return float(expected) == value
    if isinstance(value, str):
        return len(expected.as_tuple().digits) > _LARGEST_DECIMAL_DIGITS and Decimal(value) == expected
    return Decimal(value.to_decimal() if isinstance(value, Decimal128) else int(value)) == expected


_AS_TEXT = "CAST({name} AS CHAR)"
_AS_PLAIN_NUMBER = "CAST({name} + 0 AS CHAR)"
"""Without the zeros of ZEROFILL."""
_AS_DOUBLE = "CAST({name} AS DOUBLE)"
"""With every digit: CAST … AS CHAR has 22 characters at most, and those of DOUBLE(10,2) two digits after the point."""
_AS_HEX = "HEX({name})"
_AS_UTF8 = "HEX(CONVERT({name} USING utf8mb4))"
_RENDERINGS: dict[Kind, Same] = {
    Kind.INTEGER: (_AS_PLAIN_NUMBER, _number),
    Kind.YEAR: (_AS_PLAIN_NUMBER, _number),
    Kind.BIT: (_AS_PLAIN_NUMBER, _number),
    Kind.DECIMAL: (_AS_TEXT, _decimal),
    Kind.FLOAT: (_AS_DOUBLE, _real),
    Kind.DOUBLE: (_AS_DOUBLE, _real),
    Kind.DATE: (_AS_TEXT, _moment),
    Kind.DATETIME: (_AS_TEXT, _moment),
    Kind.TIMESTAMP: (_AS_TEXT, _moment),
    Kind.TIME: (_AS_TEXT, _time),
    Kind.STRING: (f"CONCAT({_AS_UTF8}, ' ', {_AS_HEX})", _text),
    Kind.ENUM: (f"CONCAT({{name}} + 0, ' ', {_AS_UTF8})", _enum),
    Kind.SET: (f"CONCAT({_AS_UTF8}, ' ', CAST({{name}} AS UNSIGNED))", _set),
    Kind.BINARY: (_AS_HEX, _bytes),
    Kind.BYTES: (_AS_HEX, _bytes),
    Kind.JSON: (_AS_TEXT, _json),
    Kind.GEOMETRY: (_AS_HEX, _geometry),
    Kind.VECTOR: (_AS_HEX, _vector),
}
