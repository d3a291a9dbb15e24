"""The command `isotherm-simulator`: wiring and signals."""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
from importlib.metadata import version
from typing import TYPE_CHECKING

import structlog
import uvicorn

from isotherm_common import logging
from isotherm_common.observability import Health, ObservabilityServer
from isotherm_common.process import ConfigurationError, run
from isotherm_common.settings import load
from isotherm_common.shutdown import Shutdown
from isotherm_simulator.answer import interval_seconds
from isotherm_simulator.app import Simulator, create_app
from isotherm_simulator.faults import FaultBox
from isotherm_simulator.metrics import Metrics
from isotherm_simulator.quota import DAILY, HOURLY, MINUTELY, Concurrency, Quota
from isotherm_simulator.settings import Settings, parse_faults
from isotherm_simulator.weather import Weather
from isotherm_simulator.wire import Wire

if TYPE_CHECKING:
    from isotherm_simulator.wire import Application

_BEAT_SECONDS = 5.0
_DRAIN_SECONDS = 5


def build(settings: Settings) -> Simulator:
    """Wire the simulator up."""
    limits = ((MINUTELY, settings.minutely_limit), (HOURLY, settings.hourly_limit), (DAILY, settings.daily_limit))
    box = FaultBox(settings.seed)
    for fault in parse_faults(settings.faults):
        box.add(fault)
    return Simulator(
        weather=Weather(settings.seed, settings.speed),
        faults=box,
        metrics=Metrics(),
        quota=Quota(tuple(window.limited(limit) for window, limit in limits)) if settings.quota else None,
        concurrency=Concurrency(settings.concurrent_requests),
        interval_seconds=interval_seconds(settings.speed),
    )


async def _serve(application: Application, listening: socket.socket, health: Health) -> None:
    config = uvicorn.Config(
        application, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=_DRAIN_SECONDS
    )
    server = uvicorn.Server(config)

    async def beat() -> None:
        while True:
            health.beat()
            if server.started:
                health.ready("server")
            await asyncio.sleep(_BEAT_SECONDS if server.started else 0.05)

    beating = asyncio.create_task(beat())
    try:
        await server.serve(sockets=[listening])
    finally:
        beating.cancel()


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        listening.close()
        message = f"SIMULATOR_PORT {settings.port} on {settings.host} cannot be used: {error.strerror}. Choose another."
        raise ConfigurationError(message) from error
    return listening


def main() -> int:
    """Run the command."""
    number = version("isotherm-simulator")
    parser = argparse.ArgumentParser(prog="isotherm-simulator", description="Serves simulated weather like Open-Meteo.")
    parser.add_argument("--version", action="version", version=number)
    parser.parse_args()

    def work() -> None:
        settings = load(Settings, os.environ)
        logging.configure(settings.log, "simulator")
        # uvicorn stops on the same signals and raises them again when it has ended: here they find this handler.
        Shutdown.on_signals()
        simulator = build(settings)
        simulator.metrics.build.info({"version": number})
        health = Health("server")
        with _listen(settings) as listening, ObservabilityServer(settings.observability, health) as observability:
            structlog.get_logger().info(
                "listening",
                host=settings.host,
                port=listening.getsockname()[1],
                metrics_port=observability.port,
                seed=settings.seed,
                speed=settings.speed,
                quota=settings.quota,
            )
            asyncio.run(_serve(Wire(create_app(simulator), number), listening, health))

    return run(work)


if __name__ == "__main__":
    raise SystemExit(main())
