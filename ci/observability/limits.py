"""The numbers that alerts and dashboards share: a panel turns red where an alert fires, because both read them here."""

from __future__ import annotations

from dataclasses import dataclass

MAP_STALE_RATIO = 1
"""Of WEB_STALE_AFTER_SECONDS, which every web server tells: from then on the page says that a value is old."""

BROADCAST_SECONDS = 1.0
"""From commit in MySQL to the browsers; a bucket of `isotherm_web_commit_to_broadcast_seconds` must end here."""

MAP_FILLED_RATIO = 0.95
FETCH_OVERDUE_SECONDS = 1_800
"""Three schedules of ten minutes."""

FETCH_NO_SUCCESS_SECONDS = 3_600
POINTS_FAILED_RATIO = 0.2
EXPORTER_STALE_SECONDS = 120
CDC_LAG_SECONDS = 60
CDC_CHECKPOINT_SECONDS = 60
"""The checkpoint moves every 10 s (contract K8)."""

CDC_QUEUE_RATIO = 0.75
"""Of CDC_MAX_QUEUE_BYTES."""

CDC_RECONNECTS = 5
CDC_RETRIES = 50
WEB_STREAM_SECONDS = 60
WEB_CLIENTS_RATIO = 0.8
"""Of WEB_MAX_CONNECTIONS, which every web server tells."""

WEB_SLOW_RATIO = 0.05
WEB_LOOP_LAG_SECONDS = 0.25
WEB_ERROR_RATIO = 0.05
FILES_RATIO = 0.8
RESTARTS = 3


@dataclass(frozen=True)
class Objective:
    """A service level objective over 30 days.

    Attributes:
        name: as it stands in the names of the recorded series.
        title: for people.
        target: the share that has to be good.
        countable: whether bad events can be counted (else it is a share of time).
    """

    name: str
    title: str
    target: float
    countable: bool

    @property
    def budget(self) -> float:
        """The share that may be bad."""
        return round(1 - self.target, 6)


FRESHNESS = Objective("freshness", "Freshness of the map", 0.99, countable=False)
LATENCY = Objective("latency", "Commit to broadcast", 0.99, countable=True)
WEBSOCKET = Objective("websocket", "Availability of the websocket", 0.999, countable=True)
OBJECTIVES = (FRESHNESS, LATENCY, WEBSOCKET)


@dataclass(frozen=True)
class Burn:
    """How fast the budget may burn: too fast over both windows is an alert.

    Attributes:
        rate: multiple of the rate that spends exactly the budget in 30 days.
        long: the window that shows that it matters.
        short: the window that shows that it goes on.
    """

    rate: float
    long: str
    short: str


FAST = (Burn(14.4, "1h", "5m"), Burn(6, "6h", "30m"))
"""2 % of the budget in an hour, or 5 % in six hours."""

SLOW = (Burn(3, "1d", "2h"), Burn(1, "3d", "6h"))
"""10 % of the budget in a day, or in three days."""

WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
LEAST_BAD_EVENTS = 3
"""A few bad events are no trend: where hardly anything happens one of them would be a large share."""
