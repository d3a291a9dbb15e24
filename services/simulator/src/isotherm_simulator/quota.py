"""Open-Meteo's free quota: fixed windows that clear on the clock, and few requests at once.

A request is let in while less than the limit is spent, whatever it costs itself; what it costs is counted after.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from isotherm_simulator.errors import LimitExceededError

TOO_MANY_AT_ONCE = "Too many concurrent requests"
FAILED_COST = 1.0
"""What a request costs that ends in an error of its own."""


@dataclass(frozen=True)
class Window:
    """One limit.

    Attributes:
        name: for a person.
        seconds: its length; it begins at every multiple of it on the clock.
        limit: the weight.
        reason: what is answered when it is spent.
    """

    name: str
    seconds: int
    limit: float
    reason: str

    def limited(self, limit: float) -> Window:
        """Return the same window with another limit."""
        return replace(self, limit=limit)


MINUTELY = Window("minutely", 60, 600, "Minutely API request limit exceeded. Please try again in one minute.")
HOURLY = Window("hourly", 3600, 5000, "Hourly API request limit exceeded. Please try again in the next hour.")
DAILY = Window("daily", 86400, 10000, "Daily API request limit exceeded. Please try again tomorrow.")
FREE = (MINUTELY, HOURLY, DAILY)


@dataclass
class Quota:
    """What each client has spent.

    Attributes:
        windows: the limits, in the order in which they are looked at.
    """

    windows: tuple[Window, ...] = FREE
    _spent: dict[str, dict[str, tuple[int, float]]] = field(default_factory=dict)

    def spent(self, client: str, window: Window, now: float) -> float:
        """Return what a client has spent in the window that `now` is in."""
        begin, weight = self._spent.get(client, {}).get(window.name, (0, 0.0))
        return weight if begin == int(now // window.seconds) else 0.0

    def check(self, client: str, now: float) -> None:
        """Let a request in.

        Raises:
            LimitExceededError: a window's limit is spent.
        """
        for window in self.windows:
            if self.spent(client, window, now) >= window.limit:
                raise LimitExceededError(window.reason)

    def spend(self, client: str, weight: float, now: float) -> None:
        """Count what a request costs."""
        ledger = self._spent.setdefault(client, {})
        for window in self.windows:
            spent = self.spent(client, window, now)
            ledger[window.name] = (int(now // window.seconds), spent + weight)


@dataclass
class Concurrency:
    """How many requests of each client are under way.

    Attributes:
        most: running and waiting together; one more is refused.
    """

    most: int = 5
    _running: dict[str, int] = field(default_factory=dict)

    def enter(self, client: str) -> None:
        """Begin a request.

        Raises:
            LimitExceededError: there are too many already.
        """
        running = self._running.get(client, 0)
        if running >= self.most:
            raise LimitExceededError(TOO_MANY_AT_ONCE)
        self._running[client] = running + 1

    def leave(self, client: str) -> None:
        """End a request."""
        running = self._running.pop(client) - 1
        if running:
            self._running[client] = running
