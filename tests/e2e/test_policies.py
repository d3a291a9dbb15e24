"""Who reaches whom: every pair of pods is tried, with the network policies and without."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from e2e.cluster import Release, ask, eventually

if TYPE_CHECKING:
    from collections.abc import Callable

PORTS = {
    ("mysql", 3306), ("mongodb", 27017), ("web", 5000), ("web", 9103), ("simulator", 8090), ("simulator", 9104),
    ("cdc", 9102), ("fetcher-exporter", 9101),
}  # fmt: skip
LASTING = ("mysql", "mongodb", "web", "simulator", "cdc", "fetcher-exporter")
SHORT_LIVED = ("fetcher", "migrate", "mongo-init", "test")
"""Their pods end before they can be asked: a pod with the same labels takes their place."""

STRANGERS = ("stranger", "outsider")
"""A pod in the namespace that belongs to no release, and one in another namespace."""

ALLOWED = {
    ("cdc", "mysql", 3306), ("cdc", "mongodb", 27017), ("web", "mongodb", 27017), ("mongodb", "mongodb", 27017),
    ("fetcher-exporter", "mysql", 3306), ("fetcher", "mysql", 3306), ("fetcher", "simulator", 8090),
    ("migrate", "mysql", 3306), ("mongo-init", "mongodb", 27017), ("test", "mysql", 3306), ("test", "web", 5000),
}  # fmt: skip
WITHOUT_PYTHON = {"mysql", "mongodb"}
PROBE = """
import concurrent.futures, socket, sys
def reaches(target):
    host, port = target.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), 2).close()
    except OSError:
        return False
    return True
with concurrent.futures.ThreadPoolExecutor(16) as pool:
    print(*(target for target, good in zip(sys.argv[1:], pool.map(reaches, sys.argv[1:])) if good))
"""
PROBE_IN_BASH = """
for target; do
  timeout 2 bash -c "exec 3<>/dev/tcp/${target%:*}/${target##*:}" 2>/dev/null && echo "$target" &
done
wait
"""


def addresses(release: Release) -> dict[str, str]:
    """Return the address of a ready pod of each lasting component."""
    text = release.kubectl("get", "pods", "--field-selector=status.phase=Running", "--output", "json")
    return {
        item["metadata"]["labels"]["app.kubernetes.io/component"]: item["status"]["podIP"]
        for item in json.loads(text)["items"]
        if item["metadata"].get("labels", {}).get("app.kubernetes.io/component") in LASTING
        and "deletionTimestamp" not in item["metadata"]
    }


@pytest.fixture
def pods(release: Release, new_namespace: Callable[[str], str]) -> dict[str, tuple[Release, str]]:
    """Where each source's probe runs: in which namespace and pod."""
    outside = Release(new_namespace("outside"), [])
    wanted = [(release, name, label(release, name)) for name in SHORT_LIVED]
    wanted += [(release, "stranger", {}), (outside, "outsider", {})]
    image = release.image("web")
    found = {name: (where, where.stand_in(f"probe-{name}", image, labels)) for where, name, labels in wanted}
    for where, pod_name in found.values():
        where.kubectl("wait", "--for=condition=Ready", pod_name, "--timeout=60s")
    return found


def label(release: Release, component: str) -> dict[str, str]:
    """Return the labels by which a component's pods are selected."""
    return {
        "app.kubernetes.io/name": "isotherm",
        "app.kubernetes.io/instance": release.name,
        "app.kubernetes.io/component": component,
    }


def reached(release: Release, pods: dict[str, tuple[Release, str]]) -> set[tuple[str, str, int]]:
    """Return which source can connect to which port of which component."""
    found = addresses(release)
    targets = {f"{found[component]}:{port}": (component, port) for component, port in PORTS}

    def probe(source: str) -> set[tuple[str, str, int]]:
        where, pod = pods[source] if source in pods else (release, release.pods(source)[0])
        script = ("bash", "-c", PROBE_IN_BASH, "-") if source in WITHOUT_PYTHON else ("python", "-c", PROBE)
        return {(source, *targets[line]) for line in where.kubectl("exec", pod, "--", *script, *targets).split()}

    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(probe, (*LASTING, *SHORT_LIVED, *STRANGERS))
        return set().union(*answers)


def test_only_neighbours_reach_one_another(release: Release, pods: dict[str, tuple[Release, str]]) -> None:
    """With the policies exactly the allowed pairs connect, and the ingress; without them the same probes all succeed."""
    assert ask("/")[0] == 200
    itself = {(component, component, port) for component, port in PORTS}  # a pod always reaches itself
    assert reached(release, pods) - itself == ALLOWED - itself
    release.upgrade("--set", "networkPolicy.enabled=false")
    try:
        sources = (*LASTING, *SHORT_LIVED, *STRANGERS)
        everything = {(source, component, port) for source in sources for component, port in PORTS}
        eventually(lambda: reached(release, pods) == everything, within_seconds=60, what="without policies all is open")
    finally:
        release.upgrade()
        for where, pod in pods.values():
            where.kubectl("delete", pod, "--wait=false")
