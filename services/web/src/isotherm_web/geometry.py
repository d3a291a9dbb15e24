"""The set and order of the locations that a message's cells stand for (contract W8)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bson import Decimal128

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Location:
    """A point that weather is asked for."""

    id: int
    latitude: float
    longitude: float
    name: str | None = None
    elevation: float | None = None
    active: bool = True


@dataclass(frozen=True)
class Geometry:
    """The active locations in the order of their id; a location's place in it is its cell.

    Attributes:
        name: 16 hexadecimal digits that stand for the set, the order and the places.
        locations: the locations.
        cell_by_id: the place of each of them.
    """

    name: str
    locations: tuple[Location, ...]
    cell_by_id: Mapping[int, int]

    @property
    def ids(self) -> Iterable[int]:
        """The ids in order."""
        return self.cell_by_id.keys()


def make_geometry(locations: Iterable[Location]) -> Geometry:
    """Return the geometry of the active ones of `locations`."""
    active = tuple(sorted((location for location in locations if location.active), key=lambda location: location.id))
    return Geometry(geometry_name(active), active, {location.id: cell for cell, location in enumerate(active)})


def geometry_name(locations: Iterable[Location]) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of a line `id,latitude,longitude` for each location.

    Coordinates have 5 decimals, and each line ends with a newline.
    """
    lines = "".join(f"{place.id},{place.latitude:.5f},{place.longitude:.5f}\n" for place in locations)
    return hashlib.sha256(lines.encode()).hexdigest()[:16]


def decode_location(identity: int, fields: Mapping[str, Any], base: Location | None = None) -> Location:
    """Make a location from its document, or with `base` from what changed in it."""
    place = base or Location(identity, 0.0, 0.0)
    return Location(
        identity,
        _number(fields["latitude"]) if "latitude" in fields else place.latitude,
        _number(fields["longitude"]) if "longitude" in fields else place.longitude,
        fields.get("name", place.name),
        fields.get("elevation", place.elevation),
        bool(fields.get("active", place.active)),
    )


def _number(value: Any) -> float:
    return float(value.to_decimal()) if isinstance(value, Decimal128) else float(value)
