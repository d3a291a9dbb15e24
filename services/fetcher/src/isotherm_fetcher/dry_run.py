"""What the next run would do, in words: it reads the tables, and touches neither them nor Open-Meteo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isotherm_fetcher import planner, runs, store
from isotherm_fetcher.locations import compare
from isotherm_fetcher.rows import Location
from isotherm_fetcher.times import to_datetime

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from isotherm_fetcher.locations import Changes
    from isotherm_fetcher.mysql import Database
    from isotherm_fetcher.planner import Plan, Policy
    from isotherm_fetcher.quota import Ledger
    from isotherm_fetcher.rows import Place
    from isotherm_fetcher.task import Task

_MODES = {
    "all": "there is no quota, so every location is fetched",
    "sweep": "most data is missing or stale, so all that is stale is fetched at once",
    "share": "the run's share of the quota, for the stalest locations",
}


def describe_next_run(task: Task, database: Database, now: float, label: str) -> Iterator[str]:
    """Yield the lines that say what a run at `now` would do.

    Args:
        task: what it is to do.
        database: where it looks.
        now: Unix seconds.
        label: the region's name.
    """
    changes = compare(task.region, store.read_locations(database))
    locations = _after(changes, store.active_locations(database, simulated=task.simulated))
    remembered = task.policy.remembered_seconds(len(locations))
    ledger = runs.spent(database, now, simulated=task.simulated, remembered_seconds=remembered)
    limited = bool(task.policy.limits.limited)
    blocked_until = runs.blocked_until(database, now) if limited else None
    plan = planner.plan(now, locations, ledger, task.policy)
    yield from lines(label, changes, plan, ledger, task.policy, now, blocked_until)


def lines(
    label: str,
    changes: Changes,
    plan: Plan,
    ledger: Ledger,
    policy: Policy,
    now: float,
    blocked_until: float | None,
) -> Iterator[str]:
    """Yield a plan in words."""
    total = len(plan.locations) + plan.left_out
    yield (
        f"Region {label}: {total} locations ({len(changes.insert)} new, {len(changes.activate)} come back, "
        f"{len(changes.deactivate)} leave)"
    )
    yield "Quota: " + (", ".join(_quota(ledger, policy, now)) or "no limit")
    if blocked_until is not None:
        yield f"Open-Meteo refuses to answer until {_time(blocked_until)}: the run would end at once"
        return
    yield f"Plan: {plan.mode}: {_MODES[plan.mode]}"
    for number, part in enumerate(plan.parts, start=1):
        at = "at once" if part.at <= now else f"at {_time(part.at)}"
        yield f"  request {number}, {at}: {len(part.locations)} points, {_age(part.locations, now)}"
    yield f"Cost: {plan.weight:g}; left for later runs: {plan.left_out} points"
    if plan.stopped_by is not None:
        yield f"Nothing more is left of the {plan.stopped_by}: the run would end with exit code 75"


def _after(changes: Changes, active: Sequence[Location]) -> list[Location]:
    """Return the active locations as they would be after the changes; new ones have no id yet."""
    leaving = frozenset(changes.deactivate)
    new: list[Place] = list(changes.insert)
    return [
        *(location for location in active if location.id not in leaving),
        *(Location(0, place.latitude, place.longitude) for place in new),
        *(Location(location_id, 0.0, 0.0) for location_id in changes.activate),
    ]


def _quota(ledger: Ledger, policy: Policy, now: float) -> Iterator[str]:
    for window in policy.limits.limited:
        yield f"{ledger.left(now, window, policy.limits):g} of {policy.limits.of(window)} left of the {window}"


def _age(locations: Sequence[Location], now: float) -> str:
    known = [now - location.fetched_at for location in locations if location.fetched_at is not None]
    without = len(locations) - len(known)
    parts = [f"{without} without data"] if without else []
    if known:
        parts.append(f"fetched {min(known) / 60:.0f} to {max(known) / 60:.0f} minutes ago")
    return ", ".join(parts)


def _time(seconds: float) -> str:
    return f"{to_datetime(seconds):%H:%M:%S} UTC"
