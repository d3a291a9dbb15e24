"""How dates and times are read from a row event and written as BSON (see `column_code`)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from isotherm_cdc.binlog.element_code import DATE, INT64, Code, NotPlainError
from isotherm_cdc.values.temporal import BSON_DATE_DIGITS

if TYPE_CHECKING:
    from isotherm_cdc.values.columns import Column

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_DAY_US, _SECOND_US = 86_400_000_000, 1_000_000
_MINUTES = 60
_HOURS = 24


def day_us(days: int) -> int:
    """Return the microseconds since 1970 of a packed day."""
    year, month = divmod((days - (0x8000000000 >> 17)) >> 5, 13)
    try:
        return (date(year, month, days & 31).toordinal() - _EPOCH_DAY) * _DAY_US
    except ValueError:
        raise NotPlainError from None


def clock_us(packed: int) -> int:
    """Return the microseconds of a packed time of day."""
    hour, minute, second = packed >> 12, packed >> 6 & 63, packed & 63
    if hour >= _HOURS or minute >= _MINUTES or second >= _MINUTES:
        raise NotPlainError
    return ((hour * 60 + minute) * 60 + second) * _SECOND_US


def _fraction(digits: int) -> tuple[int, int]:
    """Return the bytes of the fraction and the microseconds of its unit."""
    size = (digits + 1) // 2
    return size, int(10 ** (6 - 2 * size))


def _moment(value: str, digits: int, position: int) -> tuple[int, str, str]:
    """Return the type, the variable and the line for a moment in microseconds."""
    w = f"w{position}"
    if digits > BSON_DATE_DIGITS:
        return INT64, w, f"{w} = int64({value})"
    return DATE, w, f"{w} = int64(({value}) // 1000)"


def _split(digits: int) -> tuple[int, list[str], str]:
    """Return the fraction's bytes, the lines that split n into n and f, and the fraction in microseconds."""
    size, unit = _fraction(digits)
    if not size:
        return 0, [], ""
    largest = 10 ** (2 * size)
    lines = [f"f = n & {(1 << 8 * size) - 1}", f"if f >= {largest}: raise NotPlainError", f"n >>= {8 * size}"]
    return size, lines, f" + f * {unit}" if unit > 1 else " + f"


def datetime_code(column: Column, position: int) -> Code:
    """Read a DATETIME."""
    digits = column.fraction_digits
    size, split, fraction = _split(digits)
    bson_type, w, line = _moment(f"days[n >> 17] + clock[n & 131071]{fraction}", digits, position)
    return Code(bson_type, [w], f"{5 + size}s", 5 + size, ["n = from_bytes({v})", *split, line])


def timestamp_code(column: Column, position: int) -> Code:
    """Read a TIMESTAMP."""
    digits = column.fraction_digits
    size, split, fraction = _split(digits)
    bson_type, w, line = _moment(f"n * {_SECOND_US}{fraction}", digits, position)
    lines = ["n = from_bytes({v})", "if not n: raise NotPlainError", *split, line]
    return Code(bson_type, [w], f"{4 + size}s", 4 + size, lines)


def time_code(column: Column, position: int) -> Code:
    """Read a TIME."""
    size, unit = _fraction(column.fraction_digits)
    w = f"w{position}"
    fraction = f" + (m & {(1 << 8 * size) - 1}) * {unit}" if size else ""
    lines = [
        f"n = from_bytes({{v}}) - {0x800000 << 8 * size}",
        "m = -n if n < 0 else n",
        f"h = m >> {8 * size}",
        f"m = ((h >> 12 & 1023) * 3600 + (h >> 6 & 63) * 60 + (h & 63)) * {_SECOND_US}{fraction}",
        f"{w} = int64(-m if n < 0 else m)",
    ]
    return Code(INT64, [w], f"{3 + size}s", 3 + size, lines)
