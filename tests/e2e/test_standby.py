"""Two CDC pods: one works, the other stands by and takes over."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING

import pytest

from e2e.cluster import CommandError, Writer, eventually, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.cluster import Release

LEASE_SECONDS = 15
MARGIN_SECONDS = 5
"""To look at the Lease (every two seconds) and to see here that it has changed."""


@pytest.fixture
def two_readers(release: Release) -> Iterator[Release]:
    """The release with two CDC pods."""
    release.upgrade("--set", "cdc.replicas=2")
    yield release
    release.upgrade()
    eventually(lambda: len(release.pods("cdc")) == 1, within_seconds=60, what="one CDC pod is left")


def holder(release: Release) -> str:
    """Return the pod that holds the Lease."""
    lease = json.loads(release.kubectl("get", "lease", f"{release.name}-cdc", "--output", "json"))
    return str(lease["spec"].get("holderIdentity", ""))


def metric(release: Release, pod: str, name: str) -> float:
    """Return a metric of a CDC pod."""
    with release.forwarded(pod, 9102) as port:
        text = run("curl", "--silent", "--fail", "--max-time", "10", f"http://127.0.0.1:{port}/metrics")
    match = re.search(rf"(?m)^{name} ([\d.e+-]+)$", text)
    assert match, f"{name} is not among the metrics of {pod}"
    return float(match[1])


def leaders(release: Release) -> list[str]:
    """Return the pods that say that they work."""
    return [pod for pod in release.pods("cdc") if metric(release, pod, "isotherm_cdc_leader") == 1]


def test_standby_takes_over(two_readers: Release) -> None:
    """Under a writing load the working pod is killed: the other works within the lease time, and nothing is lost."""
    release = two_readers
    eventually(lambda: holder(release) and len(release.pods("cdc")) == 2, within_seconds=60, what="two CDC pods")
    with release.fetching_stopped():
        locations = [row[0] for row in release.query("SELECT location_id FROM weather_data ORDER BY 1")]
        with Writer(release, locations) as writer:
            eventually(lambda: len(writer.acknowledged) > 100, within_seconds=60, what="writing")
            first = holder(release)
            (standby,) = (pod for pod in release.pods("cdc") if not pod.endswith(first))
            assert leaders(release) == [f"pod/{first}"]
            term = metric(release, f"pod/{first}", "isotherm_cdc_term")
            release.kubectl("delete", "pod", first, "--grace-period=0", "--force", "--wait=false")
            killed_at = time.monotonic()
            eventually(
                lambda: holder(release) not in {"", first},
                within_seconds=LEASE_SECONDS + MARGIN_SECONDS,
                what="another pod holds the Lease",
                every_seconds=0.2,
            )
            taken_within = time.monotonic() - killed_at
            second = holder(release)
            eventually(lambda: leaders(release) == [f"pod/{second}"], within_seconds=30, what="that one alone works")
            eventually(
                lambda: metric(release, f"pod/{second}", "isotherm_cdc_term") == term + 1,
                within_seconds=30,
                what="it has fenced the one before",
            )
        release.wait_until_equal()
        stored = dict(release.query("SELECT location_id, temperature_2m FROM weather_data"))
    assert standby.endswith(second), "the one that stood by has taken over, not a new one"
    assert taken_within < LEASE_SECONDS + MARGIN_SECONDS
    for location in writer.acknowledged:
        assert stored[location] in writer.possible(location)


def test_service_account_may_do_nothing_else(two_readers: Release) -> None:
    """The CDC's service account reads and writes that one Lease, and creates it; all else is forbidden."""
    account = f"--as=system:serviceaccount:{two_readers.namespace}:{two_readers.name}-cdc"

    def may(*what: str) -> bool:
        try:
            return two_readers.kubectl("auth", "can-i", *what, account).strip() == "yes"
        except CommandError:
            return False

    lease = f"leases.coordination.k8s.io/{two_readers.name}-cdc"
    assert may("get", lease)
    assert may("update", lease)
    assert not may("update", "leases.coordination.k8s.io/another")
    assert not may("delete", lease)
    assert not may("get", "secrets")
    assert not may("list", "pods")
