"""The hourly series of one location, and its values between the hours. Pure."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING, Any, NamedTuple

from isotherm_web.rows import LAYERS, NULL, SCALE, scaled, unix_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

HOUR_SECONDS = 3600
LONGEST_GAP_SECONDS = 2 * HOUR_SECONDS
"""Between values that are further apart nothing is assumed."""

_SPEED, _DIRECTION = LAYERS.index("wind_speed_10m"), LAYERS.index("wind_direction_10m")
_NOTHING = (NULL,) * len(LAYERS)


class Course(NamedTuple):
    """Values of a location at ascending times, int16 scaled by ten.

    Attributes:
        valid_at: Unix seconds.
        layers: one array for each of `LAYERS`, as long as `valid_at`.
    """

    valid_at: array[int]
    layers: tuple[array[int], ...]

    @property
    def hourly(self) -> bool:
        """Whether there is a value for each hour from the first to the last."""
        times = self.valid_at
        return bool(times) and times[-1] - times[0] == HOUR_SECONDS * (len(times) - 1)


def decode_course(document: Mapping[str, Any]) -> Course:
    """Read a document of `weather_forecast`; a series that is too short is filled up with nulls."""
    times = [int(time) for time in document.get("valid_at") or []]
    layers = []
    for name in LAYERS:
        values = [scaled(value) for value in (document.get(name) or [])[: len(times)]]
        layers.append(array("h", values + [NULL] * (len(times) - len(values))))
    return Course(array("q", times), tuple(layers))


def course_of_history(documents: Iterable[Mapping[str, Any]]) -> Course:
    """Read documents of `weather_history`, which are of one location and ascending."""
    rows = [(unix_seconds(row.get("valid_at")), *(scaled(row.get(name)) for name in LAYERS)) for row in documents]
    columns: Sequence[Sequence[int]] = list(zip(*rows, strict=True)) if rows else [()] * (1 + len(LAYERS))
    return Course(array("q", columns[0]), tuple(array("h", column) for column in columns[1:]))


def sample(course: Course, time: int) -> tuple[int, ...]:
    """Return the values at `time`: between two neighbours in proportion, wind by its components; nulls beyond the ends."""
    times = course.valid_at
    place = bisect_left(times, time)
    if place < len(times) and times[place] == time:
        return tuple(layer[place] for layer in course.layers)
    if place in {0, len(times)} or times[place] - times[place - 1] > LONGEST_GAP_SECONDS:
        return _NOTHING
    share = (time - times[place - 1]) / (times[place] - times[place - 1])
    before, after = (tuple(layer[at] for layer in course.layers) for at in (place - 1, place))
    values = [_between(one, other, share) for one, other in zip(before, after, strict=True)]
    values[_SPEED], values[_DIRECTION] = _wind_between(before, after, share)
    return tuple(values)


def _between(one: int, other: int, share: float) -> int:
    return NULL if NULL in (one, other) else round(one + (other - one) * share)


def _wind_between(before: tuple[int, ...], after: tuple[int, ...], share: float) -> tuple[int, int]:
    if NULL in {before[_SPEED], before[_DIRECTION], after[_SPEED], after[_DIRECTION]}:
        return _between(before[_SPEED], after[_SPEED], share), NULL
    east, north = 0.0, 0.0
    for values, weight in ((before, 1 - share), (after, share)):
        angle = math.radians(values[_DIRECTION] / SCALE)
        east += weight * values[_SPEED] * math.sin(angle)
        north += weight * values[_SPEED] * math.cos(angle)
    direction = round(math.degrees(math.atan2(east, north)) % 360 * SCALE) % (360 * SCALE)
    return round(math.hypot(east, north)), direction
