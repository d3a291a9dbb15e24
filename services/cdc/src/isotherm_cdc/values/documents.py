"""From a row's values to BSON (contracts D2 and D3)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import bson
from bson.errors import InvalidDocument

from isotherm_cdc.errors import DataError
from isotherm_cdc.values import decimals
from isotherm_cdc.values.charsets import Ambiguous, as_key
from isotherm_cdc.values.readers import Numbered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from isotherm_cdc.values.columns import Table

HASH_DIGITS = 40
"""Of the hash that stands for a row without a key: 160 bits, which no two rows share by chance."""


def encode_key(table: Table, values: Sequence[Any]) -> bytes:
    """Return the BSON document `{_id: …}` of a row (contract D2); `values` are its key columns' in key order.

    Raises:
        DataError: a part is NULL, which none can be.
    """
    if table.counted:
        whole = _encode({str(position): value for position, value in enumerate(values)})
        return _encode({"_id": hashlib.sha256(whole).hexdigest()[:HASH_DIGITS]})
    if None in values:
        message = f"a part of the primary key of {table.full_name} is NULL"
        raise DataError(message)
    if len(table.key) == 1:
        return _encode({"_id": _key_value(values[0])})
    names = (table.columns[position].field for position in table.key)
    return _encode({"_id": dict(zip(names, map(_key_value, values), strict=True))})


def _key_value(value: Any) -> Any:
    """Return what may stand in an `_id`: no array, no -0.0, which MongoDB takes for 0.0, and no text of two meanings."""
    if isinstance(value, Ambiguous):
        return as_key(value)
    if isinstance(value, list):
        return decimals.unsigned(value.number) if isinstance(value, Numbered) else ",".join(value)
    return 0.0 if isinstance(value, float) and not value else value


def encode_elements(key: bytes, names: Sequence[str | None], values: Sequence[Any]) -> bytes:
    """Return the BSON elements of a row's document without its frame, so that `_cdc` can be put after them (D3).

    Args:
        key: what `encode_key` returned.
        names: `Table.fields`; a column whose name is None is left out.
        values: the columns'.
    """
    fields = {name: value for name, value in zip(names, values, strict=True) if name is not None}
    return key[4:-1] + _encode(fields)[4:-1]


def _encode(document: dict[str, Any]) -> bytes:
    try:
        return bson.encode(document)
    except (InvalidDocument, OverflowError, UnicodeEncodeError, ValueError, RecursionError) as error:
        message = f"BSON cannot hold the row: {error}"
        raise DataError(message) from None
