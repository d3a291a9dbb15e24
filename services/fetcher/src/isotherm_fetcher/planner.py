"""Which locations a run fetches, and in which parts. Pure: the clock, the table and the ledger are arguments.

A run has one of three modes:

- *all*: there is no quota, every location is fetched.
- *sweep*: the table is empty or mostly stale. Everything stale is fetched at once, as far as the windows allow. A sweep
  borrows from the runs after it, at most one cycle's quota: a cycle is the time in which ordinary runs go round all
  locations. So an upstream that answers nothing usable cannot burn the day's quota by being swept again and again.
- *share*: the run has its share of each window, never more than an even spread over the window gives it, and less
  while a sweep is being repaid. It goes to the stalest locations first.

Locations that are stale although everything else is fresh fail again and again. They get at most half of a share, drawn
by lot, so that they cannot starve the rest and are still tried.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from isotherm_fetcher.quota import SECONDS, Ledger, Limits, WindowName, window_end, window_start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from isotherm_fetcher.rows import Location

Mode = Literal["all", "sweep", "share"]

_MOSTLY = 0.5
_CYCLES_UNTIL_STALE = 2
_SHORTEST_RUN_SECONDS = 120
_RUN_MARGIN_SECONDS = 60
MARGIN_AFTER_BOUNDARY_SECONDS = 1.0
"""How long after a window clears its quota is used: clocks differ a little."""


@dataclass(frozen=True)
class Policy:
    """What a plan obeys.

    Attributes:
        limits: of the windows.
        interval_seconds: from one run to the next.
        stale_after_seconds: older data counts as stale; never taken for less than two cycles.
        points_per_request: a part's size at most.
        weight_of_point: what one location costs.
    """

    limits: Limits
    interval_seconds: float = 600
    stale_after_seconds: float = 3 * 3600
    points_per_request: int = 100
    weight_of_point: float = 1.0

    def base_share(self) -> float:
        """Return the points of one run when a window is spread evenly over its runs."""
        shares = (
            limit * min(self.interval_seconds / SECONDS[window], 1.0) / self.weight_of_point
            for window in self.limits.limited
            if (limit := self.limits.of(window)) is not None
        )
        return min(shares, default=math.inf)

    def cycle_seconds(self, locations: int) -> float:
        """Return the time in which ordinary runs go round `locations` locations."""
        share = self.base_share()
        return self.interval_seconds * max(1.0, math.ceil(locations / share)) if share else math.inf

    def remembered_seconds(self, locations: int) -> float:
        """Return how far back a plan for `locations` locations looks at what was spent: a cycle and the minute of its begin."""
        return self.cycle_seconds(locations) + SECONDS["minute"]

    def deadline(self, started_at: float) -> float:
        """Return until when a run may wait for another minute: it must not outlast its interval."""
        return started_at + max(self.interval_seconds - _RUN_MARGIN_SECONDS, _SHORTEST_RUN_SECONDS)


@dataclass(frozen=True)
class Send:
    """Ask for this many points now."""

    points: int


@dataclass(frozen=True)
class Wait:
    """Nothing fits into this minute: go on at `until` (Unix seconds)."""

    until: float


@dataclass(frozen=True)
class Stop:
    """Nothing more fits into this run: `window` is spent until `until`; no window: the run's time is over."""

    window: WindowName | None
    until: float


Step = Send | Wait | Stop


@dataclass(frozen=True)
class Part:
    """One request.

    Attributes:
        at: Unix seconds, if requests took no time.
        locations: what is asked for.
    """

    at: float
    locations: tuple[Location, ...]


@dataclass(frozen=True)
class Plan:
    """What a run is going to do.

    Attributes:
        mode: why it fetches what it fetches.
        parts: the requests, in order.
        weight: what they cost together.
        left_out: how many locations wait for a later run.
        stopped_by: the hour's or day's window that keeps the run from doing what its mode asks for, if one does.
    """

    mode: Mode
    parts: tuple[Part, ...]
    weight: float
    left_out: int
    stopped_by: WindowName | None = None

    @property
    def locations(self) -> tuple[Location, ...]:
        """All locations of the plan, the stalest first."""
        return tuple(location for part in self.parts for location in part.locations)


def next_step(now: float, remaining: int, ledger: Ledger, policy: Policy, deadline: float) -> Step:
    """Decide what to do next when `remaining` points are still to be asked for."""
    for window in ("day", "hour"):
        if ledger.left(now, window, policy.limits) < policy.weight_of_point:
            return Stop(window, window_end(now, window))
    left = min(ledger.left(now, window, policy.limits) for window in SECONDS)
    points = min(remaining, policy.points_per_request)
    if left < math.inf:
        points = min(points, int(left // policy.weight_of_point))
    if points > 0:
        return Send(points)
    until = window_end(now, "minute") + MARGIN_AFTER_BOUNDARY_SECONDS
    return Stop(None, until) if until > deadline else Wait(until)


def share(now: float, ledger: Ledger, policy: Policy) -> int:
    """Return how many points an ordinary run may fetch now."""
    points = policy.base_share()
    interval = policy.interval_seconds
    pace = math.inf
    for window in policy.limits.limited:
        runs_left = max(1.0, math.ceil((window_end(now, window) - now) / interval))
        points = min(points, ledger.left(now, window, policy.limits) / policy.weight_of_point / runs_left)
        pace = min(pace, _ahead(now, window, ledger, policy))
    if points < 1 <= pace:  # runs so frequent that each has less than a point: one now and then
        return 1
    return int(points)


def _ahead(now: float, window: WindowName, ledger: Ledger, policy: Policy) -> float:
    """Return how many points an even spread over the window would allow by the end of this run's interval."""
    limit = policy.limits.of(window)
    assert limit is not None
    elapsed = (now - window_start(now, window) + policy.interval_seconds) / SECONDS[window]
    return (limit * min(1.0, elapsed) - ledger.spent(now, window)) / policy.weight_of_point


def plan(now: float, locations: Sequence[Location], ledger: Ledger, policy: Policy) -> Plan:
    """Plan the run that starts now."""
    stalest_first = sorted(locations, key=lambda location: (_fetched_at(location), _spread(location.id)))
    if not policy.limits.limited:
        return _in_parts(now, "all", stalest_first, len(locations), ledger, policy)
    cycle = policy.cycle_seconds(len(locations))
    horizon = now - max(policy.stale_after_seconds, _CYCLES_UNTIL_STALE * cycle)
    stale = [location for location in stalest_first if _fetched_at(location) < horizon]
    ordinary = share(now, ledger, policy)
    lot = random.Random(int(now // policy.interval_seconds))  # noqa: S311 - the same plan for the same time
    if len(stale) > _MOSTLY * len(locations):
        borrowed = (
            ledger.spent_between(now - policy.remembered_seconds(len(locations)), now + 60) / policy.weight_of_point
        )
        to_borrow = int(len(locations) - borrowed)
        if to_borrow > ordinary:
            return _in_parts(now, "sweep", _all_over_the_map(stale, lot)[:to_borrow], len(locations), ledger, policy)
    chosen = _stalest_and_struggling(stale, stalest_first[len(stale) :], ordinary, lot)
    return _in_parts(now, "share", chosen, len(locations), ledger, policy)


def _all_over_the_map(stale: list[Location], lot: random.Random) -> list[Location]:
    """Return them in an order in which the first part is a coarse map of all, and begin it where the lot falls.

    When a sweep cannot have all of them, those that always fail must not always be its first.
    """
    scattered = sorted(stale, key=lambda location: _spread(location.id))
    first = lot.randrange(len(stale))
    return scattered[first:] + scattered[:first]


def _spread(number: int) -> int:
    """Scatter neighbouring numbers (Knuth's multiplicative hash): what is fetched of equals lies all over the map."""
    return number * 2_654_435_761 % 2**32


def _fetched_at(location: Location) -> float:
    return -math.inf if location.fetched_at is None else location.fetched_at


def _stalest_and_struggling(
    struggling: list[Location], healthy: list[Location], points: int, lot: random.Random
) -> list[Location]:
    """Choose `points` locations: the struggling get half at most while there are healthy ones, drawn by lot."""
    if not struggling:
        return healthy[:points]
    half = points / 2
    room = max(int(half) + (lot.random() < half % 1), points - len(healthy))
    drawn = struggling if room >= len(struggling) else lot.sample(struggling, room)
    return [*drawn, *healthy[: points - len(drawn)]]


def _in_parts(now: float, mode: Mode, chosen: Sequence[Location], total: int, ledger: Ledger, policy: Policy) -> Plan:
    """Lay the chosen locations into the windows as a run of no duration would."""
    spent = Ledger(dict(ledger.by_minute))
    deadline = policy.deadline(now)
    parts: list[Part] = []
    at, done = now, 0
    stopped_by: WindowName | None = None
    if not chosen:
        stopped_by = next(
            (w for w in policy.limits.limited if w != "minute" and not _fits_one(now, w, ledger, policy)), None
        )
    while done < len(chosen):
        step = next_step(at, len(chosen) - done, spent, policy, deadline)
        if isinstance(step, Wait):
            at = step.until
        elif isinstance(step, Stop):
            stopped_by = step.window
            break
        else:
            spent.charge(at, step.points * policy.weight_of_point)
            parts.append(Part(at, tuple(chosen[done : done + step.points])))
            done += step.points
    return Plan(mode, tuple(parts), done * policy.weight_of_point, total - done, stopped_by)


def _fits_one(now: float, window: WindowName, ledger: Ledger, policy: Policy) -> bool:
    return ledger.left(now, window, policy.limits) >= policy.weight_of_point
