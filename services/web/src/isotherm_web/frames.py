"""Whole maps at many times, for the time slider (contract H8). Pure."""

from __future__ import annotations

import struct
import sys
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from isotherm_web.errors import BadQuery
from isotherm_web.models import LATEST_TIME, Frames
from isotherm_web.rows import LAYERS, NULL
from isotherm_web.series import HOUR_SECONDS, Course, sample

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PAST_SECONDS, AHEAD_SECONDS = 24 * HOUR_SECONDS, 48 * HOUR_SECONDS
STEPS = (900, 1800, 3600, 7200, 10_800, 21_600)
_MOST_FRAMES = 289
_MOST_VALUES = 4_000_000
_HEADER = struct.Struct("<BBHIQ16s8s")
_KIND, _VERSION = 3, 1


@dataclass(frozen=True, slots=True)
class FrameQuery:
    """Which frames: of a layer, from `since` to `until` (both included) every `step` seconds."""

    layer: str
    since: int
    until: int
    step: int

    @property
    def times(self) -> range:
        """The times of the frames."""
        return range(self.since, self.until + 1, self.step)


def frame_query(
    now: float, layer: str | None, since: int | None, until: int | None, step: int | None, cells: int
) -> FrameQuery:
    """Return the query that the parameters describe; without times the span of the slider.

    Raises:
        BadQuery: they describe none, or one that is too large.
    """
    step = HOUR_SECONDS if step is None else step
    if layer not in LAYERS:
        message = f"layer must be one of {', '.join(LAYERS)}."
    elif step not in STEPS:
        message = f"step must be one of {', '.join(map(str, STEPS))} seconds."
    else:
        middle = int(now) // step * step
        query = FrameQuery(
            layer,
            middle - PAST_SECONDS if since is None else since,
            middle + AHEAD_SECONDS if until is None else until,
            step,
        )
        count = len(query.times)
        if query.since < 0 or query.until > LATEST_TIME:
            message = "The frames would begin before 1970 or end after the year 9999."
        elif query.since > query.until:
            message = f"from must not be after to: the frames would go from {query.since} to {query.until}."
        elif count > _MOST_FRAMES or count * cells > _MOST_VALUES:
            most = min(_MOST_FRAMES, _MOST_VALUES // max(1, cells))
            message = f"This would be {count} frames: ask for {most} at most, by a shorter span or a longer step."
        else:
            return query
    raise BadQuery(message)


def make_frames(ids: Sequence[int], courses: Mapping[int, Course], query: FrameQuery) -> array[int]:
    """Return the values, frame after frame, in each a value for each of `ids`; null where a course says nothing."""
    count, cells, layer = len(query.times), len(ids), LAYERS.index(query.layer)
    out = array("h", [NULL]) * (count * cells)
    for cell, identity in enumerate(ids):
        course = courses.get(identity)
        if course is not None and course.valid_at:
            out[cell::cells] = _column(course, query, layer)
    return out


def _column(course: Course, query: FrameQuery, layer: int) -> array[int]:
    """Return one location's values at the times of the query."""
    times, first = query.times, course.valid_at[0]
    if query.step % HOUR_SECONDS or (query.since - first) % HOUR_SECONDS or not course.hourly:
        return array("h", [sample(course, time)[layer] for time in times])
    stride, values = query.step // HOUR_SECONDS, course.layers[layer]
    start = (query.since - first) // HOUR_SECONDS
    before = min(len(times), max(0, -(start // stride))) if start < 0 else 0
    inside = values[start + before * stride :: stride][: len(times) - before]
    return array("h", [NULL]) * before + inside + array("h", [NULL]) * (len(times) - before - len(inside))


def frames_document(query: FrameQuery, stream: str, seq: int, geometry: str, cells: int, values: array[int]) -> Frames:
    """Return the frames as the JSON document has them."""
    rows = [values[start : start + cells].tolist() for start in range(0, len(values), max(1, cells))]
    return Frames(
        layer=query.layer,
        stream=stream,
        seq=seq,
        geometry=geometry,
        step=query.step,
        valid_at=list(query.times),
        frames=rows or [[] for _ in query.times],
    )


def frames_binary(query: FrameQuery, stream: str, seq: int, geometry: str, cells: int, values: array[int]) -> bytes:
    """Return the frames as bytes, little-endian.

    u8 kind (3), u8 version (1), u16 number of frames m, u32 number of cells n, u64 seq, 16 bytes stream, 8 bytes
    geometry; u32[m] valid_at; int16[m * n] values, frame after frame.
    """
    times, packed = array("I", query.times), values
    if sys.byteorder == "big":
        packed = array("h", values)
        packed.byteswap()
        times.byteswap()
    header = _HEADER.pack(_KIND, _VERSION, len(times), cells, seq, bytes.fromhex(stream), bytes.fromhex(geometry))
    return header + times.tobytes() + packed.tobytes()
