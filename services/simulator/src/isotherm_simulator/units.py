"""Units as a request may choose them: symbol, conversion from SI, decimals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from isotherm_simulator.fields import Array

TemperatureUnit: TypeAlias = Literal["celsius", "fahrenheit"]
WindSpeedUnit: TypeAlias = Literal["kmh", "ms", "mph", "kn"]


@dataclass(frozen=True)
class Unit:
    """How a quantity is written.

    Attributes:
        symbol: as Open-Meteo writes it.
        factor: from SI.
        offset: added after the factor.
        decimals: of the rounded value.
        wraps_at: a rounded value that means nought (a full circle).
    """

    symbol: str
    factor: float = 1.0
    offset: float = 0.0
    decimals: int = 0
    wraps_at: int | None = None

    def write(self, values: Array) -> Array:
        """Convert from SI and round."""
        rounded: Array = np.round(values * self.factor + self.offset, self.decimals) + 0.0
        return rounded if self.wraps_at is None else rounded % self.wraps_at


TEMPERATURE: dict[TemperatureUnit, Unit] = {
    "celsius": Unit("°C", decimals=1),
    "fahrenheit": Unit("°F", factor=1.8, offset=32.0, decimals=1),
}
WIND_SPEED: dict[WindSpeedUnit, Unit] = {
    "kmh": Unit("km/h", factor=3.6, decimals=1),
    "ms": Unit("m/s", decimals=2),
    "mph": Unit("mp/h", factor=3600 / 1609.344, decimals=1),
    "kn": Unit("kn", factor=3600 / 1852, decimals=1),
}
PERCENT = Unit("%")
DEGREES = Unit("°", wraps_at=360)
HECTOPASCAL = Unit("hPa", decimals=1)
WMO_CODE = Unit("wmo code")
FLAG = Unit("")
