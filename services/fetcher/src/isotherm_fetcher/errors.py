"""What can go wrong, and what it means for a run.

Error tree::

    ServiceError (isotherm_common.process)
    ├── ConfigurationError             64
    │   ├── UpstreamRefused            Open-Meteo says that the request is wrong (400 and its like): asking again changes nothing
    │   └── DatabaseRefused            MySQL refuses the user, the database or the statement
    └── TryAgainLater                  75
        ├── QuotaExhausted             an hour's or a day's quota is spent; the run ends
        ├── AnotherRunner              another process holds the lock
        ├── DatabaseUnavailable        MySQL cannot be reached or was lost
        └── RunFailed                  nothing could be stored

    Exception
    └── UpstreamError                  one request failed; it has the status under which it is counted
        ├── MinuteLimit                wait for the next minute, then ask again
        ├── WindowLimit                becomes QuotaExhausted
        └── UpstreamTransient          ask again a few times: 503, too many requests at once, timeouts, broken bodies
"""

from __future__ import annotations

from typing import Literal

from isotherm_common.process import ConfigurationError, TryAgainLater


class UpstreamRefused(ConfigurationError):  # noqa: N818 - it says who refused
    """Open-Meteo refuses the request itself.

    Attributes:
        status: the status under which the answer is counted.
    """

    def __init__(self, reason: str, status: str) -> None:
        super().__init__(
            f"Open-Meteo refuses the request ({status}): {reason.rstrip('. ')}. "
            "Check OPEN_METEO_URL, OPEN_METEO_API_KEY and FETCHER_POINTS_PER_REQUEST."
        )
        self.status = status


class DatabaseRefused(ConfigurationError):  # noqa: N818 - it says who refused
    """MySQL refuses what it was asked for, and would again."""


class QuotaExhausted(TryAgainLater):
    """No quota is left in a window that a run does not wait for."""


class AnotherRunner(TryAgainLater):
    """Another process is fetching into the same database."""


class DatabaseUnavailable(TryAgainLater):
    """MySQL cannot be reached, or the connection was lost and the lock with it."""


class RunFailed(TryAgainLater):
    """The run could not store anything."""


class UpstreamError(Exception):
    """One request to Open-Meteo failed.

    Attributes:
        status: the status under which it is counted: an HTTP status, or `error` when there was no whole answer.
        cost: what the request is taken to have cost, in points; None: as much as if it had succeeded.
    """

    def __init__(self, reason: str, *, status: str, cost: int | None = 1) -> None:
        super().__init__(reason)
        self.status = status
        self.cost = cost


class MinuteLimit(UpstreamError):  # noqa: N818 - it names the state, not a fault
    """The minute's quota is spent: the next minute has a new one."""


class WindowLimit(UpstreamError):  # noqa: N818 - it names the state, not a fault
    """The hour's or the day's quota is spent.

    Attributes:
        window: which.
    """

    def __init__(self, reason: str, window: Literal["hour", "day"]) -> None:
        super().__init__(reason, status="429")
        self.window: Literal["hour", "day"] = window


class UpstreamTransient(UpstreamError):  # noqa: N818 - it names what to do
    """A failure that may pass by itself."""
