"""What requests cost and what is left to spend: Open-Meteo's weights and windows.

Open-Meteo counts in fixed windows: they clear on the minute, the hour and the UTC day, not by and by. What this
fetcher spent is remembered by the minute in the table of runs (contract S6), so that every run, and the exporter,
knows what the runs before it spent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

WindowName = Literal["minute", "hour", "day"]

SECONDS: dict[WindowName, int] = {"minute": 60, "hour": 3600, "day": 86_400}
"""The lengths of the windows, the shortest first."""

_VARIABLES_INCLUDED = 10
_DAYS_INCLUDED = 14


def weight_of_point(variables: int, days: float, models: int = 1) -> float:
    """Return what one location costs: 1 for up to 10 variables and 14 days, more in proportion."""
    return max(1.0, variables * models / _VARIABLES_INCLUDED * max(1.0, days / _DAYS_INCLUDED))


def window_start(now: float, window: WindowName) -> int:
    """Return the Unix second at which the window around `now` began."""
    return int(now // SECONDS[window]) * SECONDS[window]


def window_end(now: float, window: WindowName) -> int:
    """Return the Unix second at which the window around `now` clears."""
    return window_start(now, window) + SECONDS[window]


@dataclass(frozen=True)
class Limits:
    """How much may be spent in each window; None: as much as you like."""

    minute: int | None = None
    hour: int | None = None
    day: int | None = None

    def of(self, window: WindowName) -> int | None:
        """Return the limit of a window."""
        limit: int | None = getattr(self, window)
        return limit

    @property
    def limited(self) -> tuple[WindowName, ...]:
        """The windows that have a limit, the shortest first."""
        return tuple(window for window in SECONDS if self.of(window) is not None)


@dataclass
class Ledger:
    """What was spent, by Unix minute."""

    by_minute: dict[int, float] = field(default_factory=dict)

    @classmethod
    def of_runs(cls, runs: Iterable[Mapping[str, float]]) -> Ledger:
        """Add up the `weight_by_minute` of several runs."""
        ledger = cls()
        for run in runs:
            for minute, weight in run.items():
                ledger.add(int(minute), weight)
        return ledger

    def add(self, minute: int, weight: float) -> None:
        """Enter `weight` (less than nothing takes back) into a minute."""
        self.by_minute[minute] = max(0.0, self.by_minute.get(minute, 0.0) + weight)

    def charge(self, now: float, weight: float) -> None:
        """Enter what is spent now."""
        self.add(int(now // 60), weight)

    def spent_between(self, start: float, end: float) -> float:
        """Return what was spent in the minutes that begin in [start, end)."""
        return sum(weight for minute, weight in self.by_minute.items() if start <= minute * 60 < end)

    def spent(self, now: float, window: WindowName) -> float:
        """Return what was spent in the window around `now`."""
        return self.spent_between(window_start(now, window), window_end(now, window))

    def left(self, now: float, window: WindowName, limits: Limits) -> float:
        """Return what is left of the window around `now`: infinity without a limit, never less than nothing."""
        limit = limits.of(window)
        return math.inf if limit is None else max(0.0, limit - self.spent(now, window))
