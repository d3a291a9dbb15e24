"""Who reaches whom: every pair of pods is tried, with the network policies and without."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from e2e.cluster import CommandError, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.cluster import Release

PORTS = {"mysql": 3306, "mongodb": 27017, "web": 5000, "simulator": 8090, "cdc": 9102, "fetcher-exporter": 9101}
ALLOWED = {
    ("cdc", "mysql"), ("cdc", "mongodb"), ("web", "mongodb"), ("fetcher-exporter", "mysql"), ("mongodb", "mongodb"),
    # The page is open to everybody; who may send at all is decided on the sender's side.
    ("stranger", "web"),
}  # fmt: skip
SOURCES = (*PORTS, "stranger")
WITH_PYTHON = {"cdc", "web", "fetcher-exporter", "simulator", "stranger"}
PROBE = "import socket,sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)"


def addresses(release: Release) -> dict[str, str]:
    """Return the address of a ready pod of each component."""
    items = json.loads(release.kubectl("get", "pods", "--field-selector=status.phase=Running", "--output", "json"))[
        "items"
    ]
    return {
        item["metadata"]["labels"]["app.kubernetes.io/component"]: item["status"]["podIP"]
        for item in items
        if "app.kubernetes.io/component" in item["metadata"].get("labels", {})
        and "deletionTimestamp" not in item["metadata"]
    }


def reaches(release: Release, source: str, address: str, port: int) -> bool:
    """Whether a pod of `source` can open a connection."""
    pod = "pod/stranger" if source == "stranger" else release.pods(source)[0]
    probe = (
        ("python", "-c", PROBE, address, str(port))
        if source in WITH_PYTHON
        else ("timeout", "2", "bash", "-c", f"exec 3<>/dev/tcp/{address}/{port}")
    )
    try:
        release.kubectl("exec", pod, "--", *probe)
    except CommandError:
        return False
    return True


@pytest.fixture
def stranger(release: Release) -> Iterator[str]:
    """A pod in the namespace that belongs to no release."""
    image = json.loads(release.kubectl("get", "deployment", f"{release.name}-web", "--output", "json"))
    container = image["spec"]["template"]["spec"]["containers"][0]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "stranger"},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [
                {
                    "name": "stranger",
                    "image": container["image"],
                    "command": ["sleep", "3600"],
                    "securityContext": container["securityContext"],
                }
            ],
        },
    }
    release.kubectl("apply", "--filename=-", stdin=json.dumps(pod))
    release.kubectl("wait", "--for=condition=Ready", "pod/stranger", "--timeout=60s")
    yield "stranger"
    release.kubectl("delete", "pod", "stranger")


def reached(release: Release) -> set[tuple[str, str]]:
    """Return the pairs that can connect."""
    found = addresses(release)
    return {
        (source, target)
        for source in SOURCES
        for target, port in PORTS.items()
        if reaches(release, source, found[target], port)
    }


def test_only_neighbours_reach_one_another(stranger: str, release: Release) -> None:
    """With the policies exactly the allowed pairs connect; without them the very same probes all succeed."""
    itself = {(name, name) for name in PORTS}  # a pod always reaches itself
    assert reached(release) - itself == ALLOWED - itself
    release.upgrade("--set", "networkPolicy.enabled=false")
    try:
        everything = {(source, target) for source in SOURCES for target in PORTS}
        eventually(lambda: reached(release) == everything, within_seconds=60, what="without policies all is open")
    finally:
        release.upgrade()
