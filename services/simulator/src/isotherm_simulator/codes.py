"""Weather codes (WMO 4677) guessed from the state of the air."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from isotherm_simulator.fields import Array

_CLEAR, _MAINLY_CLEAR, _PARTLY_CLOUDY, _OVERCAST, _FOG, _DRIZZLE, _THUNDERSTORM = 0.0, 1.0, 2.0, 3.0, 45.0, 51.0, 95.0
_RAIN, _SNOW = (61.0, 63.0, 65.0), (71.0, 73.0, 75.0)
_CLOUD_STEPS = (-1.2, -0.2, 0.6)
"""How wet the air is at least for each step from a clear sky to an overcast one."""
_FALLS_FROM, _RAINS_FROM, _MODERATE_FROM, _HEAVY_FROM, _THUNDERS_FROM = 1.6, 1.9, 2.2, 3.2, 2.6
_FREEZING, _SULTRY = 0.5, 23.0
_FOG_HUMIDITY, _FOG_WIND = 96.0, 2.0


def guess(temperature: Array, humidity: Array, pressure: Array, speed: Array) -> Array:
    """Return the code: the moister the air and the lower the pressure, the worse the weather.

    Args:
        temperature: in °C.
        humidity: relative, in %.
        pressure: at sea level, in hPa.
        speed: the wind's, in m/s.
    """
    wet = (humidity - 76.0) / 8.0 + (1010.0 - pressure) / 14.0
    clouds = np.select(
        [wet < step for step in _CLOUD_STEPS], [_CLEAR, _MAINLY_CLEAR, _PARTLY_CLOUDY], default=_OVERCAST
    )
    heaviness = [wet < _MODERATE_FROM, wet < _HEAVY_FROM]
    rain = np.select(heaviness, _RAIN[:2], default=_RAIN[2])
    snow = np.select(heaviness, _SNOW[:2], default=_SNOW[2])
    falling = np.select(
        [temperature < _FREEZING, (temperature > _SULTRY) & (wet > _THUNDERS_FROM), wet < _RAINS_FROM],
        [snow, _THUNDERSTORM, _DRIZZLE],
        default=rain,
    )
    fog = (humidity > _FOG_HUMIDITY) & (speed < _FOG_WIND)
    return np.select([wet > _FALLS_FROM, fog], [falling, _FOG], default=clouds)
