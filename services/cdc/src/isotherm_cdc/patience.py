"""How long a refusal of credentials may last.

A user that is created just now, or a password that is rotated, looks like a wrong one for some seconds. After that only
a new start helps, for a process keeps the credentials that it was started with.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 60.0


class Patience:
    """Turns "may pass by itself" into "has had its time", for refusals only."""

    def __init__(
        self,
        transient: Callable[[BaseException], bool],
        refused: Callable[[BaseException], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin.

        Args:
            transient: whether an error may pass by itself.
            refused: whether it is a refusal of credentials.
            clock: seconds.
        """
        self._transient = transient
        self._refused = refused
        self._clock = clock
        self._since: float | None = None

    def __call__(self, error: BaseException) -> bool:
        """Whether to try again after an error."""
        if not self._refused(error):
            self._since = None
            return self._transient(error)
        now = self._clock()
        if self._since is None:
            self._since = now
        return self._transient(error) and now - self._since < SECONDS
