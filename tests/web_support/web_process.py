"""Runs `isotherm-web` as a process beside a database of its own, for the tests of the websocket."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from isotherm_local import ports

if TYPE_CHECKING:
    from collections.abc import Callable

READY_SECONDS = 120.0


def reachable(port: int) -> bool:
    """Answer whether something listens on a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition: Callable[[], bool], what: str, seconds: float = READY_SECONDS) -> None:
    """Wait until `condition` holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.05)


class WebProcess:
    """One web process.

    Attributes:
        port: of the page.
        metrics_port: of metrics and health.
    """

    def __init__(self, uri: str, database: str, **settings: str) -> None:
        self.port, self.metrics_port = ports.free_ports(2)
        self._environment = {
            **os.environ,
            "MONGODB_URI": uri,
            "MONGODB_DATABASE": database,
            "WEB_HOST": "127.0.0.1",
            "WEB_PORT": str(self.port),
            "WEB_DRAIN_SECONDS": "5",
            "METRICS_HOST": "127.0.0.1",
            "METRICS_PORT": str(self.metrics_port),
            **settings,
        }
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def websocket(self) -> str:
        """Where the websocket is."""
        return f"ws://127.0.0.1:{self.port}/ws"

    def start(self, *, ready: bool = True) -> WebProcess:
        """Start it and wait until it is ready."""
        self.process = subprocess.Popen([sys.executable, "-m", "isotherm_web"], env=self._environment)
        if ready:
            wait_for(self._ready, "the web process")
        return self

    def _ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the web process ended with {self.process.returncode}"
        return self.status("/readyz", self.metrics_port) == 200

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send it a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def wait(self, seconds: float = 20.0) -> int:
        """Wait for its end and return its exit code."""
        assert self.process is not None
        return self.process.wait(seconds)

    def stop(self) -> None:
        """End it, whatever it takes."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def status(self, path: str, port: int | None = None) -> int:
        """Return the status of a GET, 0 when nothing answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port or self.port}{path}", timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return 0

    def metric(self, line: str) -> float:
        """Return the value of a metric, named with its labels; 0 when it is not there."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=5) as answer:
            for text in answer.read().decode().splitlines():
                name, _, value = text.rpartition(" ")
                if name == line:
                    return float(value)
        return 0.0
