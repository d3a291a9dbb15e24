"""The lease through Kubernetes' own client, against a small API server; and two readers of which one stands by."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from cdc_support.capture import Capture
from cdc_support.fake_kubernetes import FakeKubernetes
from isotherm_cdc.errors import LeaseLost
from isotherm_cdc.leader import Leader, Lease, LeaseUnavailable, Timing
from isotherm_cdc.leases import KubernetesLeases
from isotherm_common.observability import Health
from isotherm_common.process import ConfigurationError
from isotherm_common.shutdown import Shutdown
from isotherm_local.process import ManagedProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from isotherm_local.harness import Pipeline


@pytest.fixture
def kubernetes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKubernetes]:
    """An API server that the client finds by KUBECONFIG."""
    with FakeKubernetes() as fake:
        path = fake.kubeconfig(tmp_path)
        # The client keeps what the variable was when it was imported.
        monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(path))
        monkeypatch.setenv("KUBECONFIG", str(path))
        yield fake


def leases(name: str = "cdc") -> KubernetesLeases:
    return KubernetesLeases(name, "weather", 5.0)


def test_a_lease_is_created_read_and_replaced(kubernetes: FakeKubernetes) -> None:
    """What was written is read back; a change on an old version is refused, not lost."""
    mine, other = leases(), leases()
    assert mine.read() is None
    whole_second = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
    created = mine.write(Lease("a", 15, whole_second, whole_second))
    assert created is not None
    assert mine.write(Lease("b", 15, whole_second, whole_second)) is None
    found = other.read()
    assert found == created
    assert (found.holder, found.duration_seconds, found.transitions) == ("a", 15, 0)
    assert other.write(found) is not None
    assert mine.write(created) is None


def test_refusals_are_told(kubernetes: FakeKubernetes) -> None:
    """A service account without the right, and a server that fails, are temporary states with a sentence."""
    for status, sentence in ((403, "needs get, create and update on leases in weather"), (500, "answers 500")):
        kubernetes.status = status
        with pytest.raises(LeaseUnavailable, match=sentence):
            leases().read()


def test_an_api_server_that_is_gone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is refused is a state that may pass."""
    with FakeKubernetes() as fake:
        path = fake.kubeconfig(tmp_path)
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(path))
    with pytest.raises(LeaseUnavailable, match="does not answer"):
        leases().read()


def test_without_kubernetes_the_setting_is_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CDC_LEASE_NAME outside of a cluster ends with one sentence."""
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "none"))
    with pytest.raises(ConfigurationError, match="CDC_LEASE_NAME is set, but there is no Kubernetes"):
        leases()


def test_an_election_over_http(kubernetes: FakeKubernetes) -> None:
    """In virtual time: one leads, stops when it cannot renew, and the other has taken over within the lease's time."""
    now = 0.0

    def pass_time(seconds: float) -> bool:
        nonlocal now
        now += seconds
        return False

    def leader(identity: str) -> Leader:
        return Leader(leases(), identity, Timing(15, 10.0, 2.0), Shutdown(), Health(), clock=lambda: now)

    first, second = leader("a"), leader("b")
    assert first.acquire(pass_time)
    kubernetes.status = 503
    with pytest.raises(LeaseLost, match="answers 503"):
        first.keep(pass_time)
    stopped = now
    kubernetes.status = None
    assert second.acquire(pass_time)
    assert stopped < now <= 15 + 10 + 2
    assert kubernetes.spec("weather", "cdc")["holderIdentity"] == "b"
    assert kubernetes.spec("weather", "cdc")["leaseTransitions"] == 1


@pytest.mark.contract("E8")
def test_a_standby_takes_over_when_the_reader_is_killed(stack: Pipeline, kubernetes: FakeKubernetes) -> None:
    """Of two readers one works and one stands by, ready; after kill -9 the other works, and nothing is lost."""
    lease = {
        "CDC_LEASE_NAME": "cdc", "CDC_LEASE_NAMESPACE": "weather", "CDC_LEASE_DURATION_SECONDS": "3",
        "CDC_LEASE_RENEW_DEADLINE_SECONDS": "2", "CDC_LEASE_RETRY_SECONDS": "0.3",
    }  # fmt: skip
    with Capture.of(stack, **lease) as capture:
        capture.sql("CREATE TABLE t (a INT PRIMARY KEY, b INT)", "INSERT INTO t VALUES (1, 1)")
        first = capture.start(CDC_LEASE_IDENTITY="first")
        capture.wait()
        port = stack.stack.ports.simulator_metrics  # nothing listens on it here
        settings = {**capture.settings, "CDC_LEASE_IDENTITY": "second", "METRICS_PORT": str(port)}
        second = ManagedProcess(stack.spec("cdc", settings)).start()
        try:
            stack.until(lambda: stack.get("/readyz", port)["ready"], what="a ready standby")
            status = stack.get("/status", port)
            assert (status["role"], status["lease"]["holder"]) == ("standby", "first")
            assert first.running
            assert capture.checkpoint()["term"] == 1
            first.kill()
            killed = time.monotonic()
            capture.sql("INSERT INTO t VALUES (2, 2)")
            stack.until(lambda: kubernetes.spec("weather", "cdc")["holderIdentity"] == "second", what="the takeover")
            assert time.monotonic() - killed < 30
            capture.wait()
            assert capture.differences("t") == []
            assert stack.get("/status", port)["role"] == "reader"
            kubernetes.status = 503
            assert second.wait(30) == 75
            assert "lease is lost" in second.tail(5)
            kubernetes.status = None
            third = capture.start(CDC_LEASE_IDENTITY="third")
            stack.until(lambda: stack.get("/status", stack.metrics_ports["cdc"])["role"] == "reader", what="a reader")
            third.stop()
            assert third.exit_code == 0
            assert kubernetes.spec("weather", "cdc")["holderIdentity"] == ""
        finally:
            second.kill()
