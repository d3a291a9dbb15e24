"""Isotherm's web server without MongoDB: changes are applied to its state directly; all else is as it is shipped.

python tests/bench/fanout/isotherm_server.py [--asgi] [--seq N] [--coalesce-ms N]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from typing import TYPE_CHECKING

import uvloop
import workload
from prometheus_client import CollectorRegistry
from stage import Pauses, allow_many_files, say

from isotherm_common.garbage import collect_rarely
from isotherm_web.app import create_app
from isotherm_web.assembly import Batch
from isotherm_web.events import Changed
from isotherm_web.feed import Publisher
from isotherm_web.geometry import Location
from isotherm_web.hub import Hub
from isotherm_web.metrics import Metrics
from isotherm_web.rows import Row
from isotherm_web.server import listen, make_server, stop
from isotherm_web.service import YOUNG_OBJECTS
from isotherm_web.settings import HubSettings, ServerSettings
from isotherm_web.state import GridState
from isotherm_web.ticker import tick

if TYPE_CHECKING:
    from collections.abc import Iterable

STREAM = "a" * 32
ANY = 1_000_000


class Heart:
    """Hears that the loop goes round."""

    def beat(self) -> None:
        """Take no note of it."""


def full_map(seq: int) -> GridState:
    """Return a map in which every cell has data."""
    cells = range(workload.GRID)
    places = {cell: Location(cell, *workload.position(cell)) for cell in cells}
    rows = {
        cell: Row(1, workload.VALID_AT, workload.FETCHED_AT, workload.SOURCE, (_scaled(cell), 40, 2300))
        for cell in cells
    }
    return GridState(STREAM, seq, locations=places, rows=rows)


def _scaled(cell: int) -> int:
    return round(10 * workload.temperature(cell, 0))


def batch(seq: int, change: int, cells: Iterable[int]) -> Batch:
    """Return the batch that a change makes."""
    fields = {"valid_at": (workload.VALID_AT + change) * 10**6, "source": "simulator"}
    return Batch(
        seq,
        tuple(
            Changed("weather_data", cell, seq, None, {**fields, "temperature_2m": workload.temperature(cell, change)})
            for cell in cells
        ),
    )


async def serve(options: argparse.Namespace) -> None:
    """Serve until standard input ends."""
    metrics = Metrics(CollectorRegistry())
    limits = HubSettings(maximum_connections_per_address=ANY, maximum_connections=ANY)
    hub = Hub(limits, metrics, version="0")
    hub.replace(full_map(options.seq))
    publisher = Publisher(hub, metrics, options.coalesce_ms / 1000)
    settings = ServerSettings(host="127.0.0.1", port=0, direct_writer=not options.asgi)
    app = create_app(hub, None, metrics, settings, version="0")  # type: ignore[arg-type]
    pauses = Pauses().watch()
    with listen(settings) as listener:
        server = make_server(app, hub, metrics, settings)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        background = [asyncio.create_task(publisher.run()), asyncio.create_task(tick(hub, Heart(), metrics))]
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.05)
        collect_rarely(YOUNG_OBJECTS)
        pauses.take()
        say(
            {
                "port": listener.getsockname()[1],
                "stream": STREAM,
                "seq": options.seq,
                "geometry": hub.state.geometry.name,
            }
        )
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            while_connecting = pauses.take()
            commits = await _change(hub, publisher, line)
            say({"commits": commits, "pauses": pauses.take(), "pauses_connecting": while_connecting})
        for task in background:
            task.cancel()
        await stop(server, serving)


async def _change(hub: Hub, publisher: Publisher, line: str) -> dict[int, float]:
    _, changes, every_ms, count = line.split()
    commits = {}
    for change in range(int(changes)):
        seq = hub.state.seq + 1
        made = batch(seq, change, workload.changed_cells(change, int(count)))
        await asyncio.sleep(int(every_ms) / 1000)
        commits[seq] = time.time()
        publisher.note(hub.state.apply(made).committed_us)
        hub.advanced()
    return commits


def main() -> None:
    """Run the server."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--asgi", action="store_true", help="the path through Quart and uvicorn for each message")
    parser.add_argument("--seq", type=int, default=1)
    parser.add_argument("--coalesce-ms", type=int, default=100)
    options = parser.parse_args()
    allow_many_files()
    uvloop.run(serve(options))


if __name__ == "__main__":
    main()
