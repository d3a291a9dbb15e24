"""One HTTP server for metrics and health, in its own thread and on its own port (contract H6).

Liveness looks at the main loop's heartbeat only: a dependency that is down must not get the process killed. Readiness
is a set of named conditions that the service sets.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.exposition import choose_encoder

from isotherm_common.process import ConfigurationError
from isotherm_common.settings import setting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class ObservabilitySettings:
    """Where metrics and health are served. A service sets its own default port by subclassing."""

    host: str = setting("METRICS_HOST", default="0.0.0.0", help="Address that metrics and health are served on.")  # noqa: S104
    port: int = setting("METRICS_PORT", default=9100, minimum=0, maximum=65535, help="Their port; 0: any free one.")


class Health:
    """What `/healthz` and `/readyz` answer; thread-safe.

    A service calls `beat` in its main loop and `ready` and `not_ready` for each condition it depends on. It is ready
    when no condition is unmet; every name given at construction is unmet at first.
    """

    def __init__(
        self,
        *conditions: str,
        heartbeat_timeout_seconds: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._timeout_seconds = heartbeat_timeout_seconds
        self._lock = threading.Lock()
        self._unmet = dict.fromkeys(conditions, "starting")
        self._last_beat = clock()

    def beat(self) -> None:
        """Say that the main loop goes round."""
        self._last_beat = self._clock()

    def ready(self, condition: str) -> None:
        """Say that `condition` is met."""
        with self._lock:
            self._unmet.pop(condition, None)

    def not_ready(self, condition: str, reason: str) -> None:
        """Say that `condition` is not met, and why."""
        with self._lock:
            self._unmet[condition] = reason

    def unmet(self) -> dict[str, str]:
        """Return the unmet conditions and their reasons."""
        with self._lock:
            return dict(self._unmet)

    def seconds_since_beat(self) -> float:
        """Return how long ago the main loop went round."""
        return self._clock() - self._last_beat

    def alive(self) -> bool:
        """Whether the main loop has gone round within the timeout."""
        return self.seconds_since_beat() <= self._timeout_seconds


class ObservabilityServer:
    """Serves `/metrics`, `/healthz`, `/readyz` and the JSON pages of a service."""

    def __init__(
        self,
        settings: ObservabilitySettings,
        health: Health,
        *,
        registry: CollectorRegistry = REGISTRY,
        pages: Mapping[str, Callable[[], Any]] | None = None,
    ) -> None:
        """Bind the port.

        Args:
            settings: where to listen.
            health: what the health pages answer.
            registry: the metrics.
            pages: further GET pages, path to a function whose result is answered as JSON.

        Raises:
            ConfigurationError: the address cannot be bound.
        """
        try:
            self._server = ThreadingHTTPServer(
                (settings.host, settings.port), _handler(health, registry, dict(pages or {}))
            )
        except OSError as error:
            message = (
                f"METRICS_PORT {settings.port} on {settings.host} cannot be used: {error.strerror}. Choose another."
            )
            raise ConfigurationError(message) from error
        self._thread = threading.Thread(target=self._server.serve_forever, name="observability", daemon=True)

    @property
    def port(self) -> int:
        """The port listened on."""
        return int(self._server.server_address[1])

    def start(self) -> Self:
        """Serve in a thread of its own."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _handler(
    health: Health, registry: CollectorRegistry, pages: dict[str, Callable[[], Any]]
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_GET(self) -> None:
            path, _, _ = self.path.partition("?")
            if path == "/metrics":
                encode, content_type = choose_encoder(self.headers.get("Accept", ""))
                self._answer(200, encode(registry), content_type)
            elif path == "/healthz":
                since = round(health.seconds_since_beat(), 3)
                self._json(200 if health.alive() else 503, {"seconds_since_heartbeat": since})
            elif path == "/readyz":
                unmet = health.unmet()
                self._json(503 if unmet else 200, {"ready": not unmet, "unmet": unmet})
            elif path in pages:
                self._json(200, pages[path]())
            else:
                self._json(404, {"error": f"There is no page {path}."})

        def _json(self, status: int, body: Any) -> None:
            self._answer(status, json.dumps(body, default=str).encode() + b"\n", "application/json")

        def _answer(self, status: int, body: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Stay silent: probes and scrapes would drown the service's own lines."""

    return Handler
