"""The variables that can be asked for, under Open-Meteo's names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from isotherm_simulator import units

if TYPE_CHECKING:
    from collections.abc import Callable

    from isotherm_simulator.fields import Array
    from isotherm_simulator.units import TemperatureUnit, Unit, WindSpeedUnit
    from isotherm_simulator.weather import Conditions


@dataclass(frozen=True)
class Variable:
    """One variable.

    Attributes:
        read: takes it from the weather, in SI units.
        unit: its unit, or whose choice it is.
    """

    read: Callable[[Conditions], Array]
    unit: Unit | Literal["temperature", "wind_speed"]

    def unit_for(self, temperature: TemperatureUnit, wind_speed: WindSpeedUnit) -> Unit:
        """Return its unit under the choices of a request."""
        if self.unit == "temperature":
            return units.TEMPERATURE[temperature]
        if self.unit == "wind_speed":
            return units.WIND_SPEED[wind_speed]
        return self.unit


_TEMPERATURE = Variable(lambda weather: weather.temperature, "temperature")
_SPEED = Variable(lambda weather: weather.wind_speed, "wind_speed")
_DIRECTION = Variable(lambda weather: weather.wind_direction, units.DEGREES)
_CODE = Variable(lambda weather: weather.code, units.WMO_CODE)
_IS_DAY = Variable(lambda weather: weather.is_day, units.FLAG)

VARIABLES = {
    "temperature_2m": _TEMPERATURE,
    "relative_humidity_2m": Variable(lambda weather: weather.humidity, units.PERCENT),
    "wind_speed_10m": _SPEED,
    "wind_direction_10m": _DIRECTION,
    "wind_gusts_10m": Variable(lambda weather: weather.gusts, "wind_speed"),
    "pressure_msl": Variable(lambda weather: weather.pressure, units.HECTOPASCAL),
    "weather_code": _CODE,
    "is_day": _IS_DAY,
}
CURRENT_WEATHER = {
    "temperature": _TEMPERATURE,
    "windspeed": _SPEED,
    "winddirection": _DIRECTION,
    "is_day": _IS_DAY,
    "weathercode": _CODE,
}
"""What the older `current_weather=true` answers, under its own names."""
