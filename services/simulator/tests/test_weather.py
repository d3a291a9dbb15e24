from __future__ import annotations

import dataclasses
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isotherm_simulator import sun
from isotherm_simulator.weather import EPOCH, LIFETIME_SECONDS, Conditions, Weather

NOW = 1_795_535_100
WEATHER = Weather()
LATITUDES = st.floats(-90, 90)
LONGITUDES = st.floats(-180, 180)
TIMES = st.integers(NOW - 3 * 365 * 86400, NOW + 3 * 365 * 86400)
PATIENT = settings(deadline=None)
"""How long an example takes says more of the machine than of the weather."""
CONTINUOUS = ("temperature", "humidity", "wind_u", "wind_v", "gusts", "pressure")


def at(latitude: float, longitude: float, seconds: float, weather: Weather = WEATHER) -> Conditions:
    return weather.at([latitude], [longitude], [seconds])


def differences(one: Conditions, other: Conditions) -> dict[str, float]:
    return {name: float(np.abs(getattr(one, name) - getattr(other, name)).max()) for name in CONTINUOUS}


@given(LATITUDES, LONGITUDES, TIMES)
@PATIENT
def test_it_is_plausible_everywhere_and_always(latitude: float, longitude: float, seconds: int) -> None:
    """The ranges that a consumer may rely on."""
    weather = at(latitude, longitude, seconds)
    assert -90 <= weather.temperature <= 60
    assert 0 <= weather.humidity <= 100
    assert 0 <= weather.wind_speed <= weather.gusts <= 80
    assert 0 <= weather.wind_direction < 360
    assert 870 <= weather.pressure <= 1085
    assert float(weather.code[0, 0]) in {0, 1, 2, 3, 45, 51, 61, 63, 65, 71, 73, 75, 95}
    assert float(weather.is_day[0, 0]) in {0, 1}


@given(LATITUDES, LONGITUDES, TIMES, st.integers(0, 2**32))
@PATIENT
def test_it_is_determined_by_seed_place_and_time(latitude: float, longitude: float, seconds: int, seed: int) -> None:
    """Another process, or the same one later, answers the same."""
    one, other = (at(latitude, longitude, seconds, Weather(seed)) for _ in range(2))
    for field in dataclasses.fields(Conditions):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))


@given(st.lists(st.tuples(LATITUDES, LONGITUDES), min_size=1, max_size=5), st.lists(TIMES, min_size=1, max_size=5))
@PATIENT
def test_an_answer_does_not_depend_on_what_else_is_asked(points: list[tuple[float, float]], times: list[int]) -> None:
    """A series agrees with the present at the same time, and a crowd with each of its members."""
    latitude, longitude = zip(*points, strict=True)
    together = WEATHER.at(latitude, longitude, times)
    for row, point in enumerate(points):
        for column, seconds in enumerate(times):
            for name in CONTINUOUS:
                assert getattr(together, name)[row, column] == pytest.approx(
                    getattr(at(*point, seconds), name)[0, 0], abs=1e-9
                )


@given(LATITUDES, LONGITUDES, TIMES)
@PATIENT
def test_it_is_continuous_in_time(latitude: float, longitude: float, seconds: int) -> None:
    """A second changes next to nothing, also when a pattern is replaced or a year ends."""
    change = differences(at(latitude, longitude, seconds), at(latitude, longitude, seconds + 1))
    assert max(change.values()) < 0.05


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
@pytest.mark.parametrize("edge", [EPOCH, 1_798_761_600])
def test_nothing_jumps_when_a_pattern_is_replaced_or_a_year_ends(turn: int, edge: int) -> None:
    """Patterns are replaced while their weight is nought."""
    moments = [round(edge / LIFETIME_SECONDS + turn / 2) * LIFETIME_SECONDS + turn % 2 * LIFETIME_SECONDS / 2, edge]
    latitude, longitude = np.meshgrid(np.linspace(-90, 90, 37), np.linspace(-180, 175, 36))
    for moment in moments:
        before, after = (WEATHER.at(latitude.ravel(), longitude.ravel(), [moment + shift]) for shift in (-0.5, 0.5))
        assert max(differences(before, after).values()) < 0.01


@given(LATITUDES, LONGITUDES, TIMES, st.floats(-0.01, 0.01), st.floats(-0.01, 0.01))
@PATIENT
def test_it_is_continuous_in_space(latitude: float, longitude: float, seconds: int, north: float, east: float) -> None:
    """A kilometre changes little."""
    nearby = float(np.clip(latitude + north, -90, 90))
    change = differences(at(latitude, longitude, seconds), at(nearby, longitude + east, seconds))
    assert max(change.values()) < 0.6


@given(LATITUDES, TIMES)
@PATIENT
def test_the_date_line_is_a_line_like_any_other(latitude: float, seconds: int) -> None:
    """East and west of it the weather is one."""
    assert max(differences(at(latitude, -180, seconds), at(latitude, 180, seconds)).values()) < 1e-6


@given(st.sampled_from([-90.0, 90.0]), LONGITUDES, LONGITUDES, TIMES)
@PATIENT
def test_a_pole_is_one_point(pole: float, one: float, other: float, seconds: int) -> None:
    """Its weather does not depend on the meridian that it is reached by."""
    assert max(differences(at(pole, one, seconds), at(pole, other, seconds)).values()) < 1e-6


def test_another_seed_is_another_weather() -> None:
    """The climate stays, the highs and lows are elsewhere."""
    latitude, longitude = np.full(36, 50.0), np.arange(-180, 180, 10)
    one, other = (Weather(seed).at(latitude, longitude, [NOW]) for seed in (1, 2))
    assert np.abs(one.pressure - other.pressure).mean() > 3
    assert abs(float((one.temperature - other.temperature).mean())) < 5


def test_what_is_between_the_tropics_and_the_poles_travels_east() -> None:
    """A day later the pressure of the westerlies' latitudes looks like today's, shifted."""
    longitude = np.arange(0, 360, 0.5)
    today, tomorrow = (
        WEATHER.at(np.full(720, -50.0), longitude, [NOW + hours * 3600]).pressure[:, 0] for hours in (0, 24)
    )
    today, tomorrow = today - today.mean(), tomorrow - tomorrow.mean()
    likeness = [float((np.roll(today, shift) * tomorrow).sum()) for shift in range(-60, 61)]
    assert 2 <= (int(np.argmax(likeness)) - 60) * 0.5 <= 25


def test_speed_moves_the_weather_faster_and_leaves_the_sun_alone() -> None:
    """An hour at speed 24 changes the pressure as a day does; noon stays noon."""
    fast = Weather(speed=24)
    longitude = np.arange(-180, 180, 5)
    latitude = np.full(len(longitude), 50.0)

    def change(weather: Weather, seconds: float) -> float:
        pressure = weather.at(latitude, longitude, [NOW, NOW + seconds]).pressure
        return float(np.abs(pressure[:, 1] - pressure[:, 0]).mean())

    assert change(fast, 3600) > 5 * change(WEATHER, 3600)
    np.testing.assert_array_equal(
        fast.at(latitude, longitude, [NOW]).is_day, WEATHER.at(latitude, longitude, [NOW]).is_day
    )


def test_a_restart_finds_the_same_weather_at_any_speed() -> None:
    """The clock is stretched from a fixed moment, not from the process's start; there the highs and lows agree."""
    assert max(differences(at(50, 10, NOW, Weather(speed=60)), at(50, 10, NOW, Weather(speed=60))).values()) == 0
    longitude = np.arange(-180, 180, 5)
    fast, real = (
        weather.at(np.full(72, 50.0), longitude, [EPOCH]).pressure for weather in (Weather(speed=60), WEATHER)
    )
    assert np.abs(fast - real).max() < 4


def test_afternoons_are_warmer_than_nights_and_more_so_on_land() -> None:
    """The Sahara's day is wider than the Pacific's."""
    day = NOW // 86400 * 86400 + np.arange(0, 86400, 3600)
    sahara, pacific = (np.ptp(WEATHER.at([lat], [lon], day).temperature) for lat, lon in ((22.0, 5.0), (0.0, -150.0)))
    assert sahara > 6 > pacific
    hour = int(np.argmax(sun.day_and_night(0.0, 0.0, day, np.float64(1.0))))
    assert 13 <= hour <= 16


def test_summers_are_warmer_than_winters() -> None:
    """In each hemisphere at its own time."""
    july, january = 1_784_073_600, 1_768_435_200
    north = WEATHER.at([55.0], [40.0], [july, january]).temperature[0]
    south = WEATHER.at([-25.0], [135.0], [july, january]).temperature[0]
    assert north[0] > north[1] + 10
    assert south[1] > south[0] + 3


def test_continents_stay_in_place() -> None:
    """Averaged over months Tibet is cold for its latitude and the Sahara is dry."""
    days = NOW - np.arange(0, 90 * 86400, 43200)
    assert (
        WEATHER.at([33.0], [88.0], days).temperature.mean() < WEATHER.at([33.0], [-150.0], days).temperature.mean() - 8
    )
    assert WEATHER.at([22.0], [10.0], days).humidity.mean() < WEATHER.at([22.0], [-40.0], days).humidity.mean() - 20


def test_winds_blow_round_lows_the_right_way() -> None:
    """With a low to the west the wind comes from the south in the north, and from the north in the south."""
    longitude = np.arange(-180, 180, 2.5)
    for latitude, sign in ((50.0, 1.0), (-50.0, -1.0)):
        weather = WEATHER.at(np.full(144, latitude), longitude, NOW + np.arange(0, 60 * 86400, 86400))
        eastward = np.roll(weather.pressure, -2, axis=0) - np.roll(weather.pressure, 2, axis=0)
        assert sign * np.corrcoef(eastward.ravel(), weather.wind_v.ravel())[0, 1] > 0.4


def test_a_thousand_locations_with_three_days_take_a_moment(weather: Weather) -> None:
    """The bound is ten times what it takes on a slow machine."""
    begin = time.perf_counter()
    weather.at(np.linspace(-80, 80, 1000), np.linspace(-180, 180, 1000), NOW + 3600 * np.arange(-24, 49))
    assert time.perf_counter() - begin < 3.0
