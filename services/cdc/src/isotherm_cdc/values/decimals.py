"""Exact decimals: MySQL's packed form, its text, and BSON's Decimal128 (contract D6)."""

from __future__ import annotations

from typing import Any

from bson.decimal128 import Decimal128
from bson.int64 import Int64

from isotherm_cdc.errors import DataError

DECIMAL128_DIGITS = 34
LARGEST_PRECISION, LARGEST_SCALE = 65, 30
INT64_MAX = (1 << 63) - 1
_LOW = (1 << 64) - 1
_BIAS = 6176
_DIGITS_IN_GROUP = 9
_BYTES_OF_DIGITS = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)


def packed_size(precision: int, scale: int) -> int:
    """Return how many bytes a DECIMAL(precision, scale) takes in a row."""
    whole_groups, whole_rest = divmod(precision - scale, _DIGITS_IN_GROUP)
    groups, rest = divmod(scale, _DIGITS_IN_GROUP)
    return (whole_groups + groups) * 4 + _BYTES_OF_DIGITS[whole_rest] + _BYTES_OF_DIGITS[rest]


def unpack(data: bytes, precision: int, scale: int) -> int:
    """Return the unscaled value of a packed DECIMAL.

    Raises:
        DataError: there are too few or too many bytes.
    """
    if len(data) != packed_size(precision, scale):
        message = f"a DECIMAL({precision},{scale}) of {len(data)} bytes"
        raise DataError(message)
    negative = not data[0] & 0x80
    buffer = bytes(byte ^ 0xFF for byte in data) if negative else data
    buffer = bytes([buffer[0] ^ 0x80]) + buffer[1:]
    position, value = 0, 0
    whole_groups, whole_rest = divmod(precision - scale, _DIGITS_IN_GROUP)
    groups, rest = divmod(scale, _DIGITS_IN_GROUP)
    for digits in (whole_rest, *[_DIGITS_IN_GROUP] * (whole_groups + groups), rest):
        size = _BYTES_OF_DIGITS[digits]
        value = value * 10**digits + int.from_bytes(buffer[position : position + size], "big")
        position += size
    return -value if negative else value


def parse(text: str, scale: int) -> int:
    """Return the unscaled value of a DECIMAL that MySQL printed with `scale` digits after the point."""
    whole, _, fraction = text.partition(".")
    return int(whole + fraction.ljust(scale, "0"))


def value(unscaled: int, precision: int, scale: int) -> Any:
    """Return Decimal128, or text when there may be more digits than it holds."""
    return decimal128(unscaled, scale) if precision <= DECIMAL128_DIGITS else to_text(unscaled, scale)


def decimal128(unscaled: int, scale: int) -> Decimal128:
    """Return `unscaled` / 10**`scale`, keeping the scale."""
    magnitude = -unscaled if unscaled < 0 else unscaled
    high = (_BIAS - scale) << 49 | magnitude >> 64
    return Decimal128((high | 1 << 63 if unscaled < 0 else high, magnitude & _LOW))  # type: ignore[arg-type]


def to_text(unscaled: int, scale: int) -> str:
    """Return the digits as MySQL prints them."""
    digits = str(abs(unscaled)).rjust(scale + 1, "0")
    text = f"{digits[:-scale]}.{digits[-scale:]}" if scale else digits
    return f"-{text}" if unscaled < 0 else text


def unsigned(number: int) -> Any:
    """Return int64, or Decimal128 for what is larger (contract D5)."""
    return Int64(number) if number <= INT64_MAX else decimal128(number, 0)
