"""The model's grid: an answer is that of a cell near the point asked for, and says so by its coordinates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from isotherm_simulator.fields import Array
    from isotherm_simulator.weather import Weather

Selection: TypeAlias = Literal["land", "sea", "nearest"]

STEP_DEGREES = 180 / 1536
"""No multiple of it is a round number but the equator's and the poles': cells are never quite where they are asked for."""
_LAND = 0.5


def snap(latitude: Array, longitude: Array) -> tuple[Array, Array]:
    """Return the nearest cell of each point: latitude -90 to 90, longitude -180 up to but not 180."""
    rows = np.rint((latitude + 90.0) / STEP_DEGREES)
    columns = np.rint((longitude + 180.0) / STEP_DEGREES)
    return _coordinates(rows, columns)


def select(weather: Weather, latitude: Array, longitude: Array, selection: Selection) -> tuple[Array, Array]:
    """Return the cell of each point: the nearest, or a neighbour of it that is land, or sea, when there is one."""
    if selection == "nearest":
        return snap(latitude, longitude)
    rows = np.rint((latitude + 90.0) / STEP_DEGREES)[:, None]
    columns = np.rint((longitude + 180.0) / STEP_DEGREES)[:, None]
    offsets = sorted(
        ((down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)), key=lambda o: o[0] ** 2 + o[1] ** 2
    )
    down, right = np.array(offsets, dtype=np.float64).T
    near_latitude, near_longitude = _coordinates(np.clip(rows + down, 0, 1536), columns + right)
    is_land = weather.land(near_latitude, near_longitude) >= _LAND
    wanted = is_land if selection == "land" else ~is_land
    first = np.where(wanted.any(axis=1), wanted.argmax(axis=1), 0)
    each = np.arange(len(first))
    return near_latitude[each, first], near_longitude[each, first]


def _coordinates(rows: Array, columns: Array) -> tuple[Array, Array]:
    return rows * STEP_DEGREES - 90.0, (columns * STEP_DEGREES) % 360.0 - 180.0
