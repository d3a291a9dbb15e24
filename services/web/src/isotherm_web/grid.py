"""The map as one JSON document, made at most once a second and once a change."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from isotherm_web.compression import Compressible, Document
from isotherm_web.encoding import geometry_message
from isotherm_web.models import Grid, GridGeometry
from isotherm_web.rows import LAYERS, unscaled

if TYPE_CHECKING:
    from collections.abc import Callable

    from isotherm_web.hub import Hub
    from isotherm_web.state import GridState

ATTRIBUTION = "Weather data by Open-Meteo.com (https://open-meteo.com/), CC BY 4.0"


def make_grid(state: GridState, now: float) -> Grid:
    """Return the map as the HTTP API shows it."""
    rows = state.all_rows()
    return Grid(
        server_time=int(now),
        stream=state.stream,
        seq=state.seq,
        geometry=GridGeometry.of(geometry_message(state.geometry)),
        layers={name: [unscaled(row.values[layer]) for row in rows] for layer, name in enumerate(LAYERS)},
        valid_at=[row.valid_at for row in rows],
        fetched_at=[row.fetched_at for row in rows],
        source=[row.source for row in rows],
        attribution=ATTRIBUTION,
    )


class GridCache:
    """Keeps the last document."""

    def __init__(self, hub: Hub, wall_clock: Callable[[], float] = time.time) -> None:
        self._hub = hub
        self._wall_clock = wall_clock
        self._key: tuple[GridState, int, int] | None = None
        self._document: Document | None = None

    @property
    def etag(self) -> str:
        """The tag of the map as it is now: it changes with the map, not with the time of day that is in the document."""
        state = self._hub.state
        # What was changed by hand has no newer seq, but raises the floor (GridState.follow).
        return f"{state.stream[:12]}-{state.seq}-{state.resume_floor}-{state.geometry.name}"

    def get(self) -> Document:
        """Return the document of the map as it is now."""
        state, now = self._hub.state, self._wall_clock()
        key = (state, state.revision, int(now))
        if self._document is None or self._key is None or self._key[0] is not state or self._key[1:] != key[1:]:
            body = msgspec.json.encode(make_grid(state, now))
            self._document = Document(self.etag, Compressible(body))
            self._key = key
        return self._document
