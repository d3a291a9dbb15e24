"""Frames as encoded documents, each made once and kept while nothing that is in it has changed."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from isotherm_web.compression import Document
from isotherm_web.encoding import encode_json
from isotherm_web.frames import FrameQuery, frames_binary, frames_document, make_frames

if TYPE_CHECKING:
    from collections.abc import Callable

    from isotherm_web.courses import Courses
    from isotherm_web.hub import Hub
    from isotherm_web.series import Course

_MOST_DOCUMENTS = 24
_MOST_BYTES = 48 * 1024 * 1024
"""Frames of many cells are large, and anyone may ask for others."""
_HISTORY_SECONDS = 60
"""How long frames are kept in which the history stands in for missing series."""


class FrameCache:
    """Keeps the documents that were asked for last.

    Attributes:
        bytes: what they take, in all encodings.
    """

    def __init__(
        self,
        hub: Hub,
        courses: Courses,
        clock: Callable[[], float] = time.monotonic,
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        self._hub = hub
        self._courses = courses
        self._clock = clock
        self._most_bytes = most_bytes
        self.bytes = 0
        self._documents: OrderedDict[tuple[object, ...], Document] = OrderedDict()
        self._lock = asyncio.Lock()

    async def get(self, query: FrameQuery, *, binary: bool) -> Document:
        """Return the frames.

        Raises:
            DatabaseUnavailable: MongoDB does not answer.
        """
        async with self._lock:
            known = await self._courses.current()
            state = self._hub.state
            whole = len(known) >= len(state.geometry.locations)
            age = 0 if whole else int(self._clock() // _HISTORY_SECONDS)
            key = (query, binary, self._courses.revision, state.stream, state.geometry.name, age)
            document = self._documents.get(key)
            if document is None:
                courses = known if whole else await self._courses.with_history(query)
                names = (state.stream, self._courses.seq, state.geometry.name)
                document = await asyncio.to_thread(_make, query, list(state.geometry.ids), courses, names, binary)
                self._keep(key, document)
            else:
                self._documents.move_to_end(key)
            return document

    def _keep(self, key: tuple[object, ...], document: Document) -> None:
        """Keep a document instead of those that were not asked for the longest; not at all when it is too large by itself."""
        if document.body.size > self._most_bytes:
            return
        self._documents[key] = document
        self.bytes += document.body.size
        while len(self._documents) > _MOST_DOCUMENTS or self.bytes > self._most_bytes:
            _, oldest = self._documents.popitem(last=False)
            self.bytes -= oldest.body.size


def _make(
    query: FrameQuery,
    ids: list[int],
    courses: dict[int, Course],
    names: tuple[str, int, str],
    binary: bool,  # noqa: FBT001 - called through to_thread
) -> Document:
    """Make a document; in a thread, so that websockets are served meanwhile."""
    values = make_frames(ids, courses, query)
    if binary:
        body = frames_binary(query, *names, len(ids), values)
    else:
        body = encode_json(frames_document(query, *names, len(ids), values))
    document = Document.of(body)
    document.body.compress_all()
    return document
