"""When the next delta leaves: at most one in each window, at once when it has been quiet."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Window:
    """At least `seconds` between two deltas; a change after a quiet time need not wait.

    Attributes:
        seconds: the length of the window.
        due_at: when the next delta leaves; None when nothing has changed.
    """

    seconds: float
    due_at: float | None = None
    _closed_at: float = float("-inf")

    def note(self, now: float) -> None:
        """Say that something has changed."""
        if self.due_at is None:
            self.due_at = max(now, self._closed_at + self.seconds)

    def close(self, now: float) -> None:
        """Say that a delta leaves with everything noted so far."""
        self.due_at = None
        self._closed_at = now
