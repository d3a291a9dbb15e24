"""Runs it all in one event loop, and ends it in order."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING

import structlog

from isotherm_common.garbage import collect_rarely
from isotherm_common.observability import Health, ObservabilityServer
from isotherm_common.tracing import configure
from isotherm_web import __version__
from isotherm_web.app import create_app
from isotherm_web.descriptors import allow_open_files, files_for
from isotherm_web.feed import Feed, Publisher, Referee
from isotherm_web.hub import Hub
from isotherm_web.metrics import Metrics
from isotherm_web.mongo import Mongo
from isotherm_web.protocol import CloseCode
from isotherm_web.server import listen, make_server, stop
from isotherm_web.telling import Telling
from isotherm_web.ticker import tick

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from isotherm_web.settings import Settings

STATE = "state"
DRAINING = "draining"
YOUNG_OBJECTS = 20_000
"""So many new objects have garbage looked for, which takes a few milliseconds; what sees all clients comes every few million."""

_DRAIN_SHARE = 0.75
_CLOSED_PER_SECOND = 1000
_DRAIN_STEP_SECONDS = 0.1
_GOODBYE_SECONDS = 2.0


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ConfigurationError: a port cannot be used, or MongoDB holds what the settings do not fit.
    """
    stopping = _stop_on_signals()
    _allow_clients(settings.hub.maximum_connections)
    metrics = Metrics()
    metrics.clients_limit.set(settings.hub.maximum_connections)
    metrics.stale_after.set(settings.hub.stale_after_seconds)
    health = Health(STATE)
    mongo = Mongo(settings.mongodb, pipeline=settings.feed.pipeline)
    hub = Hub(settings.hub, metrics, version=__version__)
    referee = Referee(mongo, hub)
    hub.ask = referee.ask
    tracing = configure(settings.tracing, "web", __version__)
    telling = Telling(tracing, settings.mongodb.database)
    publisher = Publisher(hub, metrics, settings.feed.coalesce_ms / 1000, telling)
    feed = Feed(mongo, hub, publisher, metrics, on_loaded=lambda: health.ready(STATE), telling=telling)
    app = create_app(hub, mongo, metrics, settings.server, version=__version__)
    with ObservabilityServer(settings.observability, health) as observability, listen(settings.server) as listener:
        server = make_server(app, hub, metrics, settings.server)
        background = [
            asyncio.create_task(task, name=name)
            for name, task in (
                ("feed", feed.run()),
                ("publisher", publisher.run()),
                ("referee", referee.run()),
                ("ticker", tick(hub, health, metrics)),
            )
        ]
        serving = asyncio.create_task(server.serve(sockets=[listener]), name="server")
        structlog.get_logger().info(
            "serving", address=listener.getsockname()[:2], metrics_port=observability.port, version=__version__
        )
        collect_rarely(YOUNG_OBJECTS)
        stopped = asyncio.create_task(stopping.wait(), name="signals")
        try:
            done, _ = await asyncio.wait([*background, serving, stopped], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopped}:
                task.result()
            health.not_ready(DRAINING, "the process is ending")
            await drain(hub, settings.server.drain_seconds)
        finally:
            await stop(server, serving)
            for task in background:
                task.cancel()
            stopped.cancel()
            # Taking leave of MongoDB is a courtesy: one that does not answer must not keep the process.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GOODBYE_SECONDS):
                    await asyncio.gather(*background, return_exceptions=True)
                    await mongo.close()
                    await asyncio.to_thread(tracing.close)


def _allow_clients(count: int) -> None:
    needed = files_for(count)
    allowed = allow_open_files(needed)
    if allowed < needed:
        structlog.get_logger().warning("open_files_limited", allowed=allowed, needed=needed)


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


async def drain(hub: Hub, seconds: float, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Close the clients in steps, so that the servers that take them over are not met by all at once.

    Args:
        hub: whose clients.
        seconds: how long it may take in all, the end of the server included.
        sleep: lets time pass.
    """
    clients = hub.begin_drain()
    structlog.get_logger().info("draining", clients=len(clients))
    duration = min(seconds * _DRAIN_SHARE, len(clients) / _CLOSED_PER_SECOND)
    steps = max(1, round(duration / _DRAIN_STEP_SECONDS))
    size = -(-len(clients) // steps)
    for step in range(steps):
        for client in clients[step * size : (step + 1) * size]:
            hub.close(client, CloseCode.RESTARTING, "this server is restarting: connect again")
        await sleep(_DRAIN_STEP_SECONDS)
