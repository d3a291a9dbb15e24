from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import fetcher_answers as answers
from isotherm_common.open_telemetry import OpenTelemetry
from isotherm_common.process import ExitCode
from isotherm_common.retry import RetryPolicy
from isotherm_common.shutdown import Shutdown
from isotherm_common.tracing import OFF, of_run
from isotherm_fetcher import retention, runs, store
from isotherm_fetcher.errors import (
    MinuteLimit,
    QuotaExhausted,
    RunFailed,
    UpstreamRefused,
    UpstreamTransient,
    WindowLimit,
)
from isotherm_fetcher.locations import Changes
from isotherm_fetcher.open_meteo import Answer
from isotherm_fetcher.parse import Failure, Parsed, parse
from isotherm_fetcher.planner import Policy
from isotherm_fetcher.quota import Ledger, Limits
from isotherm_fetcher.rows import Location
from isotherm_fetcher.run import run_once
from isotherm_fetcher.task import Result, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from isotherm_common.tracing import Tracing
    from isotherm_fetcher.progress import Progress

NOON = 1_795_521_600.0
FREE = Limits(600, 5_000, 10_000)
QUICK = RetryPolicy(initial_seconds=0.0001, maximum_seconds=0.0002)


class VirtualShutdown(Shutdown):
    """Waiting moves the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON + 5

    def wait(self, seconds: float | None = None) -> bool:
        self.now += seconds or 0
        return self.requested


@dataclass
class World:
    """The tables in memory, and an upstream that does what it is told."""

    locations: dict[int, Location]
    shutdown: VirtualShutdown = field(default_factory=VirtualShutdown)
    ledger: Ledger = field(default_factory=Ledger)
    blocked_until: float | None = None
    script: list[Exception | Callable[[Sequence[Location]], None] | None] = field(default_factory=list)
    failing: frozenset[int] = frozenset()
    asked: list[tuple[float, int]] = field(default_factory=list)
    saved: list[dict[str, Any]] = field(default_factory=list)

    name = "weather"

    @contextmanager
    def runner_lock(self, _: float) -> Iterator[None]:
        yield

    def transaction(self, work: Callable[[Any], Any]) -> Any:
        return work(None)

    def fetch(self, locations: Sequence[Location]) -> Answer:
        self.asked.append((self.shutdown.now - NOON, len(locations)))
        event = self.script.pop(0) if self.script else None
        if isinstance(event, Exception):
            raise event
        if event is not None:
            event(locations)
        parsed = parse(answers.body(locations), locations)
        failures = tuple(
            Failure(row.location_id, "broken") for row in parsed.weather if row.location_id in self.failing
        )
        weather = tuple(row for row in parsed.weather if row.location_id not in self.failing)
        return Answer(Parsed(weather, failures), "open-meteo", self.shutdown.now)

    def save(self, _: Any, run_id: int, progress: Progress, outcome: str = "running", now: float | None = None) -> None:
        assert run_id == 7
        self.saved.append(
            {
                "outcome": outcome,
                "asked": progress.asked,
                "stored": progress.stored,
                "failed": progress.failed,
                "status": dict(progress.upstream_status),
                "weight": sum(progress.weight_by_minute.by_minute.values()),
                "blocked_until": progress.blocked_until,
                "finished": now is not None,
            }
        )

    def write(self, _: Any, weather: Sequence[Any], source: str, fetched_at: float, run_id: int) -> None:
        for row in weather:
            old = self.locations[row.location_id]
            self.locations[row.location_id] = Location(old.id, old.latitude, old.longitude, fetched_at)

    def run(self, limits: Limits = FREE, points_per_request: int = 100, tracing: Tracing = OFF) -> Result:
        task = Task((), Policy(limits, points_per_request=points_per_request), True, 1, 1, QUICK)
        return run_once(task, self, self, self.shutdown, lambda: self.shutdown.now, tracing)  # type: ignore[arg-type]

    @property
    def stored(self) -> int:
        return sum(location.fetched_at is not None for location in self.locations.values())


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World({number: Location(number, 10.0, 20.0) for number in range(1, 613)})
    monkeypatch.setattr(runs, "start", lambda *_: 7)
    monkeypatch.setattr(runs, "save", made.save)
    monkeypatch.setattr(runs, "spent", lambda *_, **__: made.ledger)
    monkeypatch.setattr(runs, "blocked_until", lambda *_: made.blocked_until)
    monkeypatch.setattr(store, "synchronise", lambda *_: Changes())
    monkeypatch.setattr(store, "active_locations", lambda *_, **__: list(made.locations.values()))
    monkeypatch.setattr(store, "write_weather", made.write)
    for name in ("remove_inactive", "remove_old_history", "remove_old_runs"):
        monkeypatch.setattr(retention, name, lambda *_: 0)
    return made


def test_a_first_run_fills_the_whole_map(world: World) -> None:
    """600 points in the first minute, and the rest as soon as the next has begun."""
    result = world.run()
    assert (result.outcome, result.stored, world.stored) == ("done", 612, 612)
    assert world.asked == [(5, 100)] * 6 + [(61, 12)]
    assert world.saved[-1]["weight"] == 612


@pytest.mark.contract("S6")
def test_a_request_is_paid_for_before_it_is_sent(world: World) -> None:
    """A process that dies in a request has recorded what the request costs."""
    seen: list[float] = []
    world.script = [lambda _: seen.append(world.saved[-1]["weight"]) for _ in range(3)]
    world.run(Limits())
    assert seen == [100, 200, 300]


def test_a_transient_failure_is_retried_and_costs_one(world: World) -> None:
    """The part is not lost, and each failed request is counted under its status."""
    world.script = [UpstreamTransient("503: down", status="503"), UpstreamTransient("broke", status="error", cost=None)]
    result = world.run(Limits(), points_per_request=306)
    assert (result.outcome, result.stored) == ("done", 612)
    assert world.saved[-1]["status"] == {"503": 1, "error": 1, "200": 2}
    assert world.saved[-1]["weight"] == 1 + 306 + 306 + 306


def test_a_part_that_keeps_failing_loses_nothing_of_the_others(world: World) -> None:
    """After four attempts it is given up, and the run goes on with the next."""
    world.script = [None, *[UpstreamTransient("503: down", status="503")] * 4]
    result = world.run(Limits())
    assert (result.outcome, result.stored, result.failed) == ("partial", 512, 100)
    assert result.error == "503: down"
    result.raise_for_outcome()


def test_an_upstream_that_is_down_is_not_asked_for_every_part(world: World) -> None:
    """Two parts in a row that failed end the run: eight requests, and the day's quota is not burnt."""
    world.script = [UpstreamTransient("503: down", status="503")] * 100
    result = world.run(Limits())
    assert (result.outcome, len(world.asked), result.failed) == ("failed", 8, 200)
    with pytest.raises(RunFailed, match="503: down") as caught:
        result.raise_for_outcome()
    assert caught.value.exit_code == ExitCode.TRY_AGAIN_LATER


def test_the_next_minute_is_waited_for(world: World) -> None:
    """Someone else behind the same address may have spent the minute: it is waited out, and costs one point."""
    world.script = [None, MinuteLimit("Minutely API request limit exceeded", status="429")]
    result = world.run(Limits())
    assert (result.outcome, result.stored) == ("done", 612)
    assert [at for at, _ in world.asked] == [5, 5, 61, 61, 61, 61, 61, 61]


@pytest.mark.parametrize(("window", "until"), [("hour", NOON + 3600), ("day", NOON + 43_200)])
def test_a_spent_hour_or_day_ends_the_run(world: World, window: Any, until: float) -> None:
    """What was stored stays, and the next run knows until when not to ask."""
    world.script = [None, WindowLimit("Hourly API request limit exceeded.", window)]
    result = world.run()
    assert (result.outcome, result.stored, len(world.asked)) == ("quota", 100, 2)
    assert world.saved[-1]["blocked_until"] == until
    with pytest.raises(QuotaExhausted) as caught:
        result.raise_for_outcome()
    assert caught.value.exit_code == ExitCode.TRY_AGAIN_LATER


def test_a_refusal_that_lasts_is_respected_without_asking(world: World) -> None:
    """The run ends at once; a host without a quota is asked all the same."""
    world.blocked_until = NOON + 3600
    result = world.run()
    assert (result.outcome, world.asked) == ("quota", [])
    assert result.error == "Open-Meteo refuses to answer until 13:00 UTC"
    assert world.run(Limits()).outcome == "done"


def test_an_own_ledger_that_is_spent_ends_the_run_without_asking(world: World) -> None:
    """The quota is kept by us, not by being refused."""
    world.ledger.charge(NOON - 4 * 3600, 10_000)
    result = world.run()
    assert (result.outcome, world.asked, result.error) == ("quota", [], "nothing is left of the day")


def test_a_wrong_request_stops_loudly(world: World) -> None:
    """It is recorded as failed and ends with exit code 64; the other parts are not tried."""
    world.script = [UpstreamRefused("Latitude must be in range", "400")]
    with pytest.raises(UpstreamRefused):
        world.run()
    assert len(world.asked) == 1
    assert world.saved[-1] | {"weight": 1, "status": {"400": 1}, "outcome": "failed"} == world.saved[-1]


@pytest.mark.contract("E5")
def test_a_signal_ends_the_run_after_the_part_that_was_begun(world: World) -> None:
    """What was asked for is stored; the run is partly done."""
    world.script = [None, lambda _: world.shutdown.request()]
    result = world.run()
    assert (result.outcome, result.stored, result.error) == ("partial", 200, "stopped by a signal")
    assert world.saved[-1]["finished"]


def test_locations_that_fail_are_counted_and_the_rest_is_stored(world: World) -> None:
    """A broken location is no broken part."""
    world.failing = frozenset({3, 4})
    result = world.run(Limits())
    assert (result.outcome, result.stored, result.failed) == ("partial", 610, 2)
    assert result.error is not None
    assert sorted(result.error.split("; ")) == ["location 3: broken", "location 4: broken"]


def test_an_error_of_our_own_is_recorded_before_it_is_raised(world: World) -> None:
    """Nothing is swallowed, and the run does not stay as if it were running."""
    world.script = [ZeroDivisionError("bug")]
    with pytest.raises(ZeroDivisionError):
        world.run()
    assert world.saved[-1]["outcome"] == "failed"


def test_an_ordinary_run_after_a_sweep_fetches_its_share(world: World) -> None:
    """69 points, of the stalest."""
    world.run()
    world.asked.clear()
    world.ledger.charge(NOON, 612)
    world.shutdown.now = NOON + 605
    assert world.run().stored == 69
    assert world.asked == [(605, 69)]


def test_bodies_made_for_tests_are_json() -> None:
    """The helper answers one location as an object and several as an array, as Open-Meteo does."""
    place = Location(1, 1.0, 1.0)
    assert isinstance(json.loads(answers.body([place])), dict)
    assert isinstance(json.loads(answers.body([place, place])), list)


def test_a_run_is_a_trace_that_others_can_name(world: World) -> None:
    """With a span of each request and of each part stored, and the error of a request that failed."""
    exporter = InMemorySpanExporter()
    world.script = [UpstreamTransient("503", status="503")]
    world.run(
        Limits(), points_per_request=612, tracing=OpenTelemetry(SimpleSpanProcessor(exporter), 1.0, "fetcher", "1")
    )
    spans = exporter.get_finished_spans()
    assert [span.name for span in spans] == ["ask_open_meteo", "ask_open_meteo", "store_part", "fetch_run"]
    assert [span.status.is_ok for span in spans] == [False, True, True, True]
    run = of_run("weather", 7)
    assert {span.context.trace_id for span in spans} == {run.trace_id}
    assert {span.parent.span_id for span in spans if span.parent} == {run.span_id}
    assert dict(spans[-1].attributes or {})["outcome"] == "done"
