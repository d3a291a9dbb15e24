"""What an override makes of a value."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import bson
from bson.binary import Binary
from bson.decimal128 import Decimal128

from isotherm_cdc.values import decimals
from isotherm_cdc.values.columns import Action, Column, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

Change = Callable[[Any], Any]

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - BSON dates are read naive
_SECOND_US = 1_000_000
_DAY_CHARACTERS = 10
_MOMENT_CHARACTERS = 19


@dataclass(frozen=True)
class ActionRule:
    """One action.

    Attributes:
        make: given the column and the action, the function of the value; it is not given NULL.
        kinds: the kinds of columns that it is for.
        help: what it does, for the documentation.
        has_length: whether it is written with `:length`.
        keeps_keys_apart: whether different values stay different, so that a key's column may have it.
    """

    make: Callable[[Column, Action], Change]
    kinds: frozenset[Kind]
    help: str
    has_length: bool = False
    keeps_keys_apart: bool = False


def change(column: Column) -> Change:
    """Return the function that turns the plain value of an overridden column into what is wanted.

    It is not called for NULL: where it meets None, that is the `null` of a JSON document.
    """
    assert column.source is not None
    assert column.action is not None
    return ACTIONS[column.action.name].make(column.source, column.action)


def text_of(column: Column) -> Change:
    """Return the function that writes a column's value as MySQL prints it; what is text or bytes stays as it is."""
    digits = column.fraction_digits

    def write(value: Any) -> Any:  # noqa: PLR0911 - one return for each kind
        if column.kind is Kind.JSON:
            return _json_text(value)
        if isinstance(value, str | bytes):
            return value
        if isinstance(value, Decimal128):
            return format(value.to_decimal(), "f")
        if column.kind is Kind.SET:
            return ",".join(value) if all(isinstance(label, str) for label in value) else value
        if column.kind is Kind.FLOAT:
            return _shortest_float32(value)
        if column.kind is Kind.DATE:
            return _isoformat(value)[:_DAY_CHARACTERS]
        if column.kind in (Kind.DATETIME, Kind.TIMESTAMP):
            moment = value if isinstance(value, datetime) else _EPOCH + timedelta(microseconds=value)
            return _isoformat(moment)[: _MOMENT_CHARACTERS + (digits + 1 if digits else 0)]
        if column.kind is Kind.TIME:
            return _time_text(int(value), digits)
        return f"{value:04}" if column.kind is Kind.YEAR else repr(value) if isinstance(value, float) else str(value)

    return write


def _isoformat(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="microseconds")


def _time_text(microseconds: int, digits: int) -> str:
    seconds, fraction = divmod(abs(microseconds), _SECOND_US)
    text = f"{'-' if microseconds < 0 else ''}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{text}.{fraction:06}"[: len(text) + 1 + digits] if digits else text


def _shortest_float32(value: float) -> str:
    for precision in range(1, 9):
        text = f"{value:.{precision}g}"
        # Rounded up, the largest numbers are none that a FLOAT can hold.
        with contextlib.suppress(OverflowError):
            if struct.pack("<f", float(text)) == struct.pack("<f", value):
                return repr(float(text))
    return repr(float(f"{value:.9g}"))


def _json_text(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_json_text(name)}: {_json_text(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_json_text, value)) + "]"
    if isinstance(value, Decimal128):
        return format(value.to_decimal(), "f")
    return (
        str(int(value))
        if isinstance(value, int) and not isinstance(value, bool)
        else json.dumps(value, ensure_ascii=False)
    )


def _hash(column: Column, action: Action) -> Change:
    write = text_of(column)

    def digest(value: Any) -> str:
        text = write(value)
        plain = text.encode() if isinstance(text, str) else text if isinstance(text, bytes) else bson.encode({"": text})
        return hashlib.sha256(action.salt + plain).hexdigest()

    return digest


def _mask(_: Column, action: Action) -> Change:
    stars = "*" * action.length
    return lambda _: stars


def _truncate(_: Column, action: Action) -> Change:
    def cut(value: Any) -> Any:
        short = value[: action.length]
        return Binary(short, value.subtype) if isinstance(value, Binary) else short

    return cut


def _double(column: Column, _: Action) -> Change:
    if column.kind is Kind.DECIMAL:
        return lambda value: float(value if isinstance(value, str) else value.to_decimal())
    return lambda value: float(value.to_decimal() if isinstance(value, Decimal128) else value)


def _date(_: Column, __: Action) -> Change:
    def to_date(value: Any) -> Any:
        return _EPOCH + timedelta(microseconds=value) if isinstance(value, int) else value

    return to_date


def _bool(_: Column, __: Action) -> Change:
    return lambda value: value != decimals.unsigned(0)


def _hex(_: Column, __: Action) -> Change:
    return lambda value: bytes(value).hex()


def _base64(_: Column, __: Action) -> Change:
    return lambda value: base64.b64encode(value).decode()


def _kinds(kinds: Iterable[Kind]) -> frozenset[Kind]:
    return frozenset(kinds)


_ALL = _kinds(kind for kind in Kind if kind not in (Kind.OVERRIDDEN, Kind.EXCLUDED))
_BYTES = _kinds((Kind.BINARY, Kind.BYTES))
_TEXT_OR_BYTES = _BYTES | {Kind.STRING}

ACTIONS: dict[str, ActionRule] = {
    "exclude": ActionRule(
        lambda _, __: lambda _: None, _ALL, "The column is not in the documents and is not selected."
    ),
    "hash": ActionRule(
        _hash, _ALL, "SHA-256, as 64 hexadecimal digits, of CDC_COLUMN_HASH_SALT and the value as text or bytes."
    ),
    "mask": ActionRule(_mask, _ALL, "A string of `length` asterisks, whatever the value is.", has_length=True),
    "truncate": ActionRule(
        _truncate, _TEXT_OR_BYTES, "The first `length` characters of text, or bytes of binary data.", has_length=True
    ),
    "string": ActionRule(
        lambda column, _: text_of(column),
        _ALL - _BYTES - {Kind.GEOMETRY, Kind.VECTOR},
        "A string: as MySQL prints the value, but FLOAT and DOUBLE, also in JSON, as the shortest digits that lead back to it "
        "(`1.0`, `0.1`, `1e+300`), and without the digits that (M,D) and ZEROFILL ask for.",
        keeps_keys_apart=True,
    ),
    "double": ActionRule(
        _double, _kinds((Kind.DECIMAL, Kind.INTEGER, Kind.BIT)), "A double: digits after the 15th may be lost."
    ),
    "date": ActionRule(
        _date,
        _kinds((Kind.DATE, Kind.DATETIME, Kind.TIMESTAMP)),
        "A BSON date also with 4 to 6 fractional digits: what is below a millisecond is lost.",
    ),
    "bool": ActionRule(_bool, _kinds((Kind.INTEGER, Kind.BIT)), "A boolean: whether the value is not 0."),
    "hex": ActionRule(_hex, _BYTES, "A string of hexadecimal digits.", keeps_keys_apart=True),
    "base64": ActionRule(_base64, _BYTES, "A string in base64.", keeps_keys_apart=True),
}
"""What stands in docs/type-mapping.md."""
