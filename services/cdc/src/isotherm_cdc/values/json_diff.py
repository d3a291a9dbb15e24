"""JSON differences (`binlog_row_value_options=PARTIAL_JSON`), applied to the document that they were made from."""

from __future__ import annotations

import re
import struct
from typing import Any

from isotherm_cdc.errors import DataError
from isotherm_cdc.values.json_values import from_binary

_REPLACE, _INSERT, _REMOVE = 0, 1, 2
_LEG = re.compile(r'\.(?:"((?:[^"\\]|\\.)*)"|([^.\["\s]+))|\[(\d+)\]')
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_MEANT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_TWO_BYTES, _THREE_BYTES, _EIGHT_BYTES = 252, 253, 254

Path = tuple[str | int, ...]


def apply(document: Any, differences: bytes) -> Any:
    """Return a document after some differences; the document itself may be changed.

    Args:
        document: what `from_binary` returned for the document before.
        differences: what a row event holds in place of the document after.

    Raises:
        DataError: they do not fit the document, or are none.
    """
    at = 0
    try:
        while at < len(differences):
            operation = differences[at]
            size, at = _length(differences, at + 1)
            path = parse_path(_slice(differences, at, size).decode())
            at += size
            value = None
            if operation != _REMOVE:
                size, at = _length(differences, at)
                value = from_binary(_slice(differences, at, size))
                at += size
            document = _applied(document, operation, path, value)
    except (IndexError, KeyError, TypeError, ValueError, struct.error) as error:
        message = f"the JSON differences {differences[:64].hex()}… do not fit the document: {error!r}"
        raise DataError(message) from None
    return document


def parse_path(text: str) -> Path:
    """Read a path as MySQL writes it.

    Raises:
        ValueError: it is none, or may mean more than one place.
    """
    if not text.startswith("$"):
        message = f"{text!r} is no path"
        raise ValueError(message)
    legs: list[str | int] = []
    at = 1
    while at < len(text):
        leg = _LEG.match(text, at)
        if leg is None or leg[2] == "*":
            message = f"{text!r} is no path to one place"
            raise ValueError(message)
        quoted, plain, index = leg.groups()
        legs.append(int(index) if index is not None else plain if plain is not None else _unescaped(quoted))
        at = leg.end()
    return tuple(legs)


def _unescaped(text: str) -> str:
    plain = _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else _MEANT.get(found[2], found[2]), text)
    # Characters beyond the basic plane may be written as two halves.
    return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def _applied(document: Any, operation: int, path: Path, value: Any) -> Any:
    if operation not in (_REPLACE, _INSERT, _REMOVE) or (operation != _REPLACE and not path):
        message = f"operation {operation} at {path!r}"
        raise ValueError(message)
    if not path:
        return value
    parent: Any = document
    for leg in path[:-1]:
        parent = _child(parent, leg)
    leg = path[-1]
    if operation == _INSERT:
        _insert(parent, leg, value)
        return document
    _child(parent, leg)
    if operation == _REMOVE:
        parent.pop(leg)
    else:
        parent[leg] = value
    return document


def _child(parent: Any, leg: str | int) -> Any:
    if isinstance(parent, list) and isinstance(leg, int):
        return parent[leg]
    if isinstance(parent, dict) and isinstance(leg, str):
        return parent[leg]
    message = f"there is no {leg!r} in a {type(parent).__name__}"
    raise TypeError(message)


def _insert(parent: Any, leg: str | int, value: Any) -> None:
    if isinstance(leg, int):
        if not isinstance(parent, list):
            message = f"no element can be inserted into a {type(parent).__name__}"
            raise TypeError(message)
        parent.insert(leg, value)
        return
    if not isinstance(parent, dict) or leg in parent:
        message = f"{leg!r} cannot be inserted"
        raise KeyError(message)
    members = {**parent, leg: value}
    parent.clear()
    # MySQL keeps the members of an object in this order.
    parent.update(sorted(members.items(), key=lambda member: _order(member[0])))


def _order(name: str) -> tuple[int, bytes]:
    encoded = name.encode()
    return len(encoded), encoded


def _length(data: bytes, at: int) -> tuple[int, int]:
    first = data[at]
    if first < _TWO_BYTES:
        return first, at + 1
    size = {_TWO_BYTES: 2, _THREE_BYTES: 3, _EIGHT_BYTES: 8}[first]
    return int.from_bytes(_slice(data, at + 1, size), "little"), at + 1 + size


def _slice(data: bytes, at: int, size: int) -> bytes:
    if at + size > len(data):
        message = "they end too early"
        raise ValueError(message)
    return data[at : at + size]
