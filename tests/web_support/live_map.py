"""Serves a live map of 612 cells that changes by itself, without MySQL: for work on the page.

    cd tests; python -m web_support.live_map [--port 5000] [--mongodb URI] [--every SECONDS] [--share CELLS] [--fill SECONDS]

Without `--mongodb` it starts SecantusDB in this process. Ctrl-C ends it. What it shows is made up of sines.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Any

from pymongo import MongoClient

from web_support.fake_cdc import FakeCdc, forecast, history, location, weather

if TYPE_CHECKING:
    from collections.abc import Iterator

LATITUDES = range(-80, 81, 10)
LONGITUDES = range(-180, 180, 10)
BATCH = 100


def places() -> list[tuple[int, int, int]]:
    """Return id, latitude and longitude of the default grid of 10 degrees."""
    points = [(latitude, longitude) for latitude in LATITUDES for longitude in LONGITUDES]
    return [(number, latitude, longitude) for number, (latitude, longitude) in enumerate(points, 1)]


def values(latitude: float, longitude: float, hours: float) -> tuple[float, float, float]:
    """Return a temperature, a wind speed and a direction that move with time."""
    wave = math.radians(longitude * 3 + hours * 15)
    day = math.cos(math.radians(longitude + hours * 15 - 210))
    temperature = 30 * math.cos(math.radians(latitude)) - 12 + 6 * math.sin(wave + latitude / 15) + 4 * day
    wind = 7 + 6 * math.sin(wave * 0.7 + latitude / 9) * math.cos(math.radians(latitude))
    direction = (270 + 60 * math.sin(wave + latitude / 20)) % 360
    return round(temperature, 1), round(abs(wind), 1), round(direction, 0)


def rows(chosen: list[tuple[int, int, int]], hours: float, source: str) -> list[dict[str, Any]]:
    """Return `weather_data` documents of the places."""
    return [
        weather(number, *values(latitude, longitude, hours), source=source) for number, latitude, longitude in chosen
    ]


def seed(cdc: FakeCdc, *, source: str, fill_seconds: float) -> None:
    """Write the grid and the latest values, slowly if asked, then the forecasts."""
    grid = places()
    cdc.commit({"locations": [location(*place) for place in grid]}, snapshot=True)
    for start in range(0, len(grid), BATCH):
        part = grid[start : start + BATCH]
        cdc.commit({"weather_data": rows(part, 0, source)})
        time.sleep(fill_seconds * len(part) / len(grid))
    first = int(time.time()) // 3600 * 3600 - 24 * 3600
    for start in range(0, len(grid), BATCH):
        part = grid[start : start + BATCH]
        ahead = [
            forecast(number, first, temperature=values(latitude, longitude, 0)[0])
            for number, latitude, longitude in part
        ]
        cdc.commit({"weather_forecast": ahead}, snapshot=True)


def past() -> Iterator[list[dict[str, Any]]]:
    """Yield `weather_history` documents of the last day, a few at a time."""
    now = int(time.time()) // 3600 * 3600
    for hour in range(1, 25, 3):
        for start in range(0, len(places()), BATCH):
            yield [
                history(number, now - hour * 3600, values(latitude, longitude, -hour)[0])
                for number, latitude, longitude in places()[start : start + BATCH]
            ]


@contextlib.contextmanager
def mongodb(uri: str | None) -> Iterator[str]:
    """Yield the address given, or that of a server of our own."""
    if uri is not None:
        yield uri
        return
    from secantus.server import SecantusDBServer  # noqa: PLC0415 - not needed with a server given

    with tempfile.TemporaryDirectory() as directory:
        server = SecantusDBServer(host="127.0.0.1", port=0, storage_path=directory, replica_set_name="rs0")
        server.start()
        try:
            yield f"mongodb://127.0.0.1:{server.port}/?replicaSet=rs0"
        finally:
            server.stop()


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, default=5000)
    parser.add_argument("--metrics-port", type=int, default=0)
    parser.add_argument("--mongodb", help="a replica set whose database `live_map` may be dropped")
    parser.add_argument("--every", type=float, default=2.0, help="seconds between two batches")
    parser.add_argument("--share", type=int, default=40, help="cells in a batch")
    parser.add_argument("--fill", type=float, default=0.0, help="seconds that the first sweep takes")
    parser.add_argument("--source", choices=("open-meteo", "simulator"), default="simulator")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with mongodb(options.mongodb) as uri:
        cdc = FakeCdc(MongoClient(uri), "live_map").create()
        environment = {
            **os.environ,
            "MONGODB_URI": uri,
            "MONGODB_DATABASE": "live_map",
            "WEB_HOST": "127.0.0.1",
            "WEB_PORT": str(options.port),
            "METRICS_HOST": "127.0.0.1",
            "METRICS_PORT": str(options.metrics_port),
            "LOG_FORMAT": os.environ.get("LOG_FORMAT", "console"),
        }
        web = subprocess.Popen([sys.executable, "-m", "isotherm_web"], env=environment)
        sys.stdout.write(f"http://127.0.0.1:{options.port}/\n")
        sys.stdout.flush()
        try:
            seed(cdc, source=options.source, fill_seconds=options.fill)
            started, grid, before = time.monotonic(), places(), past()
            while web.poll() is None:
                time.sleep(options.every)
                hours = (time.monotonic() - started) / 30
                changed = rows(random.sample(grid, options.share), hours, options.source)
                cdc.commit({"weather_data": changed, "weather_history": next(before, [])})
        except KeyboardInterrupt:
            pass
        finally:
            web.terminate()
            web.wait()


if __name__ == "__main__":
    main()
