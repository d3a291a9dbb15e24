"""Rows: documents to int16."""

import datetime as dt

import pytest
from bson import Int64
from hypothesis import given
from hypothesis import strategies as st

from isotherm_web.rows import NULL, Row, decode_row, scaled, unix_seconds, unscaled

DOCUMENT = {
    "_id": 1,
    "valid_at": dt.datetime(2026, 11, 24, 15, 45, tzinfo=dt.UTC),
    "fetched_at": Int64(1795535662123456),
    "temperature_2m": 11.3,
    "wind_speed_10m": None,
    "wind_direction_10m": 231.0,
    "source": "simulator",
}


@pytest.mark.contract("D7")
def test_document_becomes_a_row() -> None:
    """A document's values are scaled by ten, its times become Unix seconds, its source a number."""
    assert decode_row(7, DOCUMENT) == Row(7, 1795535100, 1795535662, 2, (113, NULL, 2310))


def test_partial_document_keeps_the_rest() -> None:
    """What an update does not mention stays as it was, and what it unsets becomes null."""
    base = decode_row(7, DOCUMENT)
    assert decode_row(8, {"wind_speed_10m": 4, "wind_direction_10m": None}, base) == base._replace(
        seq=8, values=(113, 40, NULL)
    )


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), "warm"])
def test_what_is_no_number_is_null(value: object) -> None:
    """What is no finite number is null, never a wrong number."""
    assert scaled(value) == NULL


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_scaled_values_fit_int16_and_never_look_null(value: float) -> None:
    """Every finite value fits an int16 and is distinguishable from null."""
    assert -32767 <= scaled(value) <= 32767


@given(st.decimals(min_value=-3276, max_value=3276, places=1))
def test_one_decimal_survives(value: object) -> None:
    """What has one decimal comes back as it was."""
    assert unscaled(scaled(float(value))) == float(value)


def test_naive_dates_are_utc_and_strings_are_no_time() -> None:
    """Drivers give naive dates, which are UTC; a zero date is a string and counts as none."""
    assert unix_seconds(dt.datetime(1970, 1, 1, 0, 1)) == 60  # noqa: DTZ001 - as PyMongo gives it
    assert unix_seconds("0000-00-00 00:00:00") == 0
