"""A forecast request: its parameters, checked in Open-Meteo's order and refused in its words."""

from __future__ import annotations

import math
import zoneinfo
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

import numpy as np

from isotherm_simulator.errors import BadRequestError
from isotherm_simulator.units import TEMPERATURE, WIND_SPEED
from isotherm_simulator.variables import CURRENT_WEATHER, VARIABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from isotherm_simulator.grid import Selection
    from isotherm_simulator.units import TemperatureUnit, WindSpeedUnit

T = TypeVar("T")

MAXIMUM_LOCATIONS = 1000
_DEFAULT_FORECAST_DAYS = 7
_MAXIMUM_FORECAST_DAYS = 16
_MAXIMUM_PAST_DAYS = 92
_DAY, _HOUR = 86400, 3600
_VARIABLE_TYPE = (
    "SurfacePressureAndHeightVariable<VariableAndPreviousDay, ForecastPressureVariable, ForecastHeightVariable>"
)
_MODELS_TYPE = "MultiDomains"
_NOT_SIMULATED = (
    "daily", "minutely_15", "weekly", "monthly", "six_hourly", "bounding_box", "run", "start_date", "end_date",
    "start_hour", "end_hour", "start_minutely_15", "end_minutely_15", "past_minutely_15", "forecast_minutely_15",
    "initial_hours", "initial_minutely_15", "temporal_resolution",
)  # fmt: skip


@dataclass(frozen=True)
class Query:
    """A request that can be answered.

    Attributes:
        latitude: of each location.
        longitude: of each location.
        elevation: of each location in m, None for the ground's own, NaN for the cell's.
        location_ids: what the answers are numbered by.
        current: variables of the present; None when it is not asked for.
        current_weather: whether the present is asked for in the older form.
        hourly: variables of the series.
        past_days: days before today.
        forecast_days: days from today on.
        past_hours: hours before this one; None when the days say it.
        forecast_hours: hours from this one on.
        temperature_unit: a key of `units.TEMPERATURE`.
        wind_speed_unit: a key of `units.WIND_SPEED`.
        unix_time: whether times are written as Unix seconds.
        cell_selection: which cell stands for a point.
    """

    latitude: tuple[float, ...]
    longitude: tuple[float, ...]
    elevation: tuple[float, ...] | None
    location_ids: tuple[int, ...]
    current: tuple[str, ...] | None
    current_weather: bool
    hourly: tuple[str, ...]
    past_days: int
    forecast_days: int
    past_hours: int | None
    forecast_hours: int | None
    temperature_unit: TemperatureUnit
    wind_speed_unit: WindSpeedUnit
    unix_time: bool
    cell_selection: Selection

    @property
    def weight(self) -> float:
        """What the request costs: a location is 1 up to 10 variables and 14 days, and more in proportion."""
        current = CURRENT_WEATHER if self.current_weather else self.current or ()
        variables = (len(self.hourly) + len(current)) / 10
        days = (self.past_days + self.forecast_days) / 14
        return len(self.latitude) * max(1.0, variables, variables * days)

    def hours(self, now: float) -> list[int]:
        """Return the times of the hourly series in Unix seconds."""
        if self.past_hours is None and self.forecast_hours is None:
            today = int(now // _DAY) * _DAY
            return list(range(today - self.past_days * _DAY, today + self.forecast_days * _DAY, _HOUR))
        this = int(now // _HOUR) * _HOUR
        forecast = _MAXIMUM_FORECAST_DAYS * 24 if self.forecast_hours is None else self.forecast_hours
        return list(range(this - (self.past_hours or 0) * _HOUR, this + forecast * _HOUR, _HOUR))


def parse(parameters: Mapping[str, Sequence[object]]) -> Query:
    """Check a request's parameters.

    Args:
        parameters: name to its values, in order; a value may be a list separated by commas.

    Raises:
        BadRequestError: one is wrong.
    """
    reader = _Reader(parameters)
    latitude, longitude = reader.floats("latitude"), reader.floats("longitude")
    elevation = reader.floats("elevation")
    numbers = reader.whole_numbers("location_id")
    current_weather = reader.flag("current_weather")
    temperature = reader.choice("temperature_unit", TEMPERATURE, "TemperatureUnit", "celsius")
    old_name = reader.choice("windspeed_unit", WIND_SPEED, "WindspeedUnit", "kmh")
    wind = reader.choice("wind_speed_unit", WIND_SPEED, "WindspeedUnit", old_name)
    time_format = reader.choice("timeformat", ("iso8601", "unixtime"), "Timeformat", "iso8601")
    cells = reader.choice("cell_selection", ("land", "sea", "nearest"), "GridSelectionMode", "land")
    reader.choice("format", ("json",), "ForecastResultFormat", "json")
    past_days, forecast_days = reader.number("past_days"), reader.number("forecast_days")
    past_hours, forecast_hours = reader.number("past_hours"), reader.number("forecast_hours")
    _check_simulated(reader)
    current, hourly = reader.names("current"), reader.names("hourly")
    _check_locations(latitude, longitude, elevation, numbers)
    _check_timezones(reader, len(latitude))
    _check_range("Forecast", forecast_days, _MAXIMUM_FORECAST_DAYS)
    _check_range("Past", past_days, _MAXIMUM_PAST_DAYS)
    _check_range("Forecast", forecast_hours, _MAXIMUM_FORECAST_DAYS * 24)
    _check_range("Past", past_hours, _MAXIMUM_PAST_DAYS * 24)
    return Query(
        latitude=latitude,
        longitude=longitude,
        elevation=elevation or None,
        location_ids=numbers or tuple(range(len(latitude))),
        current=None if current_weather else current or None,
        current_weather=current_weather,
        hourly=hourly,
        past_days=past_days or 0,
        forecast_days=_DEFAULT_FORECAST_DAYS if forecast_days is None else forecast_days,
        past_hours=past_hours,
        forecast_hours=forecast_hours,
        temperature_unit=cast("TemperatureUnit", temperature),
        wind_speed_unit=cast("WindSpeedUnit", wind),
        unix_time=time_format == "unixtime",
        cell_selection=cast("Selection", cells),
    )


class _Reader:
    """Reads single parameters; an empty one counts as not given."""

    def __init__(self, parameters: Mapping[str, Sequence[object]]) -> None:
        self._parameters = parameters

    def texts(self, name: str) -> list[str]:
        return [
            part.strip() for value in self._parameters.get(name, ()) for part in _text(value).split(",") if part.strip()
        ]

    def floats(self, name: str) -> tuple[float, ...]:
        # Open-Meteo computes in 32 bits: what it reports back is rounded so.
        return tuple(float(np.float32(value)) for value in self._each(name, float, "Float"))

    def whole_numbers(self, name: str) -> tuple[int, ...]:
        return self._each(name, int, "Int")

    def _each(self, name: str, convert: Callable[[str], T], kind: str) -> tuple[T, ...]:
        values = []
        for text in self.texts(name):
            try:
                values.append(convert(text))
            except ValueError:
                raise _corrupted(kind, text) from None
        return tuple(values)

    def number(self, name: str) -> int | None:
        try:
            return int(self.texts(name)[0]) if self.texts(name) else None
        except ValueError:
            message = f"Value of type 'Int' required for key '{name}'."
            raise BadRequestError(message) from None

    def flag(self, name: str) -> bool:
        text = (self.texts(name) or ["false"])[0].lower()
        if text not in {"true", "false", "1", "0"}:
            message = f"Value of type 'Bool' required for key '{name}'."
            raise BadRequestError(message)
        return text in {"true", "1"}

    def choice(self, name: str, choices: Iterable[str], kind: str, default: str) -> str:
        text = (self.texts(name) or [default])[0]
        if text not in choices:
            raise _corrupted(kind, text, path=name)
        return text

    def names(self, name: str) -> tuple[str, ...]:
        names = self.texts(name)
        for text in names:
            if text not in VARIABLES:
                raise _corrupted(_VARIABLE_TYPE, text)
        return tuple(dict.fromkeys(names))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _corrupted(kind: str, text: str, path: str = "") -> BadRequestError:
    return BadRequestError(
        f"Data corrupted at path '{path}'. Cannot initialize {kind} from invalid String value {text}."
    )


def _check_simulated(reader: _Reader) -> None:
    for name in _NOT_SIMULATED:
        if reader.texts(name):
            message = f"The simulator does not know parameter '{name}'"
            raise BadRequestError(message)
    for model in reader.texts("models"):
        if model not in {"best_match", "auto"}:
            raise _corrupted(_MODELS_TYPE, model)


def _check_locations(
    latitude: Sequence[float], longitude: Sequence[float], elevation: Sequence[float], numbers: Sequence[int]
) -> None:
    if len(latitude) != len(longitude) or (numbers and len(numbers) != len(latitude)):
        message = "Parameter 'latitude' and 'longitude' must have the same number of elements"
        raise BadRequestError(message)
    if not latitude:
        message = "Parameter 'latitude' and 'longitude' must not be empty"
        raise BadRequestError(message)
    if elevation and len(elevation) != len(latitude):
        message = "Parameter 'elevation' must have the same number of elements as coordinates"
        raise BadRequestError(message)
    for phi, lam in zip(latitude, longitude, strict=True):
        if math.isnan(phi) or not -90 <= phi <= 90:  # noqa: PLR2004 - the poles
            message = f"Latitude must be in range of -90 to 90°. Given: {phi}."
            raise BadRequestError(message)
        if math.isnan(lam) or not -180 <= lam <= 180:  # noqa: PLR2004 - the date line
            message = f"Longitude must be in range of -180 to 180°. Given: {lam}."
            raise BadRequestError(message)
    if len(latitude) > MAXIMUM_LOCATIONS:
        message = f"Only up to {MAXIMUM_LOCATIONS} locations can be requested at once"
        raise BadRequestError(message)


def _check_timezones(reader: _Reader, locations: int) -> None:
    zones = reader.texts("timezone")
    for zone in zones:
        if zone == "auto" or (zone not in {"GMT", "UTC"} and zone in zoneinfo.available_timezones()):
            message = f"The simulator answers in timezone GMT only. Given: {zone}."
            raise BadRequestError(message)
        if zone not in {"GMT", "UTC"}:
            message = "Invalid timezone"
            raise BadRequestError(message)
    if len(zones) not in {0, 1, locations}:
        message = "Parameter 'timezone' and coordinates must have the same number of elements"
        raise BadRequestError(message)


def _check_range(which: str, given: int | None, largest: int) -> None:
    if given is not None and not 0 <= given <= largest:
        message = f"{which} days is invalid. Allowed range 0 to {largest}. Given {given}."
        raise BadRequestError(message)
