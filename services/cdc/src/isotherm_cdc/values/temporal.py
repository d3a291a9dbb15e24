"""Dates and times as BSON values (contract D7), from their parts."""

from __future__ import annotations

from datetime import MAXYEAR, date, datetime
from typing import Any

from bson.int64 import Int64

from isotherm_cdc.errors import DataError

BSON_DATE_DIGITS = 3
"""A BSON date holds milliseconds; more fractional digits are kept as whole microseconds."""
_SECOND_US, _SIXTY, _DAY_HOURS = 1_000_000, 60, 24
_EPOCH_DAY = date(1970, 1, 1).toordinal()


def date_value(year: int, month: int, day: int) -> Any:
    """Return a BSON date, or what MySQL prints when it is no day of the calendar (zero, partly zero, 31 February)."""
    try:
        return datetime(year, month, day)  # noqa: DTZ001 - BSON takes naive values as UTC
    except ValueError:
        return f"{year:04}-{month:02}-{day:02}"


def datetime_value(
    year: int, month: int, day: int, hour: int, minute: int, second: int, microsecond: int, fraction_digits: int
) -> Any:
    """Return a BSON date or, with more than three fractional digits, whole microseconds since 1970.

    Raises:
        DataError: it is not even a moment that MySQL can hold.
    """
    try:
        if fraction_digits <= BSON_DATE_DIGITS:
            return datetime(year, month, day, hour, minute, second, microsecond)  # noqa: DTZ001
        days = date(year, month, day).toordinal() - _EPOCH_DAY
    except ValueError:
        if not 0 <= year <= MAXYEAR:
            message = f"a DATETIME in the year {year}"
            raise DataError(message) from None
        _check_clock(hour, minute, second, microsecond)
        text = f"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"
        return f"{text}.{microsecond:06}"[: len(text) + 1 + fraction_digits] if fraction_digits else text
    _check_clock(hour, minute, second, microsecond)
    return Int64(((days * 24 + hour) * 60 + minute) * 60_000_000 + second * 1_000_000 + microsecond)


def _check_clock(hour: int, minute: int, second: int, microsecond: int) -> None:
    if hour >= _DAY_HOURS or minute >= _SIXTY or second >= _SIXTY or microsecond >= _SECOND_US:
        message = f"{hour}:{minute}:{second} and {microsecond} microseconds are no time of day"
        raise DataError(message)


def timestamp_value(seconds: int, microsecond: int, fraction_digits: int) -> Any:
    """Return the value of a TIMESTAMP; 0 seconds are the zero timestamp.

    Raises:
        DataError: there are more microseconds than a second has.
    """
    _check_clock(0, 0, 0, microsecond)
    if not seconds and not microsecond:
        return datetime_value(0, 0, 0, 0, 0, 0, 0, fraction_digits)
    if fraction_digits > BSON_DATE_DIGITS:
        return Int64(seconds * 1_000_000 + microsecond)
    days, rest = divmod(seconds, 86_400)
    day = date.fromordinal(_EPOCH_DAY + days)
    return datetime(  # noqa: DTZ001
        day.year, day.month, day.day, rest // 3600, rest // 60 % 60, rest % 60, microsecond
    )


def parse_date(text: str) -> Any:
    """Read what MySQL prints for a DATE."""
    year, month, day = text.split("-")
    return date_value(int(year), int(month), int(day))


def parse_datetime(text: str, fraction_digits: int) -> Any:
    """Read what MySQL prints for a DATETIME or TIMESTAMP."""
    day_text, _, time_text = text.partition(" ")
    year, month, day = day_text.split("-")
    clock, _, fraction = time_text.partition(".")
    hour, minute, second = clock.split(":")
    return datetime_value(
        int(year), int(month), int(day), int(hour), int(minute), int(second), _microsecond(fraction), fraction_digits
    )


def parse_time(text: str) -> Int64:
    """Read what MySQL prints for a TIME, as signed microseconds."""
    sign = -1 if text.startswith("-") else 1
    clock, _, fraction = text.lstrip("-").partition(".")
    try:
        hour, minute, second = clock.split(":")
    except ValueError:
        message = f"{text!r} is no TIME"
        raise DataError(message) from None
    return Int64(sign * (((int(hour) * 60 + int(minute)) * 60 + int(second)) * 1_000_000 + _microsecond(fraction)))


def _microsecond(fraction: str) -> int:
    return int(fraction.ljust(6, "0")) if fraction else 0
