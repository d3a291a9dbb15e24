"""Real weather set in motion: any point at any time, the same for everyone who asks.

What belongs to a place (the climate of its latitude, land and sea, height, season, the time of day) stays there. What
is left of the real fields, the highs, lows and fronts, travels: eastward with the westerlies, westward in the tropics.

A pattern that is carried at speeds that differ by latitude would be sheared to stripes within weeks. So two patterns
take turns: each lives for `LIFETIME_SECONDS`, grows and fades, and is replaced unseen, while it is at nought, by
another one: another of the real fields, turned by another angle, drawn from the seed and the number of its turn. The
squares of their two weights add up to one, so that the weather is equally strong at all times. Temperature, humidity,
wind and pressure of a pattern travel together: winds keep circling their lows.

Everything is a function of seed, place and time alone, continuous in all three coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from isotherm_simulator import codes, sun
from isotherm_simulator.fields import (
    COLUMNS,
    JANUARY,
    JULY,
    OCTOBER,
    ROWS,
    STEP_DEGREES,
    TRAVELLING,
    Array,
    friction_factor,
    load,
)

if TYPE_CHECKING:
    import numpy.typing as npt

LIFETIME_SECONDS = 8 * 86400.0
EPOCH = 1_767_225_600
"""2026-01-01T00:00Z, where sped-up weather and real time agree."""
_DEGREE_M = 111_195.0
_STRENGTH = {"temperature": 1.1, "humidity": 1.1, "u": 1.4, "v": 1.4, "pressure": 1.2}
"""Makes up for what smoothing took from what travels."""


@dataclass(frozen=True)
class Conditions:
    """The weather as arrays [points, times], in SI units.

    Attributes:
        temperature: °C.
        humidity: relative, %.
        wind_u: eastward, m/s.
        wind_v: northward, m/s.
        gusts: m/s.
        pressure: hPa at sea level.
        code: WMO 4677.
        is_day: 1 or 0.
    """

    temperature: Array
    humidity: Array
    wind_u: Array
    wind_v: Array
    gusts: Array
    pressure: Array
    code: Array
    is_day: Array

    @property
    def wind_speed(self) -> Array:
        """The wind's speed in m/s."""
        return np.hypot(self.wind_u, self.wind_v)

    @property
    def wind_direction(self) -> Array:
        """Where the wind comes from, in degrees from north through east."""
        return np.degrees(np.arctan2(-self.wind_u, -self.wind_v)) % 360.0


class Weather:
    """The weather of one seed.

    Args:
        seed: another seed is another weather.
        speed: how many times faster than real its patterns travel and change. The season and the time of day keep
            to the real clock, so that noon stays warm; series asked for at `speed` > 1 change as fast.
    """

    def __init__(self, seed: int = 0, speed: float = 1.0) -> None:
        self._fields = load()
        self._seed = seed
        self._speed = speed

    def elevation(self, latitude: Array, longitude: Array) -> Array:
        """Return the ground's height in m."""
        return _Place(latitude, longitude).sample(self._fields.elevation)

    def land(self, latitude: Array, longitude: Array) -> Array:
        """Return the share of land, from 0 to 1."""
        return _Place(latitude, longitude).sample(self._fields.land)

    def at(self, latitude: npt.ArrayLike, longitude: npt.ArrayLike, seconds: npt.ArrayLike) -> Conditions:
        """Return the weather at every point at every time.

        Args:
            latitude: [points] degrees north.
            longitude: [points] degrees east.
            seconds: [times] Unix time.
        """
        phi = np.asarray(latitude, dtype=np.float64)[:, None]
        lam = np.asarray(longitude, dtype=np.float64)[:, None]
        time = np.asarray(seconds, dtype=np.float64)[None, :]
        here = _Place(phi, lam)
        land = here.sample(self._fields.land)
        moving = self._moving(phi, lam, time[0])
        season = sun.season(time)
        values = {
            name: _blend(season, here.sample(self._fields.staying[name])) + _STRENGTH[name] * moving[index]
            for index, name in enumerate(TRAVELLING)
        }
        by_day = sun.day_and_night(phi, lam, time, land)
        friction = friction_factor(land)
        u, v = values["u"] * friction, values["v"] * friction
        temperature = _within(values["temperature"] + by_day, -75.0, 45.0, 8.0)
        humidity = _within(values["humidity"] - 2.2 * by_day, 6.0, 100.0, 6.0)
        speed = np.hypot(u, v)
        pressure = values["pressure"]
        return Conditions(
            temperature=temperature,
            humidity=humidity,
            wind_u=u,
            wind_v=v,
            gusts=speed * (1.25 + 0.25 * land) + 0.5 + 0.25 * np.clip(by_day, 0.0, None),
            pressure=pressure,
            code=codes.guess(temperature, humidity, pressure, speed),
            is_day=(sun.height(phi, lam, time) > 0).astype(np.float64),
        )

    def _moving(self, phi: Array, lam: Array, seconds: Array) -> Array:
        """Return the travelling part [variables, points, times]."""
        clock = EPOCH + (seconds - EPOCH) * self._speed
        drift = _degrees_a_second(phi)
        total = np.zeros((len(TRAVELLING), len(phi), len(seconds)))
        for half in (0.0, 0.5):
            turn = np.floor(clock / LIFETIME_SECONDS + half)
            age = (clock / LIFETIME_SECONDS + half - turn - 0.5) * LIFETIME_SECONDS
            weight = np.cos(np.pi * age / LIFETIME_SECONDS)
            for number in np.unique(turn):
                when = np.flatnonzero(turn == number)
                for source, strength, angle in self._patterns(round(2 * (number - half))):
                    upstream = _Place(np.broadcast_to(phi, (len(phi), len(when))), lam - drift * age[when] - angle)
                    total[:, :, when] += strength * weight[when] * upstream.sample(self._fields.travelling[source])
        return total

    def _patterns(self, turn: int) -> list[tuple[int, float, float]]:
        """Return which real fields make up a pattern: source, strength, angle.

        The season is that of the pattern's begin by the real calendar, so that it is one thing all its life.

        Args:
            turn: the number of half lifetimes since 1970 after which it begins.
        """
        begin = turn * LIFETIME_SECONDS / 2
        season = float(sun.season(EPOCH + (begin - EPOCH) / self._speed))
        angles = np.random.default_rng((self._seed, turn % 2**63)).uniform(0.0, 360.0, 2)
        solstice = JANUARY if season > 0 else JULY
        return [
            (OCTOBER, float(np.sqrt(1 - abs(season))), float(angles[0])),
            (solstice, float(np.sqrt(abs(season))), float(angles[1])),
        ]


class _Place:
    """Points between the grid's rows and columns, and the four weights of each.

    Args:
        latitude: degrees north, any shape.
        longitude: degrees east, of a shape that goes with it; any number of turns.
    """

    def __init__(self, latitude: Array, longitude: Array) -> None:
        row = (90.0 - latitude) / STEP_DEGREES
        north = np.clip(np.floor(row), 0, ROWS - 2)
        column = (longitude / STEP_DEGREES) % COLUMNS
        west = np.floor(column)
        down, right = row - north, column - west
        first_row, first_column = north.astype(np.intp), west.astype(np.intp) % COLUMNS
        next_column = (first_column + 1) % COLUMNS
        self._corners = [
            (first_row * COLUMNS + first_column, (1 - down) * (1 - right)),
            (first_row * COLUMNS + next_column, (1 - down) * right),
            ((first_row + 1) * COLUMNS + first_column, down * (1 - right)),
            ((first_row + 1) * COLUMNS + next_column, down * right),
        ]

    def sample(self, field: Array) -> Array:
        """Interpolate [..., rows, columns] to [..., the points' shape]."""
        flat = field.reshape(*field.shape[:-2], ROWS * COLUMNS)
        result: Array = sum(flat[..., index] * weight for index, weight in self._corners)
        return result


def _blend(season: Array, sources: Array) -> Array:
    """Mix October, January and July by the season, from -1 in July to 1 in January."""
    winter, summer = np.clip(season, 0.0, 1.0), np.clip(-season, 0.0, 1.0)
    mixed: Array = (1.0 - winter - summer) * sources[OCTOBER] + winter * sources[JANUARY] + summer * sources[JULY]
    return mixed


def _degrees_a_second(latitude: Array) -> Array:
    """Return how fast patterns travel eastward: westerlies in middle latitudes, trade winds in the tropics."""
    metres = 11.0 * np.exp(-(((np.abs(latitude) - 48.0) / 17.0) ** 2)) - 5.0 * np.exp(-((latitude / 15.0) ** 2))
    return metres / (_DEGREE_M * np.maximum(np.cos(np.radians(latitude)), 0.2))


def _within(values: Array, low: float, high: float, margin: float) -> Array:
    """Keep values between two bounds, bending softly within a margin before each."""
    top, bottom = high - margin, low + margin
    values = np.where(values > top, top + margin * np.tanh((values - top) / margin), values)
    return np.where(values < bottom, bottom - margin * np.tanh((bottom - values) / margin), values)
