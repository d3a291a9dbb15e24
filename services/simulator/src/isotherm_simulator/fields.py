"""Two real global weather fields, taken apart into what stays in place and what travels.

The fields are NOAA GFS forecasts (public domain): 11 October 2011 00:00 UTC and 15 January 2011 12:00 UTC, 2.5° apart.
July is not among them: it is January with the hemispheres exchanged where that is fair (what travels, the winds'
zonal means) and the other side of October where it is not (temperature).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib import resources
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from isotherm_simulator import sun

Array: TypeAlias = npt.NDArray[np.float64]

ROWS, COLUMNS, STEP_DEGREES = 73, 144, 2.5
TRAVELLING = ("temperature", "humidity", "u", "v", "pressure")
"""The order of the travelling fields in `Fields.travelling`."""
OCTOBER, JANUARY, JULY = range(3)
"""The sources, the first index of the arrays in `Fields`."""
_TAKEN_AT = {"october": 1318291200, "january": 1295092800}
_LAPSE_PER_M = 0.0055
_STAYING_WAVES = 3
"""Zonal waves up to this number belong to continents and oceans; the shorter ones are the weather that travels."""
_SHORTEST_WAVES = 22.0
"""Waves much shorter than this are the ground's roughness: on the way elsewhere they would look like noise."""
_BOUND_TO_GROUND = frozenset({"temperature", "humidity"})
"""What such short waves belong to a place in; in the others they are dropped."""
_SUMMER = 0.8
"""How far July lies on the other side of October than January."""


@dataclass(frozen=True)
class Fields:
    """What `weather` is made of.

    Attributes:
        land: [rows, columns] from 0, sea, to 1.
        elevation: [rows, columns] in m.
        staying: name to [3 sources, rows, columns].
        travelling: [3 sources, 5 variables of `TRAVELLING`, rows, columns], deviations with a zonal mean of nought.
    """

    land: Array
    elevation: Array
    staying: dict[str, Array]
    travelling: Array


@functools.cache
def load() -> Fields:
    """Read the fields and take them apart."""
    with (
        resources.files("isotherm_simulator").joinpath("weather-fields.npz").open("rb") as file,
        np.load(file) as raw,
    ):
        arrays = {name: raw[name].astype(np.float64) for name in raw.files}
    land = _smooth(arrays["land"])
    elevation = np.maximum(_smooth(arrays["elevation"]), 0.0)
    seasons = [_season(arrays, name, land, elevation) for name in ("october", "january")]
    october, january = seasons
    staying = {
        name: np.stack([october.staying(name), january.staying(name), _july(name, october, january, land)])
        for name in TRAVELLING
    }
    staying["temperature"] -= _LAPSE_PER_M * elevation
    for name in ("u", "v"):
        # At a pole every direction is south or north: only a wind of nought is the same from all sides.
        staying[name][:, [0, -1]] = 0.0
    mirrored = january.travelling[:, ::-1, :].copy()
    mirrored[TRAVELLING.index("v")] *= -1
    return Fields(land, elevation, staying, np.stack([october.travelling, january.travelling, mirrored]))


@dataclass(frozen=True)
class _Parts:
    """One variable of one field, taken apart.

    Attributes:
        mean: [rows, 1] the zonal mean.
        slope: [rows, 1] how much warmer, moister ... land is than sea.
        contrast: [rows, columns] land, less its zonal mean.
        waves: [rows, columns] what else belongs to the place.
        travels: [rows, columns] the weather.
    """

    mean: Array
    slope: Array
    contrast: Array
    waves: Array
    travels: Array


@dataclass(frozen=True)
class _Season:
    parts: dict[str, _Parts]

    def staying(self, name: str) -> Array:
        parts = self.parts[name]
        return parts.mean + parts.slope * parts.contrast + parts.waves

    @property
    def travelling(self) -> Array:
        return np.stack([self.parts[name].travels for name in TRAVELLING])


def _july(name: str, october: _Season, january: _Season, land: Array) -> Array:
    """Return what stays in July."""
    autumn, winter = october.parts[name], january.parts[name]
    contrast = land - land.mean(axis=1, keepdims=True)
    if name == "temperature":
        mean = autumn.mean - _SUMMER * (winter.mean - autumn.mean)
        slope = autumn.slope - _SUMMER * (winter.slope - autumn.slope)
    else:
        sign = -1.0 if name == "v" else 1.0
        mean, slope = sign * winter.mean[::-1], sign * winter.slope[::-1]
    stays: Array = mean + slope * contrast + autumn.waves
    return stays


def _season(arrays: dict[str, Array], name: str, land: Array, elevation: Array) -> _Season:
    raw = {
        "temperature": arrays[f"{name}_temperature_2m"] / 100,
        "humidity": arrays[f"{name}_relative_humidity_2m"] / 10,
        "u": arrays[f"{name}_wind_u_10m"] / 100,
        "v": arrays[f"{name}_wind_v_10m"] / 100,
        "pressure": arrays[f"{name}_pressure_msl"] / 10,
    }
    latitude = np.linspace(90, -90, ROWS)[:, None]
    longitude = np.arange(COLUMNS)[None, :] * STEP_DEGREES
    raw["temperature"] -= sun.day_and_night(latitude, longitude, np.float64(_TAKEN_AT[name]), land)
    raw["temperature"] += _LAPSE_PER_M * elevation
    friction = friction_factor(land)
    raw["u"] /= friction
    raw["v"] /= friction
    return _Season({variable: _take_apart(variable, raw[variable], land) for variable in TRAVELLING})


def friction_factor(land: Array) -> Array:
    """Return how much of the open sea's wind blows over ground with this share of land."""
    return 1.1 - 0.4 * land


def _take_apart(variable: str, field: Array, land: Array) -> _Parts:
    mean = field.mean(axis=1, keepdims=True)
    contrast = land - land.mean(axis=1, keepdims=True)
    slope = (contrast * (field - mean)).sum(axis=1) / ((contrast**2).sum(axis=1) + 1.0)
    slope = np.convolve(np.pad(slope, 3, mode="edge"), np.ones(7) / 7, mode="valid")[:, None]
    rest = field - mean - slope * contrast
    spectrum = np.fft.rfft(rest, axis=1)
    number = np.arange(spectrum.shape[1])
    travels = np.where(number <= _STAYING_WAVES, 0.0, np.exp(-((number / _SHORTEST_WAVES) ** 2)))
    moving = _smooth(np.fft.irfft(spectrum * travels, n=COLUMNS, axis=1))
    waves = np.fft.irfft(spectrum * (number <= _STAYING_WAVES), n=COLUMNS, axis=1)
    if variable in _BOUND_TO_GROUND:
        waves = rest - moving
    if variable in {"u", "v"}:
        moving[[0, -1]] = 0.0
    return _Parts(mean, slope, contrast, waves, moving)


def _smooth(field: Array) -> Array:
    """Soften coasts and slopes a little, so that the map of a coarse grid has no steps."""
    east, west = np.roll(field, 1, axis=1), np.roll(field, -1, axis=1)
    rows = np.pad(0.5 * field + 0.25 * (east + west), ((1, 1), (0, 0)), mode="edge")
    smooth = 0.5 * rows[1:-1] + 0.25 * (rows[:-2] + rows[2:])
    smooth[[0, -1]] = smooth[[0, -1]].mean(axis=1, keepdims=True)
    return smooth
