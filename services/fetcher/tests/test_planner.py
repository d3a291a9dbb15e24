from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isotherm_fetcher.planner import Part, Plan, Policy, Send, Stop, Wait, next_step, plan, share
from isotherm_fetcher.quota import SECONDS, Ledger, Limits
from isotherm_fetcher.rows import Location

MIDNIGHT = 1_795_478_400.0  # 2026-11-24T00:00:00Z
NOON = MIDNIGHT + 12 * 3600
FREE = Limits(600, 5_000, 10_000)
POLICY = Policy(FREE)


def locations(count: int, fetched_at: float | None = None) -> list[Location]:
    return [Location(number, 0.0, 0.0, fetched_at) for number in range(1, count + 1)]


def sizes(parts: tuple[Part, ...]) -> list[int]:
    return [len(part.locations) for part in parts]


def test_an_empty_table_is_swept_whole_at_once() -> None:
    """The first map is a whole map: 600 points in the first minute, the rest in the next."""
    made = plan(NOON + 5, locations(612), Ledger(), POLICY)
    assert (made.mode, made.left_out, made.stopped_by, made.weight) == ("sweep", 0, None, 612)
    assert sizes(made.parts) == [100] * 6 + [12]
    assert [part.at for part in made.parts] == [NOON + 5] * 6 + [NOON + 61]


def test_the_first_points_of_a_sweep_lie_all_over_the_map() -> None:
    """What is there after the first request is a coarse map of everything, not a strip of it."""
    (first, *_) = plan(NOON, locations(612), Ledger(), POLICY).parts
    ids = sorted(location.id for location in first.locations)
    assert max(later - earlier for earlier, later in pairwise([0, *ids, 613])) < 20


def test_an_ordinary_run_has_its_share_of_the_day() -> None:
    """10,000 a day are 69 points every ten minutes."""
    made = plan(NOON, locations(612, NOON - 600), Ledger(), POLICY)
    assert (made.mode, len(made.locations), made.left_out) == ("share", 69, 543)


def test_the_stalest_come_first() -> None:
    """A share goes to the locations whose data is oldest, those without data before all."""
    table = [Location(number, 0.0, 0.0, NOON - number * 6) for number in range(1, 601)]
    table.append(Location(601, 0.0, 0.0, None))
    made = plan(NOON, table, Ledger(), POLICY)
    assert {location.id for location in made.locations} == {601, *range(533, 601)}


def test_a_sweep_is_repaid_by_smaller_shares() -> None:
    """What a sweep took at midnight is missing from the shares of that day."""
    ledger = Ledger()
    ledger.charge(MIDNIGHT + 5, 3000)
    assert share(MIDNIGHT + 600, ledger, POLICY) == (10_000 - 3000) // 143
    assert share(NOON + 86_400, ledger, POLICY) == 69


def test_a_share_is_never_more_than_an_even_spread() -> None:
    """What nobody spent in the morning is not spent in the evening: the quota is a limit, not a target."""
    assert share(MIDNIGHT + 86_000, Ledger(), POLICY) == 69


def test_mostly_stale_data_is_swept() -> None:
    """After a long pause everything stale is fetched at once, and what is fresh is not."""
    table = locations(400, NOON - 5 * 3600)
    table += [Location(number, 0.0, 0.0, NOON - 60) for number in range(401, 601)]
    made = plan(NOON, table, Ledger(), POLICY)
    assert made.mode == "sweep"
    assert {location.id for location in made.locations} == set(range(1, 401))


def test_a_sweep_borrows_one_cycle_at_most() -> None:
    """An upstream that answers nothing usable is not swept again before the ordinary runs have paid for it."""
    ledger = Ledger()
    ledger.charge(NOON - 600, 612)
    made = plan(NOON, locations(612), ledger, POLICY)
    assert (made.mode, len(made.locations)) == ("share", 69)


def test_a_sweep_that_died_is_continued() -> None:
    """The next run goes on with what the dead one left, and does not ask again for what it stored."""
    ledger = Ledger()
    ledger.charge(NOON - 100, 300)
    table = [Location(n, 0.0, 0.0, NOON - 100 if n <= 200 else None) for n in range(1, 613)]
    made = plan(NOON, table, ledger, POLICY)
    assert made.mode == "sweep"
    assert len(made.locations) == 312
    assert all(location.fetched_at is None for location in made.locations)


def test_a_sweep_larger_than_the_hour_is_cut() -> None:
    """An hour's quota ends the run; it says which window it was, so that the run ends with the right exit code."""
    policy = replace(POLICY, interval_seconds=3600.0)
    made = plan(NOON, locations(6000), Ledger(), policy)
    assert (made.mode, made.weight, made.stopped_by) == ("sweep", 5000, "hour")


def test_a_run_does_not_outlast_its_interval() -> None:
    """It stops before the next one would start; that is no lack of quota."""
    made = plan(NOON, locations(6000), Ledger(), replace(POLICY, interval_seconds=300))
    assert made.stopped_by is None
    assert made.weight == 600 * 4
    assert made.parts[-1].at < NOON + 300


def test_without_a_quota_everything_is_fetched() -> None:
    """A host of one's own is asked for every location in every run."""
    made = plan(NOON, locations(2500, NOON - 1), Ledger(), Policy(Limits()))
    assert (made.mode, made.left_out, made.stopped_by) == ("all", 0, None)
    assert {part.at for part in made.parts} == {NOON}


def test_a_spent_day_leaves_an_empty_plan_that_says_why() -> None:
    """Nothing is asked for, not even as an attempt."""
    ledger = Ledger()
    ledger.charge(MIDNIGHT, 10_000)
    made = plan(NOON, locations(612, NOON - 600), ledger, POLICY)
    assert (made.parts, made.stopped_by) == ((), "day")


def test_runs_more_frequent_than_points_fetch_one_now_and_then() -> None:
    """With a run every 5 s the day's quota is less than a point each: a third of the runs fetch nothing, and say so."""
    policy = replace(POLICY, interval_seconds=5)
    ledger, fetched = Ledger(), 0
    for turn in range(720):
        points = share(NOON + turn * 5, ledger, policy)
        assert points in {0, 1}
        ledger.charge(NOON + turn * 5, points)
        fetched += points
    assert fetched > 0


def test_locations_that_always_fail_get_at_most_half() -> None:
    """They are tried, by lot, and cannot starve the others."""
    tried: set[int] = set()
    for turn in range(60):
        now = NOON + turn * 600
        healthy = [Location(number, 0.0, 0.0, now - number) for number in range(101, 513)]
        made = plan(now, [*locations(100), *healthy], Ledger(), POLICY)
        failing = [location.id for location in made.locations if location.fetched_at is None]
        assert (len(made.locations), len(failing)) in {(69, 34), (69, 35)}
        tried.update(failing)
    assert tried == set(range(1, 101))


@pytest.mark.parametrize(
    ("spent", "expected"),
    [
        (0, Send(50)),
        (570, Send(30)),
        (600, Wait(NOON + 61)),
        (5000, Stop("hour", NOON + 3600)),
        (10_000, Stop("day", MIDNIGHT + 86_400)),
    ],
)
def test_a_minute_is_waited_for_and_an_hour_is_not(spent: int, expected: object) -> None:
    """What fits is sent; the next minute is worth waiting for; an hour or a day ends the run."""
    ledger = Ledger()
    ledger.charge(NOON, spent)
    assert next_step(NOON + 1, 50, ledger, POLICY, deadline=NOON + 540) == expected


limits = st.builds(
    Limits,
    minute=st.none() | st.integers(1, 60),
    hour=st.none() | st.integers(1, 200),
    day=st.none() | st.integers(1, 400),
)


@dataclass
class World:
    """An upstream that counts by itself, and a table."""

    policy: Policy
    now: float
    fetched_at: dict[int, float | None]
    failing: frozenset[int]
    ledger: Ledger = field(default_factory=Ledger)
    counted: Counter[tuple[str, int]] = field(default_factory=Counter)

    def run(self, seconds_per_request: float) -> Plan:
        """Do what a run does, with requests that take their time."""
        table = [Location(number, 0.0, 0.0, at) for number, at in self.fetched_at.items()]
        made = plan(self.now, table, self.ledger, self.policy)
        deadline = self.policy.deadline(self.now)
        at, pending = self.now, list(made.locations)
        while pending:
            step = next_step(at, len(pending), self.ledger, self.policy, deadline)
            if isinstance(step, Stop):
                break
            if isinstance(step, Wait):
                assert step.until > at
                at = step.until
                continue
            self.ledger.charge(at, step.points * self.policy.weight_of_point)
            for window, length in SECONDS.items():
                self.counted[window, int(at // length)] += step.points
            at += seconds_per_request
            for location in pending[: step.points]:
                if location.id not in self.failing:
                    self.fetched_at[location.id] = at
            pending = pending[step.points :]
        return made

    def forget(self) -> None:
        """Drop what no plan looks at any more."""
        since = (self.now - self.policy.remembered_seconds(len(self.fetched_at)) - 86_400) / 60
        self.ledger = Ledger({minute: weight for minute, weight in self.ledger.by_minute.items() if minute > since})

    def assert_within_limits(self) -> None:
        for (window, _), spent in self.counted.items():
            limit = getattr(self.policy.limits, window)
            assert limit is None or spent <= limit


@settings(max_examples=60)
@given(
    limits,
    st.integers(1, 150),
    st.sampled_from([20.0, 60.0, 600.0, 900.0, 3600.0, 7200.0]),
    st.integers(1, 120),
    st.floats(0, 86_400),
    st.floats(0, 50),
    st.sampled_from([0.0, 0.1, 1.0]),
)
def test_no_window_is_ever_overspent(
    limits: Limits,
    count: int,
    interval: float,
    points_per_request: int,
    time_of_day: float,
    seconds_per_request: float,
    failing: float,
) -> None:
    """However runs, minutes and requests fall, an upstream that counts by itself never counts more than its limits."""
    policy = Policy(limits, interval_seconds=interval, points_per_request=points_per_request)
    failing_ids = frozenset(range(1, int(count * failing) + 1))
    world = World(policy, MIDNIGHT + time_of_day, dict.fromkeys(range(1, count + 1)), failing_ids)
    for _ in range(25):
        world.run(seconds_per_request)
        world.now += interval
    world.assert_within_limits()


@settings(max_examples=15)
@given(
    st.integers(1, 40),
    st.integers(20, 400),
    st.sampled_from([600.0, 900.0, 3600.0]),
    st.sampled_from([0.0, 0.1, 0.4, 0.6]),
    st.floats(0, 86_400),
)
def test_no_location_starves(count: int, per_day: int, interval: float, failing: float, time_of_day: float) -> None:
    """Whichever locations fail for ever, each of the others is fetched again and again, within a few cycles and a day."""
    policy = Policy(Limits(minute=60, hour=200, day=per_day), interval_seconds=interval, points_per_request=20)
    failing_ids = frozenset(range(1, int(count * failing) + 1))
    world = World(policy, MIDNIGHT + time_of_day, dict.fromkeys(range(1, count + 1)), failing_ids)
    bound = 6 * policy.cycle_seconds(count) + 2 * 86_400
    end = world.now + 2 * bound
    while world.now < end:
        world.run(1.0)
        world.now += interval
        world.forget()
        if world.now > end - bound:
            oldest = min(
                (at or 0 for number, at in world.fetched_at.items() if number not in failing_ids), default=math.inf
            )
            assert oldest > world.now - bound
    world.assert_within_limits()


@given(st.integers(1, 900), limits, st.integers(1, 300))
def test_the_parts_of_a_plan_hold_each_location_once(count: int, limits: Limits, points_per_request: int) -> None:
    """A sweep covers everything: what is in no part is counted as left out, and nothing is asked for twice."""
    policy = Policy(limits, points_per_request=points_per_request)
    made = plan(NOON, locations(count), Ledger(), policy)
    ids = [location.id for location in made.locations]
    assert len(ids) == len(set(ids)) == made.weight
    assert len(ids) + made.left_out == count
    assert all(1 <= size <= points_per_request for size in sizes(made.parts))
