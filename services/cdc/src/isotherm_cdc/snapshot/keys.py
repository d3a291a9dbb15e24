"""From a document's `_id` back to its row: the condition that selects it."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bson import Decimal128

from isotherm_cdc.errors import DataError
from isotherm_cdc.snapshot.queries import quote, quoted
from isotherm_cdc.values import labels
from isotherm_cdc.values.charsets import as_key, encoded
from isotherm_cdc.values.columns import Column, Kind
from isotherm_cdc.values.mapping import order_of
from isotherm_cdc.values.originals import original

if TYPE_CHECKING:
    from collections.abc import Callable

    from isotherm_cdc.values.columns import Table

NO_SUCH_KEY = (DataError, KeyError, TypeError, ValueError, AttributeError, OverflowError)
"""What `key_condition` raises for an `_id` that no row of the table can have, or that does not tell its row."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d(?:\.\d{1,6})?)?")
_DECIMAL = re.compile(r"-?\d+(?:\.\d+)?")


def key_condition(table: Table, key: Any) -> str:
    """Return the SQL condition of the row that the document with this `_id` is of.

    Raises:
        DataError: it cannot be told: an override has changed the key, and does not lead back.
    """
    if table.counted:
        message = "its table has no key, so that the row cannot be found"
        raise DataError(message)
    columns = [table.columns[position] for position in table.key]
    values = [key] if len(columns) == 1 else [key[column.field] for column in columns]
    return f"({' AND '.join(map(_equality, columns, values))})"


def _equality(column: Column, value: Any) -> str:
    name = quote(column.name)
    value = value if column.source is None else original(column, value)
    column = column.plain
    if column.kind is Kind.SET and isinstance(value, str) and labels.are_doubtful(column):
        # By its bytes: which bits the labels stand for is not known.
        return f"CAST({name} AS BINARY) = {_bytes_of(column, value)}"
    return f"{order_of(column, name)} = {literal_of(column, value)}"


def literal_of(column: Column, value: Any) -> str:
    """Write the plain value of a key's column as what `order_of` the column is compared with.

    Raises:
        DataError: the document does not tell the column's value.
    """
    if isinstance(value, Decimal128):
        return _decimal(column, value)
    write = _LITERALS.get(column.kind)
    if write is None:
        message = f"the row cannot be found by its key: {column.name} is not in documents as MySQL has it"
        raise DataError(message)
    return write(column, value)


def _decimal(_: Column, value: Any) -> str:
    number = value.to_decimal() if isinstance(value, Decimal128) else value
    text = format(number, "f") if isinstance(number, Decimal) else str(number)
    if not _DECIMAL.fullmatch(text):
        message = f"{text} is no DECIMAL"
        raise ValueError(message)
    return text


def _real(_: Column, value: Any) -> str:
    number = float(value)
    if not math.isfinite(number):
        message = f"{number} is no number that MySQL has"
        raise ValueError(message)
    return repr(number)


def _bytes_of(column: Column, value: str) -> str:
    data = encoded(value, column.charset)
    if data is None:
        message = f"{value!r} cannot be written in {column.charset}"
        raise ValueError(message)
    return f"X'{data.hex()}'"


def _text(column: Column, value: Any) -> str:
    if isinstance(value, bytes):
        return f"_{column.charset} X'{value.hex()}'"
    return _string(column, value)


def _string(column: Column, value: str) -> str:
    """Write text in the column's own character set, for MySQL writes some of it in another way than it may be stored."""
    data = encoded(value, column.charset)
    return f"_utf8mb4 X'{value.encode().hex()}'" if data is None else f"_{column.charset} X'{data.hex()}'"


def _enum(column: Column, value: Any) -> str:
    if labels.are_doubtful(column) and value:
        return _string(column, value)
    known = [as_key(label) for label in column.labels]
    return str(known.index(value) + 1 if value or value in known else 0)


def _set(column: Column, value: Any) -> str:
    if not isinstance(value, str):
        return str(int(value))
    return str(sum(1 << column.labels.index(label) for label in value.split(",") if label))


def moment_text(value: Any) -> str:
    """Write a date or time of the calendar as MySQL does, with six digits.

    Raises:
        ValueError: it is text, but none that MySQL prints.
    """
    if isinstance(value, str):
        if not _MOMENT.fullmatch(value):
            message = f"{value!r} is no date"
            raise ValueError(message)
        return value
    moment = value if isinstance(value, datetime) else _EPOCH + timedelta(microseconds=int(value))
    return f"{moment.year:04}-{moment:%m-%d %H:%M:%S.%f}"


def time_text(microseconds: int) -> str:
    """Write a TIME as MySQL does, with six digits."""
    seconds, fraction = divmod(abs(microseconds), 1_000_000)
    sign = "-" if microseconds < 0 else ""
    return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{fraction:06}"


_LITERALS: dict[Kind, Callable[[Column, Any], str]] = {
    **dict.fromkeys((Kind.INTEGER, Kind.YEAR, Kind.BIT), lambda _, value: str(int(value))),
    **dict.fromkeys((Kind.FLOAT, Kind.DOUBLE), _real),
    Kind.DECIMAL: _decimal,
    Kind.ENUM: _enum,
    Kind.SET: _set,
    Kind.STRING: _text,
    **dict.fromkeys((Kind.BINARY, Kind.BYTES), lambda _, value: f"X'{value.hex()}'"),
    Kind.TIME: lambda _, value: quoted(time_text(int(value))),
    **dict.fromkeys((Kind.DATE, Kind.DATETIME, Kind.TIMESTAMP), lambda _, value: quoted(moment_text(value))),
}
