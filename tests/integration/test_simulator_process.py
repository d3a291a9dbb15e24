"""The simulator as a process: a client's view of its answers, its faults and its end."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from isotherm_local import ports

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = str(Path(sys.executable).with_name("isotherm-simulator"))
ONE = {"latitude": "50", "longitude": "10", "current": "temperature_2m"}


def environment(port: int, metrics_port: int) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not re.match(r"(SIMULATOR|METRICS|LOG)_", name)}
    return {
        **clean,
        "SIMULATOR_HOST": "127.0.0.1",
        "SIMULATOR_PORT": str(port),
        "METRICS_HOST": "127.0.0.1",
        "METRICS_PORT": str(metrics_port),
    }


@pytest.fixture
def running() -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client, httpx.Client]]:
    """The process, a client of its forecasts and one of its metrics."""
    port, metrics_port = ports.free_ports(2)
    with (
        subprocess.Popen([COMMAND], env=environment(port, metrics_port), stderr=subprocess.PIPE) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
        httpx.Client(base_url=f"http://127.0.0.1:{metrics_port}", trust_env=False) as metrics,
    ):
        try:
            deadline = time.monotonic() + 60
            while not _is_ready(metrics):
                assert process.poll() is None, "the simulator ended"
                assert time.monotonic() < deadline, "the simulator is not ready"
                time.sleep(0.05)
            yield process, client, metrics
        finally:
            process.kill()


def _is_ready(metrics: httpx.Client) -> bool:
    try:
        return metrics.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.contract("E7", "H6")
def test_it_answers_breaks_off_and_is_well_again(
    running: tuple[subprocess.Popen[bytes], httpx.Client, httpx.Client],
) -> None:
    """A dropped connection is one request's affair; metrics count it on their own port."""
    _, client, metrics = running
    answer = client.get("/v1/forecast", params=ONE)
    assert answer.json()["current"]["interval"] == 900
    assert re.fullmatch(r"\d+\.\d+\.\d+", answer.headers["X-Isotherm-Simulator"])
    client.post("/faults", json={"kind": "drop", "count": 1})
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/v1/forecast", params=ONE)
    assert client.post("/v1/forecast", data=ONE).status_code == 200
    text = metrics.get("/metrics").text
    assert 'isotherm_simulator_faults_total{kind="drop"} 1.0' in text
    assert metrics.get("/healthz").status_code == 200
    assert client.get("/metrics").status_code == 404


@pytest.mark.contract("E4", "E5")
def test_a_signal_ends_it_cleanly(running: tuple[subprocess.Popen[bytes], httpx.Client, httpx.Client]) -> None:
    """With exit code 0 and no traceback."""
    process, _, _ = running
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=30)
    assert process.returncode == 0
    assert b"Traceback" not in log


def test_a_taken_port_is_a_configuration_error() -> None:
    """One sentence names the setting."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = environment(int(taken.getsockname()[1]), 0)
        done = subprocess.run([COMMAND], env=settings, capture_output=True, timeout=60, check=False)
    assert done.returncode == 64
    assert b"SIMULATOR_PORT" in done.stderr
