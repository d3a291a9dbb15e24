"""A Prometheus in another namespace scrapes every service, through the network policies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from e2e.cluster import ROOT, Release, eventually, run

if TYPE_CHECKING:
    from collections.abc import Callable


def test_prometheus_scrapes_every_service(release: Release) -> None:
    """Every pod with metrics is a target that is up."""
    run("kubectl", "apply", "--filename", str(ROOT / "k8s/prometheus.yaml"))
    monitoring = Release("monitoring", [])
    monitoring.kubectl("rollout", "status", "deployment/prometheus", "--timeout=120s")
    query = f'up{{namespace="{release.namespace}"}}'
    wanted = {"cdc": 1, "fetcher-exporter": 1, "simulator": 1, "web": 2}
    with monitoring.forwarded("deployment/prometheus", 9090) as port:
        eventually(up(port, query, wanted), within_seconds=90, what="every target is up")


def test_api_server_takes_grafana_and_metrics_server() -> None:
    """What k8s/ has and no test can run, the API server at least finds valid; the namespaces are there by now."""
    for name in ("grafana", "metrics-server"):
        run("kubectl", "apply", "--dry-run=server", "--validate=strict", "--filename", str(ROOT / f"k8s/{name}.yaml"))


def up(port: int, query: str, wanted: dict[str, int]) -> Callable[[], bool]:
    """Return a check that exactly the wanted numbers of each component's targets are up."""

    def check() -> bool:
        url = f"http://127.0.0.1:{port}/api/v1/query"
        answer = run("curl", "--silent", "--fail", "--max-time", "10", "--data-urlencode", f"query={query}", url)
        found: dict[str, int] = {}
        for series in json.loads(answer)["data"]["result"]:
            component = series["metric"].get("component", "")
            found[component] = found.get(component, 0) + int(series["value"][1])
        return found == wanted

    return check
