"""What an answer of Open-Meteo means. Strict: what is not certainly right is not stored.

Three kinds of trouble:

- the answer as a whole cannot be used (`UnusableAnswer`): it does not parse, it broke off, it has another number of
  locations than were asked for, or they are in another order;
- one location cannot be used (`Failure`): something is missing, of the wrong type or unit, the series differ in length,
  the model's cell is far from the point asked for, or not one current value is there;
- one value is not plausible: it is stored as null, like one that the model does not have, and its reason is kept.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from isotherm_fetcher import query
from isotherm_fetcher.rows import Current, Hourly, Location, Weather

if TYPE_CHECKING:
    from collections.abc import Sequence

RANGES: dict[str, tuple[float, float]] = {
    "temperature_2m": (-95, 65),
    "wind_speed_10m": (0, 120),
    "wind_direction_10m": (0, 360),
    "wind_gusts_10m": (0, 150),
    "relative_humidity_2m": (0, 100),
    "pressure_msl": (850, 1100),
    "weather_code": (0, 99),
}
"""What weather on Earth can be: the records, and a little more."""

MAXIMUM_CELL_DISTANCE_KM = 150.0
"""How far the model's cell may be from the point asked for. The coarsest models have cells of a degree."""

_EARTH_RADIUS_KM = 6371.0
_PLAUSIBLE_TIME = (946_684_800, 4_102_444_800)  # the years 2000 to 2099
_PLAUSIBLE_ELEVATION = (-500, 9000)
_HOUR_SECONDS = 3600
_LONGEST_SERIES = 24 * 32
_STREAM_ERROR = "Unexpected error while streaming data:"


class UnusableAnswer(ValueError):  # noqa: N818 - the answer is at fault, not this program
    """Nothing of an answer can be used."""


class _Malformed(ValueError):  # noqa: N818 - the location is at fault, not this program
    """One location of an answer cannot be used."""


@dataclass(frozen=True)
class Failure:
    """A location that is not stored, and why."""

    location_id: int
    reason: str


@dataclass(frozen=True)
class Parsed:
    """What an answer holds.

    Attributes:
        weather: what is to be stored.
        failures: the locations that are not.
        rejected: one reason for each value that was not plausible.
    """

    weather: tuple[Weather, ...] = ()
    failures: tuple[Failure, ...] = ()
    rejected: tuple[str, ...] = ()


def reason(body: str) -> str | None:
    """Return the reason that an error's body `{"error": true, "reason": "..."}` gives, if it is one."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if isinstance(answer, dict) and answer.get("error") is True:
        return str(answer.get("reason") or "no reason given")
    return None


def parse(body: str, asked: Sequence[Location], valid_within: tuple[float, float] | None = None) -> Parsed:
    """Read the answer to a request for `asked`.

    Args:
        body: what was answered with status 200.
        asked: the locations in the order in which they were asked for.
        valid_within: the Unix seconds between which current values must be valid; None: any plausible time.

    Raises:
        UnusableAnswer: nothing of it can be used.
    """
    entries = _entries(body, len(asked))
    weather: list[Weather] = []
    failures: list[Failure] = []
    rejected: list[str] = []
    for location, entry in zip(asked, entries, strict=True):
        doubts: list[str] = []
        try:
            weather.append(_weather(entry, location, valid_within or _PLAUSIBLE_TIME, doubts))
        except _Malformed as error:
            failures.append(Failure(location.id, str(error)))
        rejected += [f"location {location.id}: {doubt}" for doubt in doubts]
    return Parsed(tuple(weather), tuple(failures), tuple(rejected))


def _entries(body: str, count: int) -> list[dict[str, Any]]:
    """Return an answer's locations, of which there are `count`, in the order asked for."""
    if _STREAM_ERROR in body:
        message = f"the answer broke off: {body[body.rindex(_STREAM_ERROR) + len(_STREAM_ERROR) :].strip()[:200]}"
        raise UnusableAnswer(message)
    try:
        answer = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        message = f"the answer is not JSON ({error}); it begins with {body[:60]!r}"
        raise UnusableAnswer(message) from None
    if isinstance(answer, dict) and answer.get("error"):
        message = f"the answer is an error: {answer.get('reason')}"
        raise UnusableAnswer(message)
    entries = [answer] if isinstance(answer, dict) else answer
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        message = "the answer is neither an object nor an array of objects"
        raise UnusableAnswer(message)
    if len(entries) != count:
        message = f"the answer has {len(entries)} locations, {count} were asked for"
        raise UnusableAnswer(message)
    for position, entry in enumerate(entries):
        identifier = entry.get("location_id", 0 if position == 0 else None)
        if isinstance(identifier, bool) or identifier != position:
            message = f"the answer's location {position} says that it is location {identifier}"
            raise UnusableAnswer(message)
    return entries


def _no_constant(name: str) -> None:
    message = f"{name} is no JSON"
    raise ValueError(message)


def _weather(
    entry: dict[str, Any], location: Location, valid_within: tuple[float, float], doubts: list[str]
) -> Weather:
    latitude = _number(entry.get("latitude"), "latitude", -90, 90)
    longitude = _number(entry.get("longitude"), "longitude", -180, 360)
    distance = _distance_km(latitude, longitude, location.latitude, location.longitude)
    if distance > MAXIMUM_CELL_DISTANCE_KM:
        message = f"the model's cell is {distance:.0f} km from the point asked for"
        raise _Malformed(message)
    elevation = entry.get("elevation")
    return Weather(
        location_id=location.id,
        model_latitude=latitude,
        model_longitude=longitude,
        elevation=None if elevation is None else _number(elevation, "elevation", *_PLAUSIBLE_ELEVATION),
        current=_current(entry, valid_within, doubts),
        hourly=_hourly(entry, doubts),
    )


def _current(entry: dict[str, Any], valid_within: tuple[float, float], doubts: list[str]) -> Current:
    block = _block(entry, "current", query.CURRENT)
    valid_at = _time(block["time"], "current.time")
    if not valid_within[0] <= valid_at <= valid_within[1]:
        message = f"current.time is {valid_at}, not between {valid_within[0]:.0f} and {valid_within[1]:.0f}"
        raise _Malformed(message)
    values = {name: _value(block[name], f"current.{name}", name, doubts) for name in query.CURRENT}
    code = values.pop("weather_code")
    if code is not None and code != int(code):
        message = f"current.weather_code is {code}, not a whole number"
        raise _Malformed(message)
    if all(value is None for value in values.values()):
        message = "not one current value is there"
        raise _Malformed(message)
    return Current(valid_at=valid_at, weather_code=None if code is None else int(code), **values)


def _hourly(entry: dict[str, Any], doubts: list[str]) -> Hourly:
    block = _block(entry, "hourly", query.HOURLY)
    series = {name: block[name] for name in ("time", *query.HOURLY)}
    for name, values in series.items():
        if not isinstance(values, list):
            message = f"hourly.{name} is no array"
            raise _Malformed(message)
    lengths = {len(values) for values in series.values()}
    if len(lengths) > 1 or not 0 < max(lengths) <= _LONGEST_SERIES:
        message = f"the hourly arrays have {', '.join(str(len(values)) for values in series.values())} values"
        raise _Malformed(message)
    times = tuple(_time(value, "hourly.time") for value in series.pop("time"))
    if any(later - earlier != _HOUR_SECONDS for earlier, later in pairwise(times)):
        message = "hourly.time does not rise hour by hour"
        raise _Malformed(message)
    checked = {
        name: tuple(_value(value, f"hourly.{name}", name, doubts) for value in values)
        for name, values in series.items()
    }
    return Hourly(valid_at=times, **checked)


def _block(entry: dict[str, Any], name: str, variables: Sequence[str]) -> dict[str, Any]:
    """Return `current` or `hourly`, all its variables there and in the units asked for."""
    block, units = entry.get(name), entry.get(f"{name}_units")
    if not isinstance(block, dict) or not isinstance(units, dict):
        message = f"{name} or {name}_units is missing"
        raise _Malformed(message)
    for variable in ("time", *variables):
        if variable not in block:
            message = f"{name}.{variable} is missing"
            raise _Malformed(message)
        if units.get(variable) != query.UNITS[variable]:
            message = f"{name}.{variable} is in {units.get(variable)!r}, {query.UNITS[variable]!r} was asked for"
            raise _Malformed(message)
    return block


def _value(value: Any, what: str, variable: str, doubts: list[str]) -> float | None:
    """Return a value of the weather; null if the model has none or it is not plausible."""
    if value is None:
        return None
    low, high = RANGES[variable]
    if not _is_number(value):
        message = f"{what} is {_shown(value)}, not a number"
        raise _Malformed(message)
    if not low <= value <= high:
        doubts.append(f"{what} is {_shown(value)}, not between {low:g} and {high:g}")
        return None
    return float(value)


def _number(value: Any, what: str, low: float, high: float) -> float:
    if not _is_number(value) or not low <= value <= high:
        message = f"{what} is {_shown(value)}, not a number between {low:g} and {high:g}"
        raise _Malformed(message)
    return float(value)


def _time(value: Any, what: str) -> int:
    if not isinstance(value, int) or not _is_number(value) or not _PLAUSIBLE_TIME[0] <= value <= _PLAUSIBLE_TIME[1]:
        message = f"{what} is {_shown(value)}, not a Unix time of this century"
        raise _Malformed(message)
    return value


def _is_number(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    try:
        return repr(value)[:60]
    except ValueError:  # an integer of thousands of digits
        return "a very large number"


def _distance_km(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Return the great-circle distance (haversine)."""
    phi, other_phi = math.radians(latitude), math.radians(other_latitude)
    a = (
        math.sin((other_phi - phi) / 2) ** 2
        + math.cos(phi) * math.cos(other_phi) * math.sin(math.radians(other_longitude - longitude) / 2) ** 2
    )
    return 2 * _EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(a)))
