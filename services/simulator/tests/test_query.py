from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from isotherm_simulator.errors import BadRequestError
from isotherm_simulator.query import Query, parse

NOW = 1_795_536_300.0
HOUR = 3600
THIS_HOUR = 1_795_536_000


def query(**parameters: Any) -> Query:
    given = {"latitude": "50", "longitude": "10"} | parameters
    return parse({name: value if isinstance(value, list) else [value] for name, value in given.items() if value != ""})


def refusal(**parameters: Any) -> str:
    with pytest.raises(BadRequestError) as caught:
        query(**parameters)
    return str(caught.value)


def test_the_defaults_are_open_meteos() -> None:
    """GMT, ISO times, km/h, °C, land, seven days from today."""
    found = query()
    assert (found.temperature_unit, found.wind_speed_unit, found.cell_selection) == ("celsius", "kmh", "land")
    assert not found.unix_time
    assert found.current is None
    assert found.elevation is None
    assert found.location_ids == (0,)
    assert len(found.hours(NOW)) == 7 * 24
    assert found.hours(NOW)[0] == 20_781 * 86400


@pytest.mark.parametrize(
    "latitude", ["50,51,52", ["50", "51", "52"], ["50,51", "52"], [50, 51.0, "52"], " 50 , 51,52 ", "50,51,52,"]
)
def test_lists_may_be_comma_separated_repeated_or_json(latitude: Any) -> None:
    """GET, form and JSON give the same."""
    assert query(latitude=latitude, longitude="1,2,3").latitude == (50.0, 51.0, 52.0)


def test_coordinates_have_32_bits() -> None:
    """As Open-Meteo's have."""
    assert query(latitude="50.1").latitude == (float(np.float32(50.1)),)


@pytest.mark.parametrize(
    ("parameters", "first", "number"),
    [
        ({"past_hours": "24", "forecast_hours": "48"}, THIS_HOUR - 24 * HOUR, 72),
        ({"forecast_hours": "3"}, THIS_HOUR, 3),
        ({"past_hours": "2"}, THIS_HOUR - 2 * HOUR, 2 + 16 * 24),
        ({"past_hours": "2", "forecast_hours": "0"}, THIS_HOUR - 2 * HOUR, 2),
        ({"past_days": "1", "forecast_days": "1"}, 20_780 * 86400, 48),
        ({"past_days": "2"}, 20_779 * 86400, 9 * 24),
        ({"forecast_days": "0"}, None, 0),
    ],
)
def test_the_series_covers_what_was_asked(parameters: dict[str, str], first: int | None, number: int) -> None:
    """Hours count from this hour, days from today; hours win."""
    hours = query(**parameters).hours(NOW)
    assert len(hours) == number
    assert hours[:1] == ([] if first is None else [first])
    assert all(later - earlier == HOUR for earlier, later in itertools.pairwise(hours))


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"latitude": "91"}, "Latitude must be in range of -90 to 90°. Given: 91.0."),
        ({"latitude": "nan"}, "Latitude must be in range of -90 to 90°. Given: nan."),
        ({"longitude": "-180.5"}, "Longitude must be in range of -180 to 180°. Given: -180.5."),
        ({"latitude": "1,2"}, "Parameter 'latitude' and 'longitude' must have the same number of elements"),
        ({"longitude": ""}, "Parameter 'latitude' and 'longitude' must have the same number of elements"),
        ({"latitude": "", "longitude": ""}, "Parameter 'latitude' and 'longitude' must not be empty"),
        ({"latitude": "x"}, "Data corrupted at path ''. Cannot initialize Float from invalid String value x."),
        ({"elevation": "1,2"}, "Parameter 'elevation' must have the same number of elements as coordinates"),
        ({"location_id": "1,2"}, "Parameter 'latitude' and 'longitude' must have the same number of elements"),
        ({"forecast_days": "17"}, "Forecast days is invalid. Allowed range 0 to 16. Given 17."),
        ({"past_days": "93"}, "Past days is invalid. Allowed range 0 to 92. Given 93."),
        ({"past_hours": "-1"}, "Past days is invalid. Allowed range 0 to 2208. Given -1."),
        ({"forecast_hours": "x"}, "Value of type 'Int' required for key 'forecast_hours'."),
        ({"current_weather": "maybe"}, "Value of type 'Bool' required for key 'current_weather'."),
        ({"timezone": "Europe/Berlin"}, "The simulator answers in timezone GMT only. Given: Europe/Berlin."),
        ({"timezone": "auto"}, "The simulator answers in timezone GMT only. Given: auto."),
        ({"timezone": "Nowhere"}, "Invalid timezone"),
        ({"timezone": "GMT,GMT"}, "Parameter 'timezone' and coordinates must have the same number of elements"),
        ({"daily": "temperature_2m_max"}, "The simulator does not know parameter 'daily'"),
    ],
)
def test_a_wrong_parameter_is_refused_in_open_meteos_words(parameters: dict[str, str], reason: str) -> None:
    """Or in the simulator's own where it cannot do what Open-Meteo can."""
    assert refusal(**parameters) == reason


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("current", "temperature_2m,colour"),
        ("hourly", "colour"),
        ("temperature_unit", "kelvin"),
        ("wind_speed_unit", "beaufort"),
        ("timeformat", "roman"),
        ("cell_selection", "air"),
        ("format", "csv"),
        ("models", "oracle"),
    ],
)
def test_an_unknown_word_is_named(name: str, value: str) -> None:
    """The reason ends with the word."""
    assert refusal(**{name: value}).endswith(f"from invalid String value {value.rpartition(',')[2]}.")


def test_a_thousand_locations_are_the_most() -> None:
    """As on the free host."""
    many = ",".join(["1"] * 1000)
    assert len(query(latitude=many, longitude=many).latitude) == 1000
    assert refusal(latitude=f"{many},1", longitude=f"{many},1") == "Only up to 1000 locations can be requested at once"


def test_the_older_present_replaces_the_newer() -> None:
    """`current_weather=true` overrides `current`."""
    found = query(current="temperature_2m", current_weather="true")
    assert found.current_weather
    assert found.current is None


def test_the_older_name_of_the_wind_unit_works_and_the_newer_wins() -> None:
    """Both are in use."""
    assert query(windspeed_unit="kn").wind_speed_unit == "kn"
    assert query(windspeed_unit="kn", wind_speed_unit="ms").wind_speed_unit == "ms"


SEVEN = "temperature_2m,relative_humidity_2m,wind_speed_10m,wind_direction_10m,wind_gusts_10m,pressure_msl,weather_code"


@pytest.mark.parametrize(
    ("parameters", "weight"),
    [
        ({}, 1.0),
        ({"current": SEVEN, "hourly": "temperature_2m,wind_speed_10m,wind_direction_10m"}, 1.0),
        ({"current": SEVEN, "hourly": SEVEN}, 1.4),
        ({"current": SEVEN, "hourly": SEVEN, "past_days": "21"}, 2.8),
        ({"current": "temperature_2m", "past_days": "92"}, 1.0),
        ({"current": SEVEN, "hourly": SEVEN, "forecast_hours": "384"}, 1.4),
        ({"latitude": "1,2,3", "longitude": "1,2,3"}, 3.0),
        ({"latitude": "1,2,3", "longitude": "1,2,3", "hourly": SEVEN, "current_weather": "true"}, 3.6),
    ],
)
def test_a_request_weighs_as_at_open_meteo(parameters: dict[str, str], weight: float) -> None:
    """Ten variables and fourteen days weigh one a location; hours count by the days that are asked for."""
    assert query(**parameters).weight == pytest.approx(weight)
