"""How fast one change reaches all clients: 1,000 cells a second to many websockets on this machine.

    python tests/bench/web_fanout.py [--clients 1000] [--cells 1000] [--seconds 20] [--format isotherm.v1.bin] [--no-freeze]

The server is the real application under the real server settings, in a process of its own; only MongoDB is left out:
batches are applied to its state directly. The clients are bare sockets in this process, so that they cost little.
Printed as JSON: the time from a batch's commit until the last client has it, the server's CPU seconds for 1,000
messages, and its memory for one client.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import gc
import json
import math
import os
import resource
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, cast

import uvloop
from prometheus_client import CollectorRegistry

from isotherm_web.app import create_app
from isotherm_web.assembly import Batch
from isotherm_web.events import Changed
from isotherm_web.feed import Publisher
from isotherm_web.geometry import Location
from isotherm_web.hub import Hub
from isotherm_web.metrics import Metrics
from isotherm_web.rows import Row
from isotherm_web.service import Server, _listen, _tick, _uvicorn_config
from isotherm_web.settings import HubSettings, ServerSettings
from isotherm_web.state import GridState

GRID = 10_000
WARM_SECONDS = 3


class Health:
    """Stands in for the health pages."""

    def beat(self) -> None:
        """Take note of nothing."""


async def serve(options: argparse.Namespace) -> None:
    """Serve until standard input ends; tell the port first, and what was used at the end."""
    metrics = Metrics(CollectorRegistry())
    hub = Hub(HubSettings(maximum_connections_per_address=100_000, maximum_connections=100_000), metrics, version="0")
    places = {
        number: Location(number, 1.7 * (number // 100) - 84.15, 3.6 * (number % 100) - 180) for number in range(GRID)
    }
    base = [30 * math.cos(math.radians(place.latitude)) - 12 for place in places.values()]
    rows = {number: Row(1, 1795535100, 1795535662, 1, (round(10 * base[number]), 40, 2300)) for number in range(GRID)}
    hub.replace(GridState("a" * 32, 1, locations=places, rows=rows))
    publisher = Publisher(hub, metrics, min(0.1, options.every_ms / 2000))
    settings = ServerSettings(host="127.0.0.1", port=0)
    app = create_app(hub, None, metrics, settings, version="0")  # type: ignore[arg-type]
    loop = asyncio.get_running_loop()
    with _listen(settings) as listener:
        server = Server(_uvicorn_config(app, settings))
        tasks = [
            asyncio.create_task(publisher.run()),
            asyncio.create_task(_tick(hub, Health(), metrics)),  # type: ignore[arg-type]
            asyncio.create_task(server.serve(sockets=[listener])),
        ]
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.05)
        if not options.no_freeze:
            gc.collect()
            gc.freeze()
        before_kb = _memory_kb()
        _say({"port": listener.getsockname()[1]})
        await loop.run_in_executor(None, sys.stdin.readline)
        memory_kb = _memory_kb() - before_kb
        commits: dict[int, float] = {}
        cpu = time.process_time()
        for number in range(options.seconds):
            await asyncio.sleep(options.every_ms / 1000)
            seq = hub.state.seq + 1
            cells = [(number * options.cells + cell) % GRID for cell in range(options.cells)]
            fields = {"valid_at": 10**15 + number * 10**6, "source": "simulator"}
            changes = tuple(
                Changed("weather_data", cell, seq, None, {**fields, "temperature_2m": base[cell] + number / 10})
                for cell in cells
            )
            commits[seq] = time.time()
            publisher.note(hub.state.apply(Batch(seq, changes)).committed_us)
        await asyncio.sleep(1)
        _say({"commits": commits, "cpu": time.process_time() - cpu, "memory_kb": memory_kb})
        server.should_exit = True
        await tasks.pop()
        for task in tasks:
            task.cancel()


def _memory_kb() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    return 0


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


class Reader(asyncio.Protocol):
    """A client that looks at nothing but the seq of what comes."""

    def __init__(self, port: int, wire: str, arrivals: dict[int, list[float]], ready: asyncio.Future[None]) -> None:
        self.port, self.wire, self.arrivals, self.ready = port, wire, arrivals, ready
        self.buffer = bytearray()
        self.upgraded = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        self.transport = cast(asyncio.Transport, transport)
        host = f"127.0.0.1:{self.port}"
        key = base64.b64encode(os.urandom(16)).decode()
        self.transport.write(
            f"GET /ws HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: {self.wire}\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Take the handshake's answer and then frame after frame."""
        self.buffer += data
        if not self.upgraded:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            assert self.buffer.startswith(b"HTTP/1.1 101"), bytes(self.buffer[:80])
            del self.buffer[: end + 4]
            self.upgraded = True
            self._send(b'{"type":"resume","stream":null,"seq":0,"geometry":null}')
        while (size := self._frame_size()) and len(self.buffer) >= size[0] + size[1]:
            self._frame(memoryview(self.buffer)[size[0] : size[0] + size[1]].tobytes())
            del self.buffer[: size[0] + size[1]]

    def _frame_size(self) -> tuple[int, int] | None:
        if len(self.buffer) < 2:
            return None
        length = self.buffer[1] & 0x7F
        if length < 126:
            return 2, length
        header, code = (4, ">H") if length == 126 else (10, ">Q")
        return None if len(self.buffer) < header else (header, struct.unpack_from(code, self.buffer, 2)[0])

    def _frame(self, payload: bytes) -> None:
        kind = payload[:1]
        if kind == b"\x02":
            self._arrived(struct.unpack_from("<Q", payload, 16)[0])
        elif payload.startswith(b'{"type":"delta"'):
            self._arrived(int(payload[:200].split(b'"seq":')[1].split(b",")[0]))
        elif payload.startswith(b'{"type":"ping"'):
            self._send(b'{"type":"pong"}')
        elif (kind == b"\x01" or payload.startswith(b'{"type":"snapshot"')) and not self.ready.done():
            self.ready.set_result(None)

    def _arrived(self, seq: int) -> None:
        self.arrivals.setdefault(seq, []).append(time.time())

    def _send(self, text: bytes) -> None:
        self.transport.write(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)


async def measure(options: argparse.Namespace) -> None:
    """Start the server, connect the clients, and print what was seen."""
    server = await asyncio.create_subprocess_exec(
        sys.executable, __file__, "--serve", *sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert server.stdin is not None
    assert server.stdout is not None
    port = json.loads(await server.stdout.readline())["port"]
    loop = asyncio.get_running_loop()
    arrivals: dict[int, list[float]] = {}
    began = time.monotonic()
    waiting = []
    for start in range(0, options.clients, 100):
        futures = [loop.create_future() for _ in range(min(100, options.clients - start))]
        await asyncio.gather(
            *(
                loop.create_connection(lambda f=future: Reader(port, options.format, arrivals, f), "127.0.0.1", port)
                for future in futures
            )
        )
        waiting += futures
    await asyncio.gather(*waiting)
    connected = time.monotonic() - began
    await asyncio.sleep(WARM_SECONDS)
    server.stdin.write(b"go\n")
    used = json.loads(await server.stdout.readline())
    await server.wait()
    last = sorted(
        max(arrivals[int(seq)]) - at
        for seq, at in used["commits"].items()
        if len(arrivals.get(int(seq), [])) == options.clients
    )
    messages = sum(len(times) for times in arrivals.values())
    _say(
        {
            "clients": options.clients,
            "format": options.format,
            "frozen": not options.no_freeze,
            "complete_deltas": f"{len(last)} of {options.seconds}",
            "last_client_ms": {
                name: round(last[min(len(last) - 1, math.ceil(len(last) * share) - 1)] * 1000, 1)
                for name, share in (("p50", 0.5), ("p99", 0.99))
                if last
            },
            "cpu_seconds_per_1000_messages": round(used["cpu"] / max(1, messages) * 1000, 4),
            "kb_per_client": round(used["memory_kb"] / options.clients, 1),
            "connected_per_second_with_snapshot": round(options.clients / connected),
        }
    )


def main() -> None:
    """Run one measurement."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--cells", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--format", choices=("isotherm.v1.bin", "isotherm.v1.json"), default="isotherm.v1.bin")
    parser.add_argument("--every-ms", type=int, default=1000, help="milliseconds between two batches")
    parser.add_argument("--no-freeze", action="store_true")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard) if soft != hard else (soft, hard))
    uvloop.run(serve(options) if options.serve else measure(options))


if __name__ == "__main__":
    main()
