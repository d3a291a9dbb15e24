from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry, Counter

from isotherm_common.observability import Health, ObservabilityServer, ObservabilitySettings
from isotherm_common.process import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health("mysql", heartbeat_timeout_seconds=30, clock=clock)


@pytest.fixture
def server(health: Health) -> Iterator[ObservabilityServer]:
    registry = CollectorRegistry()
    Counter("things", "Things.", registry=registry).inc(2)
    settings = ObservabilitySettings(host="127.0.0.1", port=0)
    with ObservabilityServer(settings, health, registry=registry, pages={"/status": lambda: {"seq": 7}}) as running:
        yield running


def get(server: ObservabilityServer, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.contract("H6")
def test_metrics_are_served(server: ObservabilityServer) -> None:
    """In Prometheus' text format."""
    status, body = get(server, "/metrics")
    assert status == 200
    assert b"things_total 2.0" in body


@pytest.mark.contract("H6")
def test_readiness_names_what_is_missing(server: ObservabilityServer, health: Health) -> None:
    """Ready only when every condition is met, and unready again when one is lost."""
    assert get(server, "/readyz")[0] == 503
    health.ready("mysql")
    assert get(server, "/readyz")[0] == 200
    health.not_ready("mysql", "connection lost")
    status, body = get(server, "/readyz")
    assert status == 503
    assert json.loads(body) == {"ready": False, "unmet": {"mysql": "connection lost"}}


@pytest.mark.contract("H6")
def test_liveness_follows_the_heartbeat_alone(server: ObservabilityServer, health: Health, clock: Clock) -> None:
    """An unmet condition does not get the process killed; a loop that hangs does."""
    assert get(server, "/healthz")[0] == 200
    clock.now += 31
    assert get(server, "/healthz")[0] == 503
    health.beat()
    assert get(server, "/healthz")[0] == 200


def test_a_service_adds_pages_of_its_own(server: ObservabilityServer) -> None:
    """As JSON; an unknown page is a 404 in a sentence."""
    assert get(server, "/status") == (200, b'{"seq": 7}\n')
    assert get(server, "/nothing") == (404, b'{"error": "There is no page /nothing."}\n')


def test_a_taken_port_is_one_clear_sentence(server: ObservabilityServer, health: Health) -> None:
    """It names the setting and says what to do."""
    with pytest.raises(ConfigurationError, match=rf"METRICS_PORT {server.port} .* cannot be used: .* Choose another"):
        ObservabilityServer(ObservabilitySettings(host="127.0.0.1", port=server.port), health)
