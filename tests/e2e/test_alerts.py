"""A Prometheus 3.5 in the cluster has the chart's rules: what is broken raises the right alert, and no other but its consequences.

All alerts are rehearsed without a cluster by tests/observability/test_rehearsal.py; here the chart makes the rules and the
windows short, pods break, and every query of dashboards and rules is answered.
"""

from __future__ import annotations

import contextlib
import json
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from e2e.cluster import ROOT, Release, browser, eventually, run, until
from e2e.cluster import ask as ask_http

sys.path.insert(0, str(ROOT / "ci/observability"))

import ask

from observability.rehearsal import Watch

if TYPE_CHECKING:
    from collections.abc import Iterator

WINDOWS = {
    "2m": "20s",
    "5m": "30s",
    "15m": "40s",
    "30m": "60s",
    "1h": "60s",
    "2h": "60s",
    "6h": "60s",
    "1d": "60s",
    "3d": "60s",
}
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def watch(release: Release) -> Iterator[Watch]:
    """Prometheus in its own namespace, with the rules as the chart renders them for this release."""
    settings = ["metrics.rules.enabled=true", "metrics.rules.for=10s"]
    settings += [f"metrics.rules.windows.{before}={after}" for before, after in WINDOWS.items()]
    rendered = yaml.safe_load_all(release.helm("template", *(part for value in settings for part in ("--set", value))))
    (rules,) = (item["spec"] for item in rendered if item and item["kind"] == "PrometheusRule")
    run("kubectl", "apply", "--filename", str(ROOT / "k8s/prometheus.yaml"))
    monitoring = Release("monitoring", [])
    wanted = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "prometheus-rules"}}
    monitoring.kubectl(
        "apply", "--filename", "-", stdin=json.dumps({**wanted, "data": {"isotherm.yaml": json.dumps(rules)}})
    )
    monitoring.kubectl("rollout", "restart", "deployment/prometheus")
    monitoring.kubectl("rollout", "status", "deployment/prometheus", "--timeout=180s")
    with monitoring.forwarded("deployment/prometheus", 9090) as port:
        found = Watch(f"http://127.0.0.1:{port}", release.namespace)
        eventually(lambda: found.ask("isotherm_web_seq"), within_seconds=120, what="metrics of the web servers")
        yield found


@contextlib.contextmanager
def away(release: Release, component: str) -> Iterator[None]:
    """Let a component have no pod."""
    deployment = f"deployment/{release.name}-{component}"
    release.kubectl("scale", deployment, "--replicas=0")
    try:
        yield
    finally:
        release.kubectl("scale", deployment, "--replicas=1")
        release.wait_until_ready()


def test_nothing_fires_while_all_is_well(watch: Watch) -> None:
    """On a fresh installation, with the limits of every alert as they are."""
    with watch.expecting():
        pass


def test_the_cdc_is_away(watch: Watch, release: Release) -> None:
    """Its metrics are missing, and the web servers hear nothing."""
    with watch.expecting("IsothermCdcAbsent", "IsothermWebChangeStreamSilent") as fires, away(release, "cdc"):
        fires()


def test_the_simulator_is_away(watch: Watch, release: Release) -> None:
    """A run that nobody answers fails; Prometheus no longer has the simulator's own target, which no alert is about."""
    run_now = f"{release.name}-rehearsal"
    failing = watch.expecting("IsothermFetchFailing", beside=("IsothermTargetDown",))
    with failing as fires, away(release, "simulator"):
        release.kubectl("create", "job", run_now, f"--from=cronjob/{release.name}-fetcher")
        fires()
        release.kubectl("delete", "job", run_now, "--wait=true")
        release.kubectl("scale", f"deployment/{release.name}-simulator", "--replicas=1")
        release.wait_until_ready()
        release.kubectl("create", "job", run_now, f"--from=cronjob/{release.name}-fetcher")
        release.kubectl("wait", "--for=condition=complete", f"job/{run_now}", "--timeout=180s")


def test_a_row_is_poisoned(watch: Watch, release: Release) -> None:
    """A row that no document can hold."""
    with watch.expecting("IsothermCdcDeadLetters") as fires, release.fetching_stopped():
        bad = r"JSON_OBJECT('x\0y', 1)"
        release.query(f"UPDATE weather_forecast SET temperature_2m = {bad} ORDER BY location_id LIMIT 1")
        fires()


async def test_every_query_has_an_answer(watch: Watch, release: Release) -> None:
    """Of all dashboards but the one of the exporters, and of all rules; what has not happened yet is excused by name."""
    async with browser() as client:
        await client.receive()

        def unanswered() -> dict[str, str]:
            ask_http("/")
            ask_http("/api/v1/grid")
            return ask.unanswered(watch.ask, "1m")

        # What happens for the first time is a rate only when Prometheus has looked twice.
        with contextlib.suppress(TimeoutError):
            await until(lambda: not unanswered(), within_seconds=60, what="every query has an answer")
        assert unanswered() == {}
