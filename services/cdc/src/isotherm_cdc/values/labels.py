"""Labels of ENUM and SET columns that information_schema cannot tell.

It knows characters of the basic plane only, and has a question mark in place of others (emoji). Where a label has one, a
snapshot selects the value's own text beside its number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from isotherm_cdc.errors import DataError
from isotherm_cdc.values import readers
from isotherm_cdc.values.charsets import label
from isotherm_cdc.values.columns import Kind

if TYPE_CHECKING:
    from isotherm_cdc.values.columns import Column
    from isotherm_cdc.values.readers import Convert

_UNTOLD = "?"


def are_doubtful(column: Column) -> bool:
    """Whether a column's labels may be others than it says."""
    return column.kind in (Kind.ENUM, Kind.SET) and any(_UNTOLD in known for known in column.labels)


def enum_beside(column: Column) -> Convert:
    """Read an ENUM's index and, in hexadecimal digits, its label."""
    by_index = readers.enum_index(column)

    def read(text: bytes) -> Any:
        index, own = _parts(column, text)
        return own if index and own else by_index(index)

    return read


def set_beside(column: Column) -> Convert:
    """Read a SET's number and, in hexadecimal digits, what MySQL prints: its labels but for empty ones."""
    by_bits = readers.set_bits(column)

    def read(text: bytes) -> Any:
        bits, own = _parts(column, text)
        found = by_bits(bits)
        told = [part for part in own.split(",") if part]
        if len(told) != sum(map(bool, found)):
            message = f"{column.name}: SET value {bits:#x} is printed as {own!r}"
            raise DataError(message)
        rest = iter(told)
        found[:] = [next(rest) if known else known for known in found]
        return found

    return read


def _parts(column: Column, text: bytes) -> tuple[int, str]:
    number, _, digits = text.partition(b" ")
    return int(number), label(bytes.fromhex(digits.decode("ascii")), column.charset)
