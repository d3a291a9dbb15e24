from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from prometheus_client import CollectorRegistry, generate_latest

from isotherm_fetcher.metrics import FetcherCollector, Snapshot, Totals
from isotherm_fetcher.quota import Ledger, Limits

START = datetime(2026, 11, 24, 12)  # noqa: DTZ001 - as the table has it
NOW = 1_795_521_600.0


def row(number: int, outcome: str = "done", **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "started_at": START + timedelta(minutes=number),
        "finished_at": None if outcome in {"running", "died"} else START + timedelta(minutes=number, seconds=3),
        "outcome": outcome,
        "points_asked": 10,
        "points_stored": 9,
        "points_failed": 1,
        "upstream_status": json.dumps({"200": 1, "503": 1}),
        "upstream_latency_buckets": json.dumps({"0.1": 1, "+Inf": 2}),
        "upstream_latency_sum_seconds": 1.5,
        "weight_by_minute": json.dumps({"29925360": 10.0}),
    } | changes


def snapshot(**changes: Any) -> Snapshot:
    values: dict[str, Any] = {
        "ledger": Ledger({int(NOW // 60): 69.0}),
        "limits": Limits(600, 5000, 10_000),
        "blocked_until": None,
        "locations_wanted": 612,
        "locations_with_data": 0,
        "locations_simulated": 0,
        "stalest_fetched_at": None,
        "newest_fetched_at": None,
        "newest_valid_at": None,
        "last_run_started_at": None,
        "last_run_outcome": None,
        "last_ended_duration_seconds": None,
        "last_success_at": None,
        "refreshed_at": NOW,
    }
    return Snapshot(**(values | changes))


def exposed(totals: Totals, shown: Snapshot) -> dict[str, float]:
    collector = FetcherCollector()
    collector.refreshed(totals, shown)
    registry = CollectorRegistry()
    registry.register(collector)
    lines = (line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_runs_that_ended_before_the_exporter_are_not_counted() -> None:
    """A counter that begins with old sums would look like a burst to Prometheus whenever old rows are gone."""
    totals = Totals(since=START + timedelta(minutes=2))
    totals.absorb([row(1), row(2), row(3, "running")])
    assert totals.runs["done"] == 1
    totals.absorb([row(3, "partial"), row(4)])
    assert (totals.runs["done"], totals.runs["partial"]) == (2, 1)
    assert totals.wanted == (4, ())


def test_each_metric_is_summed_over_the_runs() -> None:
    """Points, requests by status, latencies, weight and durations."""
    totals = Totals(since=START)
    totals.absorb([row(1), row(2)])
    samples = exposed(totals, snapshot())
    assert samples["isotherm_fetcher_points_asked_total"] == 20
    assert samples["isotherm_fetcher_points_stored_total"] == 18
    assert samples["isotherm_fetcher_points_failed_total"] == 2
    assert samples['isotherm_fetcher_upstream_requests_total{status="503"}'] == 2
    assert samples['isotherm_fetcher_upstream_requests_total{status="429"}'] == 0
    assert samples['isotherm_fetcher_upstream_latency_seconds_bucket{le="0.1"}'] == 2
    assert samples["isotherm_fetcher_upstream_latency_seconds_count"] == 4
    assert samples["isotherm_fetcher_upstream_latency_seconds_sum"] == 3
    assert samples["isotherm_fetcher_quota_spent_points_total"] == 20
    assert samples["isotherm_fetcher_run_duration_seconds_sum"] == 6


def test_quota_and_freshness_are_shown() -> None:
    """What is left of each window, and how old the oldest datum is; what is not known has no sample."""
    samples = exposed(Totals(since=START), snapshot(stalest_fetched_at=NOW - 900, last_run_outcome="quota"))
    assert samples['isotherm_fetcher_quota_left_points{window="minute"}'] == 531
    assert samples['isotherm_fetcher_quota_left_points{window="day"}'] == 9931
    assert samples['isotherm_fetcher_quota_limit_points{window="hour"}'] == 5000
    assert samples["isotherm_fetcher_stalest_fetched_timestamp_seconds"] == NOW - 900
    assert samples['isotherm_fetcher_last_run_outcome{outcome="quota"}'] == 1
    assert samples['isotherm_fetcher_last_run_outcome{outcome="done"}'] == 0
    assert "isotherm_fetcher_last_success_timestamp_seconds" not in samples


def test_nothing_is_left_of_a_window_while_the_upstream_refuses() -> None:
    """Others behind the same address spend of the same quota: what the upstream says counts more than our ledger."""
    samples = exposed(Totals(since=START), snapshot(blocked_until=NOW + 3600))
    left = {
        window: samples[f'isotherm_fetcher_quota_left_points{{window="{window}"}}']
        for window in ("minute", "hour", "day")
    }
    assert left == {"minute": 0, "hour": 0, "day": 9931}


def test_a_window_without_a_limit_has_no_sample() -> None:
    """Infinity would break every sum."""
    samples = exposed(Totals(since=START), snapshot(limits=Limits(day=100)))
    assert [name for name in samples if "quota_limit" in name] == ['isotherm_fetcher_quota_limit_points{window="day"}']


def test_before_the_tables_were_read_only_the_exporter_itself_is_there() -> None:
    """Zeros would be taken for data."""
    collector = FetcherCollector()
    collector.refresh_failed()
    assert [metric.name for metric in collector.collect()] == [
        "isotherm_fetcher",
        "isotherm_fetcher_exporter_refresh_errors",
    ]


class CountersUnderRetention(RuleBasedStateMachine):
    """Runs begin, end and die; old rows are removed; the exporter reads now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.table: dict[int, dict[str, Any]] = {}
        self.next_id = 1
        self.totals = Totals(since=START)
        self.totals.absorb([])
        self.last: dict[str, int] = {}
        self.ended = 0
        self.seen_by_the_exporter = 0

    @rule(outcome=st.sampled_from(["done", "partial", "quota", "failed"]))
    def a_run_begins_or_ends(self, outcome: str) -> None:
        newest = self.table.get(self.next_id - 1)
        if newest is not None and newest["outcome"] == "running":
            self.table[self.next_id - 1] = row(self.next_id - 1, outcome)
        else:
            self.table[self.next_id] = row(self.next_id, "running")
            self.next_id += 1

    @precondition(lambda self: self.table)
    @rule()
    def a_run_dies(self) -> None:
        if self.table[max(self.table)]["outcome"] == "running":
            self.table[max(self.table)]["outcome"] = "died"

    @precondition(lambda self: len(self.table) > 1)
    @rule()
    def the_oldest_row_is_removed(self) -> None:
        oldest = min(self.table)
        self.read()
        del self.table[oldest]

    @rule()
    def read(self) -> None:
        newest, still_open = self.totals.wanted
        self.totals.absorb(
            entry for number, entry in sorted(self.table.items()) if number > newest or number in still_open
        )

    @invariant()
    def no_counter_falls_and_each_run_counts_once(self) -> None:
        assert all(self.totals.runs[outcome] >= count for outcome, count in self.last.items())
        self.last = dict(self.totals.runs)
        assert sum(self.last.values()) < self.next_id
        assert self.totals.points["asked"] == 10 * sum(self.last.values())

    def teardown(self) -> None:
        self.read()
        running = sum(entry["outcome"] == "running" for entry in self.table.values())
        assert sum(self.totals.runs.values()) == self.next_id - 1 - running


def test_counters_never_fall_and_miss_nothing_while_old_rows_are_removed() -> None:
    """Each run that ends counts once, whenever it is seen and whatever is removed."""
    run_state_machine_as_test(CountersUnderRetention, settings=settings(max_examples=50, stateful_step_count=30))
