"""Says how the map fills, and now and then how it goes: pure, told the time and the grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from isotherm_local.web_probe import Grid

FULL = 0.95
"""Of this share of cells on, the map counts as shown: a few may have no data upstream."""


@dataclass(frozen=True)
class Message:
    """What to say; a status is replaced by the next message."""

    text: str
    is_status: bool


class Progress:
    """Turns what is seen of the grid into messages."""

    def __init__(self, started: float, summary_seconds: float = 300.0) -> None:
        self._started = started
        self._summary_seconds = summary_seconds
        self._full_at: float | None = None
        self._said_at = started

    @property
    def full(self) -> bool:
        """Whether the map has been whole."""
        return self._full_at is not None

    def see(self, now: float, wall: float, grid: Grid | None, restarts: int) -> Message | None:
        """Return what to say about the grid.

        Args:
            now: a monotonic time in seconds.
            wall: the time of day in Unix seconds.
            grid: what the page shows, None while it cannot tell.
            restarts: how often a process had to be started again.
        """
        if self._full_at is None:
            return self._filling(now, grid)
        if now - self._said_at < self._summary_seconds:
            return None
        self._said_at = now
        if grid is None:
            return Message("The page does not answer.", is_status=False)
        age = f", the newest data {wall - grid.newest:.0f} s old" if grid.newest else ""
        trouble = f", {restarts} restarts of processes so far" if restarts else ""
        return Message(f"running: {grid.shown} of {grid.total} cells{age}{trouble}", is_status=False)

    def _filling(self, now: float, grid: Grid | None) -> Message:
        if grid is None or grid.total == 0:
            return Message("filling: waiting for the first locations", is_status=True)
        if grid.shown < FULL * grid.total:
            return Message(f"filling: {grid.shown} of {grid.total} cells", is_status=True)
        self._full_at = self._said_at = now
        return Message(
            f"The map is there: {grid.shown} of {grid.total} cells, {now - self._started:.0f} s after the start.",
            is_status=False,
        )
