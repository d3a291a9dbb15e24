"""Where the sun stands, and what it makes of day and night."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]

_YEAR_SECONDS = 365.2425 * 86400
_COLDEST = 14.5 * 86400
"""Seconds from the year's begin to the middle of January, where the two fields' difference is largest."""
_SOLSTICE = -10.0 * 86400
_OBLIQUITY = 23.44
_WARMEST_HOUR = 15.0


def season(seconds: npt.ArrayLike) -> Array:
    """Return 1 in the middle of January, -1 in the middle of July and a smooth way between."""
    result: Array = np.cos(2 * np.pi * (np.asarray(seconds, dtype=np.float64) - _COLDEST) / _YEAR_SECONDS)
    return result


def declination(seconds: npt.ArrayLike) -> Array:
    """Return the latitude in degrees where the sun stands overhead."""
    result: Array = -_OBLIQUITY * np.cos(
        2 * np.pi * (np.asarray(seconds, dtype=np.float64) - _SOLSTICE) / _YEAR_SECONDS
    )
    return result


def height(latitude: npt.ArrayLike, longitude: npt.ArrayLike, seconds: npt.ArrayLike) -> Array:
    """Return the sine of the sun's height above the horizon."""
    latitude, longitude, seconds = np.asarray(latitude), np.asarray(longitude), np.asarray(seconds, dtype=np.float64)
    hour_angle = np.radians((seconds / 240.0 + longitude - 180.0) % 360.0)
    phi, delta = np.radians(latitude), np.radians(declination(seconds))
    result: Array = np.sin(phi) * np.sin(delta) + np.cos(phi) * np.cos(delta) * np.cos(hour_angle)
    return result


def day_and_night(latitude: npt.ArrayLike, longitude: npt.ArrayLike, seconds: npt.ArrayLike, land: Array) -> Array:
    """Return by how many °C the time of day moves the temperature: much over land, little over sea."""
    latitude, longitude, seconds = np.asarray(latitude), np.asarray(longitude), np.asarray(seconds, dtype=np.float64)
    noon = np.clip(np.cos(np.radians(latitude - declination(seconds))), 0.0, 1.0)
    # What counts is the difference between noon and midnight: a polar day has none, a polar night neither.
    swing = noon * np.cos(np.radians(latitude))
    hour = seconds / 3600.0 + longitude / 15.0 - _WARMEST_HOUR
    wave = np.cos(2 * np.pi * hour / 24.0) + 0.2 * np.cos(4 * np.pi * hour / 24.0)
    result: Array = (0.4 + 5.6 * land) * swing * wave
    return result
