"""How many rows may fail before going on does more harm than stopping."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from isotherm_cdc.errors import TooManyFailures

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW_SECONDS = 60.0


class FailureLimit:
    """Counts the rows that go to the dead letters, and refuses when there are too many within a minute."""

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._recent: deque[tuple[float, int]] = deque()

    def count(self, more: int) -> None:
        """Count `more` failed rows, before they are written.

        Raises:
            TooManyFailures: with them there are more within a minute than the limit.
        """
        if not more:
            return
        now = self._clock()
        while self._recent and now - self._recent[0][0] >= WINDOW_SECONDS:
            self._recent.popleft()
        self._recent.append((now, more))
        total = sum(rows for _, rows in self._recent)
        if total > self._limit:
            message = (
                f"{total} rows failed within a minute, CDC_EVENT_FAILURE_LIMIT is {self._limit}: look at "
                "_cdc_dead_letters and the log, mend the cause and start again."
            )
            raise TooManyFailures(message)
