"""The shapes of the HTTP API, as documented in OpenAPI (contracts H2 to H4 and H7 to H9)."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from isotherm_web.protocol import GeometryMessage  # noqa: TC001 - msgspec reads the annotation

LATEST_TIME = 253_402_300_799
"""The end of the year 9999 in Unix seconds, the last time that Python has."""

Values = list[float | None]
Time = Annotated[int, msgspec.Meta(ge=0, le=LATEST_TIME)]


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong (RFC 9457): `title` is the status in words, `detail` one sentence about this request."""

    type: Literal["about:blank"] = "about:blank"
    title: str
    status: int
    detail: str


class GridGeometry(msgspec.Struct, frozen=True):
    """The locations that the cells stand for, in order."""

    geometry: str
    ids: list[int]
    latitude: list[float]
    longitude: list[float]
    name: list[str | None]

    @classmethod
    def of(cls, message: GeometryMessage) -> GridGeometry:
        """Return the same as the websocket's message."""
        return cls(message.geometry, message.ids, message.latitude, message.longitude, message.name)


class Grid(msgspec.Struct, frozen=True):
    """The whole map: SI units (°C, m/s, ° that the wind comes from), times in Unix seconds, 0 for a cell without data."""

    server_time: int
    stream: str
    seq: int
    geometry: GridGeometry
    layers: dict[str, Values]
    valid_at: list[int]
    fetched_at: list[int]
    source: list[int]
    attribution: str


class Place(msgspec.Struct, frozen=True):
    """A location."""

    id: int
    latitude: float
    longitude: float
    name: str | None
    elevation: float | None


class Series(msgspec.Struct, frozen=True):
    """The past values of a location, ascending, in SI units; times in Unix seconds."""

    location: Place
    valid_at: list[int]
    temperature_2m: Values
    wind_speed_10m: Values
    wind_direction_10m: Values
    source: list[int]


class Forecast(msgspec.Struct, frozen=True):
    """The hourly series of a location, a day back and two ahead, in SI units; times in Unix seconds."""

    location: Place
    issued_at: int
    source: int
    valid_at: list[int]
    temperature_2m: Values
    wind_speed_10m: Values
    wind_direction_10m: Values


class SeriesQuery(msgspec.Struct, frozen=True, rename={"since": "from", "until": "to"}):
    """The span of a series in Unix seconds, both ends included; without them all that is kept."""

    since: Time | msgspec.UnsetType = msgspec.UNSET
    until: Time | msgspec.UnsetType = msgspec.UNSET


class Frames(msgspec.Struct, frozen=True):
    """Whole maps of one layer, a frame for each of `valid_at`: int16 scaled by ten, -32768 is null."""

    layer: str
    stream: str
    seq: int
    geometry: str
    step: int
    valid_at: list[int]
    frames: list[list[int]]


class FramesQuery(msgspec.Struct, frozen=True, rename={"since": "from", "until": "to"}):
    """The layer and the times of the frames: Unix seconds, both ends included, `step` seconds apart."""

    layer: Literal["temperature_2m", "wind_speed_10m", "wind_direction_10m"]
    since: Time | msgspec.UnsetType = msgspec.UNSET
    until: Time | msgspec.UnsetType = msgspec.UNSET
    step: Literal[900, 1800, 3600, 7200, 10800, 21600] | msgspec.UnsetType = msgspec.UNSET


class ExportQuery(msgspec.Struct, frozen=True):
    """The units of the file, and the time of its values; without a time the latest ones."""

    temperature: Literal["celsius", "fahrenheit"] | msgspec.UnsetType = msgspec.UNSET
    wind: Literal["mps", "kmh", "mph", "knots", "beaufort"] | msgspec.UnsetType = msgspec.UNSET
    at: Time | msgspec.UnsetType = msgspec.UNSET


class CsvFile(msgspec.Struct, frozen=True):
    """A header line that names the units, then a line for each location; empty where there is no value."""
