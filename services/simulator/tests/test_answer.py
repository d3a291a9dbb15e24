from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isotherm_simulator import grid
from isotherm_simulator.answer import build, interval_seconds
from isotherm_simulator.query import parse
from isotherm_simulator.units import DEGREES, TEMPERATURE, WIND_SPEED
from isotherm_simulator.weather import Weather

NOW = 1_795_536_300.0
VARIABLES = "temperature_2m,relative_humidity_2m,wind_speed_10m,wind_direction_10m,wind_gusts_10m,pressure_msl,weather_code,is_day"
WEATHER = Weather()


def answers(now: float = NOW, **parameters: str) -> list[dict[str, Any]]:
    given = {"latitude": "50", "longitude": "10"} | parameters
    return build(parse({name: [value] for name, value in given.items()}), WEATHER, now)


def test_the_present_is_the_last_quarter_of_an_hour() -> None:
    """It is model data, not an observation."""
    for now in (NOW, NOW + 599):
        (answer,) = answers(now, current="temperature_2m", timeformat="unixtime")
        assert answer["current"]["time"] == 1_795_536_000 + 900 * int((now - 1_795_536_000) // 900)
        assert answer["current"]["interval"] == 900


def test_times_are_iso_without_a_zone_or_unix_seconds() -> None:
    """The units say which."""
    (iso,) = answers(current="is_day", hourly="is_day", past_hours="0", forecast_hours="2")
    assert iso["current"]["time"] == "2026-11-24T16:00"
    assert iso["hourly"]["time"] == ["2026-11-24T16:00", "2026-11-24T17:00"]
    assert iso["current_units"]["time"] == iso["hourly_units"]["time"] == "iso8601"
    (unix,) = answers(current="is_day", hourly="is_day", past_hours="0", forecast_hours="2", timeformat="unixtime")
    assert unix["hourly"]["time"] == [1_795_536_000, 1_795_539_600]
    assert unix["current_units"]["time"] == unix["hourly_units"]["time"] == "unixtime"


def test_series_and_present_agree() -> None:
    """At a full hour the present is a value of the series."""
    (answer,) = answers(1_795_536_000, current=VARIABLES, hourly=VARIABLES, past_hours="1", forecast_hours="2")
    at = answer["hourly"]["time"].index(answer["current"]["time"])
    for name in VARIABLES.split(","):
        assert answer["hourly"][name][at] == answer["current"][name]


def test_what_was_forecast_comes_to_pass() -> None:
    """A later request finds in its past what an earlier one found in its future."""
    (earlier,) = answers(hourly="temperature_2m", past_hours="0", forecast_hours="30")
    (later,) = answers(NOW + 86400, hourly="temperature_2m", past_hours="24", forecast_hours="1")
    forecast = dict(zip(earlier["hourly"]["time"], earlier["hourly"]["temperature_2m"], strict=True))
    past = dict(zip(later["hourly"]["time"], later["hourly"]["temperature_2m"], strict=True))
    assert {time: forecast[time] for time in past} == past


def test_every_variable_has_its_unit_and_decimals() -> None:
    """Whole numbers are written as such."""
    (answer,) = answers(current=VARIABLES, hourly=VARIABLES, forecast_hours="1")
    units = {
        "time": "iso8601",
        "temperature_2m": "°C",
        "relative_humidity_2m": "%",
        "wind_speed_10m": "km/h",
        "wind_direction_10m": "°",
        "wind_gusts_10m": "km/h",
        "pressure_msl": "hPa",
        "weather_code": "wmo code",
        "is_day": "",
    }
    assert answer["hourly_units"] == units
    assert answer["current_units"] == {"time": "iso8601", "interval": "seconds"} | units
    whole = {name for name, value in answer["current"].items() if isinstance(value, int)}
    assert whole == {"interval", "relative_humidity_2m", "wind_direction_10m", "weather_code", "is_day"}


@pytest.mark.parametrize(
    ("unit", "symbol", "factor"),
    [("ms", "m/s", 1.0), ("kmh", "km/h", 3.6), ("mph", "mp/h", 2.236936), ("kn", "kn", 1.943844)],
)
def test_wind_can_be_had_in_four_units(unit: str, symbol: str, factor: float) -> None:
    """All of the same wind."""
    (answer,) = answers(current="wind_speed_10m,wind_gusts_10m", wind_speed_unit=unit)
    (si,) = answers(current="wind_speed_10m,wind_gusts_10m", wind_speed_unit="ms")
    for name in ("wind_speed_10m", "wind_gusts_10m"):
        assert answer["current_units"][name] == symbol
        assert answer["current"][name] == pytest.approx(si["current"][name] * factor, abs=0.07)


def test_temperature_can_be_had_in_fahrenheit() -> None:
    """Of the same air."""
    (fahrenheit,) = answers(current="temperature_2m", temperature_unit="fahrenheit")
    (celsius,) = answers(current="temperature_2m")
    assert fahrenheit["current_units"]["temperature_2m"] == "°F"
    assert fahrenheit["current"]["temperature_2m"] == pytest.approx(
        celsius["current"]["temperature_2m"] * 1.8 + 32, abs=0.15
    )


def test_the_older_present_has_its_own_names() -> None:
    """And is no different otherwise."""
    (old,) = answers(current_weather="true")
    (new,) = answers(current="temperature_2m,wind_speed_10m,wind_direction_10m,is_day,weather_code")
    assert list(old["current_weather"]) == [
        "time", "interval", "temperature", "windspeed", "winddirection", "is_day", "weathercode",
    ]  # fmt: skip
    assert list(old["current_weather"].values()) == list(new["current"].values())
    assert list(old["current_weather_units"].values()) == list(new["current_units"].values())
    assert "current" not in old


def test_the_first_location_has_no_number() -> None:
    """Unless it was given one."""
    several = answers(latitude="50,51,52", longitude="10,10,10")
    assert ["location_id" in answer for answer in several] == [False, True, True]
    assert [answer.get("location_id") for answer in several[1:]] == [1, 2]
    numbered = answers(latitude="50,51", longitude="10,10", location_id="7,0")
    assert [answer.get("location_id") for answer in numbered] == [7, None]


@given(st.floats(-90, 90), st.floats(-180, 180), st.sampled_from(["land", "sea", "nearest"]))
@settings(deadline=None)
def test_a_cell_is_near_the_point_and_seldom_at_it(latitude: float, longitude: float, selection: str) -> None:
    """At most a cell and a half away, north and south of the poles never."""
    (answer,) = answers(latitude=str(latitude), longitude=str(longitude), cell_selection=selection)
    reach = grid.STEP_DEGREES * (0.51 if selection == "nearest" else 1.51)
    assert abs(answer["latitude"] - latitude) <= reach
    assert abs((answer["longitude"] - longitude + 180) % 360 - 180) <= reach
    assert -90 <= answer["latitude"] <= 90
    assert -180 <= answer["longitude"] < 180


def test_round_coordinates_are_answered_by_cells_beside_them() -> None:
    """Who matches answers by coordinates finds nothing: they must be matched by position."""
    points = [(latitude, longitude) for latitude in range(-80, 81, 10) for longitude in range(-170, 171, 10)]
    found = answers(
        latitude=",".join(str(point[0]) for point in points), longitude=",".join(str(point[1]) for point in points)
    )
    moved = [
        answer
        for answer, point in zip(found, points, strict=True)
        if (answer["latitude"], answer["longitude"]) != point
    ]
    assert len(moved) > 0.9 * len(points)


def test_land_and_sea_can_be_preferred() -> None:
    """At a coast the choice decides, inland it does not."""
    latitude, longitude = (axis.ravel() for axis in np.meshgrid(np.arange(-60, 70, 1.1), np.arange(-180, 180, 1.7)))
    share = {
        selection: float((WEATHER.land(*grid.select(WEATHER, latitude, longitude, selection)) >= 0.5).mean())
        for selection in ("land", "nearest", "sea")
    }
    assert share["land"] > share["nearest"] > share["sea"]


def test_height_above_the_cell_cools() -> None:
    """A given elevation is answered as given, and 1,000 m are 6.5 °C; NaN asks for the cell's own."""
    (ground,) = answers(current="temperature_2m")
    (above,) = answers(current="temperature_2m", elevation=str(ground["elevation"] + 1000))
    (cell,) = answers(current="temperature_2m", elevation="nan")
    assert above["elevation"] == pytest.approx(ground["elevation"] + 1000, abs=0.2)
    assert ground["current"]["temperature_2m"] - above["current"]["temperature_2m"] == pytest.approx(6.5, abs=0.15)
    assert "elevation" not in cell
    assert cell["current"] == ground["current"]


@pytest.mark.parametrize(
    ("speed", "interval"), [(0.5, 900), (1, 900), (2, 450), (15, 60), (20, 45), (30, 30), (60, 15), (1000, 10)]
)
def test_the_present_changes_more_often_when_the_weather_runs_faster(speed: float, interval: int) -> None:
    """The interval divides the quarter of an hour, so that full hours stay among its times."""
    assert interval_seconds(speed) == interval
    assert 900 % interval == 0


def test_a_full_circle_is_written_as_nought() -> None:
    """359.7° is north."""
    assert DEGREES.write(np.array([359.7, 359.4, 0.2])).tolist() == [0, 359, 0]


def test_nought_has_no_sign() -> None:
    """A minus before it would be a riddle."""
    for unit in (TEMPERATURE["celsius"], WIND_SPEED["ms"]):
        assert math.copysign(1.0, float(unit.write(np.array([-0.001]))[0])) == 1.0
