"""Back from what an override has made of a key's value to the value itself, so that its row can be found."""

from __future__ import annotations

import base64
import struct
from typing import TYPE_CHECKING, Any

from isotherm_cdc.errors import DataError
from isotherm_cdc.values import temporal
from isotherm_cdc.values.columns import Column, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

_FLOAT32 = struct.Struct("<f")


def original(column: Column, value: Any) -> Any:
    """Return the plain value of an overridden column.

    Args:
        column: the column with its override.
        value: what a document holds.

    Raises:
        DataError: the override does not lead back.
        ValueError: the override makes no such value (TypeError: nor any of that type).
    """
    action = column.action.name if column.action is not None else ""
    if action == "hex":
        return bytes.fromhex(value)
    if action == "base64":
        return base64.b64decode(value, validate=True)
    if action == "string":
        return _FROM_TEXT.get(column.plain.kind, _same)(column.plain, value)
    message = f"the row cannot be found by its key: {column.name} is not in documents as MySQL has it"
    raise DataError(message)


def _same(_: Column, value: Any) -> Any:
    return value


def _enum(column: Column, value: Any) -> Any:
    """Tell the invalid value of an ENUM that has the empty label from a label."""
    return 0 if value == "0" and "0" not in column.labels else value


_FROM_TEXT: dict[Kind, Callable[[Column, Any], Any]] = {
    **dict.fromkeys((Kind.INTEGER, Kind.YEAR, Kind.BIT), lambda _, value: int(value)),
    Kind.FLOAT: lambda _, value: _FLOAT32.unpack(_FLOAT32.pack(float(value)))[0],
    Kind.DOUBLE: lambda _, value: float(value),
    Kind.TIME: lambda _, value: temporal.parse_time(value),
    Kind.ENUM: _enum,
}
