"""Runs it all in one event loop, and ends it in order."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
import time
from typing import TYPE_CHECKING, Any

import structlog
import uvicorn

from isotherm_common.observability import Health, ObservabilityServer
from isotherm_common.process import ConfigurationError
from isotherm_web import __version__
from isotherm_web.app import create_app
from isotherm_web.feed import Feed, Publisher, Referee
from isotherm_web.hub import Hub
from isotherm_web.metrics import Metrics
from isotherm_web.mongo import Mongo
from isotherm_web.protocol import CloseCode
from isotherm_web.transport import Connection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isotherm_web.settings import ServerSettings, Settings

STATE = "state"
DRAINING = "draining"

_TICK_SECONDS = 1.0
_GAUGES_EVERY_TICKS = 5
_LARGEST_MESSAGE_BYTES = 4096
_BACKLOG = 4096
_DRAIN_SHARE = 0.75
_CLOSED_PER_SECOND = 1000
_DRAIN_STEP_SECONDS = 0.1
_HTTP_GRACE_SECONDS = 3
_GOODBYE_SECONDS = 2.0


class Server(uvicorn.Server):
    """uvicorn's server without its signal handlers: this service ends by its own rules."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ConfigurationError: a port cannot be used, or MongoDB holds what the settings do not fit.
    """
    stopping = _stop_on_signals()
    metrics = Metrics()
    metrics.clients_limit.set(settings.hub.maximum_connections)
    metrics.stale_after.set(settings.hub.stale_after_seconds)
    health = Health(STATE)
    mongo = Mongo(settings.mongodb, pipeline=settings.feed.pipeline)
    hub = Hub(settings.hub, metrics, version=__version__)
    referee = Referee(mongo, hub)
    hub.ask = referee.ask
    publisher = Publisher(hub, metrics, settings.feed.coalesce_ms / 1000)
    feed = Feed(mongo, hub, publisher, metrics, on_loaded=lambda: health.ready(STATE))
    app = create_app(hub, mongo, metrics, settings.server, version=__version__)
    with ObservabilityServer(settings.observability, health) as observability, _listen(settings.server) as listener:
        server = Server(_uvicorn_config(app, settings.server))
        background = [
            asyncio.create_task(task, name=name)
            for name, task in (
                ("feed", feed.run()),
                ("publisher", publisher.run()),
                ("referee", referee.run()),
                ("ticker", _tick(hub, health, metrics)),
            )
        ]
        serving = asyncio.create_task(server.serve(sockets=[listener]), name="server")
        structlog.get_logger().info(
            "serving", address=listener.getsockname()[:2], metrics_port=observability.port, version=__version__
        )
        gc.collect()
        gc.freeze()
        stopped = asyncio.create_task(stopping.wait(), name="signals")
        try:
            done, _ = await asyncio.wait([*background, serving, stopped], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopped}:
                task.result()
            health.not_ready(DRAINING, "the process is ending")
            await _drain(hub, settings.server.drain_seconds)
        finally:
            await _stop(server, serving)
            for task in background:
                task.cancel()
            stopped.cancel()
            # Taking leave of MongoDB is a courtesy: one that does not answer must not keep the process.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GOODBYE_SECONDS):
                    await asyncio.gather(*background, return_exceptions=True)
                    await mongo.close()


def _stop_on_signals() -> asyncio.Event:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop(number: signal.Signals) -> None:
        structlog.get_logger().info("shutdown_requested", signal=number.name)
        loop.remove_signal_handler(number)
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    return stopping


@contextlib.contextmanager
def _listen(settings: ServerSettings) -> Iterator[socket.socket]:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.setblocking(False)  # noqa: FBT003 - the standard library's signature
    except OSError as error:
        message = f"WEB_PORT {settings.port} on {settings.host} cannot be used: {error.strerror}. Choose another."
        raise ConfigurationError(message) from error
    with listener:
        yield listener


def _uvicorn_config(app: Any, settings: ServerSettings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        ws=Connection,
        ws_max_size=_LARGEST_MESSAGE_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        ws_ping_timeout=None,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="warning",
        backlog=_BACKLOG,
        timeout_graceful_shutdown=_HTTP_GRACE_SECONDS,
    )


async def _tick(hub: Hub, health: Health, metrics: Metrics) -> None:
    """Let the hub's time pass, show that the loop goes round, and keep the gauges of the map."""
    ticks = 0
    while True:
        before = time.monotonic()
        await asyncio.sleep(_TICK_SECONDS)
        now = time.monotonic()
        metrics.loop_lag.set(max(0.0, now - before - _TICK_SECONDS))
        health.beat()
        hub.tick(now)
        if ticks % _GAUGES_EVERY_TICKS == 0 and hub.loaded:
            _measure(hub, metrics)
        ticks += 1


def _measure(hub: Hub, metrics: Metrics) -> None:
    valid_at = [row.valid_at for row in hub.state.filled()]
    now = time.time()
    metrics.cells.set(len(hub.state.geometry.locations))
    metrics.cells_filled.set(len(valid_at))
    metrics.oldest.set(now - min(valid_at) if valid_at else float("nan"))
    metrics.newest.set(now - max(valid_at) if valid_at else float("nan"))


async def _drain(hub: Hub, seconds: float) -> None:
    """Close the clients in steps, so that the servers that take them over are not met by all at once."""
    clients = hub.begin_drain()
    structlog.get_logger().info("draining", clients=len(clients))
    duration = min(seconds * _DRAIN_SHARE, len(clients) / _CLOSED_PER_SECOND)
    steps = max(1, round(duration / _DRAIN_STEP_SECONDS))
    size = -(-len(clients) // steps)
    for step in range(steps):
        for client in clients[step * size : (step + 1) * size]:
            hub.close(client, CloseCode.RESTARTING, "this server is restarting: connect again")
        await asyncio.sleep(_DRAIN_STEP_SECONDS)


async def _stop(server: Server, serving: asyncio.Task[None]) -> None:
    server.should_exit = True
    for connection in list(server.server_state.connections):
        if isinstance(connection, Connection) and connection.close_sent:
            connection.shutdown()
    with contextlib.suppress(asyncio.CancelledError):
        await serving
