"""Keeps the series of every location in memory, equal to MongoDB by reading what was written since the last time."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from typing import TYPE_CHECKING

from isotherm_web.series import Course, course_of_history, decode_course

if TYPE_CHECKING:
    from collections.abc import Callable

    from isotherm_web.frames import FrameQuery
    from isotherm_web.hub import Hub
    from isotherm_web.mongo import Mongo

_LEAST_PAUSE_SECONDS = 5.0
_DECODED_AT_ONCE = 500


class Courses:
    """The series of all locations.

    Attributes:
        seq: the newest batch that has written any of them.
        revision: counts the changes of this memory.
    """

    def __init__(self, mongo: Mongo, hub: Hub, clock: Callable[[], float] = time.monotonic) -> None:
        self._mongo = mongo
        self._hub = hub
        self._clock = clock
        self._lock = asyncio.Lock()
        self._courses: dict[int, Course] = {}
        self._stream = ""
        self._read_seq = -1
        self._read_at = float("-inf")
        self.seq = 0
        self.revision = 0

    async def current(self) -> dict[int, Course]:
        """Return the series by location, a few seconds old at most.

        Raises:
            DatabaseUnavailable: MongoDB does not answer.
        """
        async with self._lock:
            state = self._hub.state
            moved = state.stream != self._stream or state.seq != self._read_seq
            if moved and self._clock() - self._read_at >= _LEAST_PAUSE_SECONDS:
                await self._read(state.stream, state.seq, state.resume_floor)
            return self._courses

    async def with_history(self, query: FrameQuery) -> dict[int, Course]:
        """Return the series by location; of locations without one, what the history has."""
        courses = await self.current()
        missing = [identity for identity in self._hub.state.geometry.ids if identity not in courses]
        if not missing:
            return courses
        span = (dt.datetime.fromtimestamp(moment, dt.UTC) for moment in (query.since, query.until))
        found = await self._mongo.histories(missing, *span)
        return {**courses, **{identity: course_of_history(documents) for identity, documents in found.items()}}

    async def _read(self, stream: str, seq: int, resume_floor: int) -> None:
        """Read what has changed; everything when what is here cannot be brought up to date by changes."""
        whole = stream != self._stream or self._read_seq < resume_floor
        documents, deleted = await self._mongo.forecasts(-1 if whole else self._read_seq)
        courses = {} if whole else dict(self._courses)
        for identity in deleted:
            courses.pop(identity, None)
        self.seq = max([0 if whole else self.seq, *(_seq(document, seq) for document in documents)])
        for number, document in enumerate(documents, 1):
            courses[int(document["_id"])] = decode_course(document)
            if number % _DECODED_AT_ONCE == 0:
                await asyncio.sleep(0)
        if whole or documents or deleted:
            self.revision += 1
        self._courses, self._stream, self._read_seq = courses, stream, seq
        self._read_at = self._clock()


def _seq(document: dict[str, object], newest: int) -> int:
    """Return a document's seq; a larger one than the newest is of an older stream."""
    stamp = document.get("_cdc")
    seq = stamp.get("seq", 0) if isinstance(stamp, dict) else 0
    return min(int(seq), newest)
