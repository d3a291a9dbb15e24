"""Which locations there should be: a preset, a bounding box with a step, or a file of places."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from isotherm_common.process import ConfigurationError
from isotherm_fetcher.rows import Place

if TYPE_CHECKING:
    from collections.abc import Iterable

MAXIMUM_POINTS = 100_000
"""Above this a region is taken for a mistake: the day's free quota would need ten days for one sweep."""

_NAME_LENGTH = 120
_COLUMNS = ("name", "latitude", "longitude")
_EPSILON = 1e-9


@dataclass(frozen=True)
class Box:
    """An area between two parallels and two meridians; it crosses the antimeridian when `west` > `east`."""

    south: float
    west: float
    north: float
    east: float


@dataclass(frozen=True)
class Grid:
    """The points of a box that are a step apart, its southern and western edge among them."""

    box: Box
    step_degrees: float


PRESETS: dict[str, Grid] = {
    "global": Grid(Box(-80, -180, 80, 170), 10),
    "africa": Grid(Box(-36, -18, 36, 51), 3),
    "asia": Grid(Box(0, 28, 72, 148), 4),
    "europe": Grid(Box(35, -25, 72.5, 45), 2.5),
    "north-america": Grid(Box(15, -170, 71, -50), 4),
    "oceania": Grid(Box(-48, 111, 0, 177), 3),
    "south-america": Grid(Box(-56, -82, 13, -34), 3),
}
"""Each of about as many points as the free quota refreshes in an hour and a half."""


def parse_box(text: str) -> Box:
    """Read `south,west,north,east`.

    Raises:
        ValueError: what is wrong with it, as the end of a sentence.
    """
    try:
        south, west, north, east = (float(part) for part in text.split(","))
    except ValueError:
        message = "must be four numbers of degrees, south,west,north,east, such as 35,-25,72.5,45"
        raise ValueError(message) from None
    if not (-90 <= south <= north <= 90):  # noqa: PLR2004 - the poles
        message = "must have south and north between -90 and 90, south being the smaller"
        raise ValueError(message)
    if not (-180 <= west <= 180 and -180 <= east <= 180):  # noqa: PLR2004 - the antimeridian
        message = "must have west and east between -180 and 180"
        raise ValueError(message)
    return Box(south, west, north, east)


def grid(wanted: Grid) -> tuple[Place, ...]:
    """Return the points of a grid, from south-west to north-east, each once.

    Raises:
        ConfigurationError: there would be too many.
    """
    box, step = wanted.box, wanted.step_degrees
    width = box.east - box.west + (360 if box.west > box.east else 0)
    rows = math.floor((box.north - box.south) / step + _EPSILON) + 1
    columns = math.floor(width / step + _EPSILON) + 1
    if rows * columns > MAXIMUM_POINTS:
        message = (
            f"The region has {rows * columns} points, more than {MAXIMUM_POINTS}: "
            "choose a larger FETCHER_STEP_DEGREES or a smaller FETCHER_BOUNDING_BOX."
        )
        raise ConfigurationError(message)
    points = (
        place(box.south + row * step, box.west + column * step) for row in range(rows) for column in range(columns)
    )
    return tuple({point.key: point for point in points}.values())


def place(latitude: float, longitude: float, name: str | None = None) -> Place:
    """Return a place with its coordinates in the form in which they are stored."""
    east = round((longitude + 180) % 360 - 180, 5)
    return Place(round(latitude, 5) + 0.0, (-180.0 if east >= 180 else east) + 0.0, name)  # noqa: PLR2004 - the antimeridian


def read_places(lines: Iterable[str], source: str) -> tuple[Place, ...]:
    """Read places from CSV with a header line `name,latitude,longitude`, in any order of columns.

    Args:
        lines: the file.
        source: what to call it in a message.

    Raises:
        ConfigurationError: with every mistake found, one sentence a line.
    """
    reader = csv.DictReader(lines, skipinitialspace=True)
    header = [(column or "").strip().lower() for column in reader.fieldnames or ()]
    if missing := [column for column in _COLUMNS if column not in header]:
        message = f"{source} must begin with the header name,latitude,longitude: {', '.join(missing)} is missing."
        raise ConfigurationError(message)
    reader.fieldnames = header
    problems: list[str] = []
    places: dict[tuple[int, int], Place] = {}
    for row in reader:
        try:
            found = _place_of(row)
            if found.key in places:
                message = f"the point {found.latitude:g}, {found.longitude:g} is there twice"
                raise ValueError(message)  # noqa: TRY301 - told with its line like the others
        except ValueError as error:
            problems.append(f"{source}, line {reader.line_num}: {error}.")
        else:
            places[found.key] = found
    if not places and not problems:
        problems.append(f"{source} names no place.")
    if len(places) > MAXIMUM_POINTS:
        problems.append(f"{source} has {len(places)} places, more than {MAXIMUM_POINTS}.")
    if problems:
        raise ConfigurationError("\n".join(problems))
    return tuple(places.values())


def _place_of(row: dict[str, str | None]) -> Place:
    name = (row["name"] or "").strip() or None
    if name is not None and len(name) > _NAME_LENGTH:
        message = f"the name is longer than {_NAME_LENGTH} characters"
        raise ValueError(message)
    return place(_degrees(row, "latitude", 90), _degrees(row, "longitude", 180), name)


def _degrees(row: dict[str, str | None], column: str, limit: float) -> float:
    text = (row[column] or "").strip()
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not -limit <= value <= limit:
        message = f"{column} must be a number between {-limit:g} and {limit:g}, not {text!r}"
        raise ValueError(message)
    return value
