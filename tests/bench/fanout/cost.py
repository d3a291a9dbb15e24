"""What the server's own work for a connection and for a message costs, in CPU time, without sockets and without the kernel.

    python tests/bench/fanout/cost.py [--clients 1000] [--rounds 9]

Over transports that keep nothing, in one process: the same handshake and resume through the direct path, through Quart, and,
as the floor of what uvicorn itself takes, through an ASGI application that only accepts. The least of several rounds is
printed, in µs, which another program's load hardly touches.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import uvicorn
import uvloop
import workload
from isotherm_server import ANY, STREAM, batch, full_map
from prometheus_client import CollectorRegistry
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from isotherm_common.garbage import collect_rarely
from isotherm_web.app import create_app
from isotherm_web.hub import Hub
from isotherm_web.metrics import Metrics
from isotherm_web.server import make_server
from isotherm_web.service import YOUNG_OBJECTS
from isotherm_web.settings import HubSettings, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Callable

_ADDRESS = ("127.0.0.1", 50000)
_HEADERS = (
    "Host: localhost:5000",
    "Connection: Upgrade",
    "Pragma: no-cache",
    "Cache-Control: no-cache",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    "Upgrade: websocket",
    "Origin: http://localhost:5000",
    "Sec-WebSocket-Version: 13",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-GB,en;q=0.9",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
    "Sec-WebSocket-Protocol: isotherm.v1.bin",
)
"""What Chromium sends."""
_REQUEST = "\r\n".join(("GET /ws HTTP/1.1", *_HEADERS, "", "")).encode()
_TURNS = 12


class Sink(asyncio.Transport):
    """A transport whose other end takes everything at once."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = False
        self.written = 0
        self.protocol: Any = None

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return the addresses."""
        return _ADDRESS if name in {"peername", "sockname"} else default

    def write(self, data: Any) -> None:
        """Count it."""
        self.written += len(data)

    def writelines(self, list_of_data: Any) -> None:
        """Count them."""
        self.written += sum(map(len, list_of_data))

    def is_closing(self) -> bool:
        """Answer whether it was closed."""
        return self.closed

    def close(self) -> None:
        """Close it."""
        self.closed = True

    abort = close

    def set_protocol(self, protocol: Any) -> None:
        """Learn who reads from now on."""
        self.protocol = protocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Buffer nothing anyway."""

    def pause_reading(self) -> None:
        """Have nothing to read."""

    resume_reading = pause_reading


def masked(text: bytes) -> bytes:
    """Return a client's text message of less than 64 KiB, masked."""
    size, mask = len(text), b"\x01\x02\x03\x04"
    length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return b"\x81" + length + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(text))


async def accepting(scope: Any, receive: Any, send: Any) -> None:
    """Accept a websocket and wait for its end: the least that an ASGI application can do."""
    del scope
    await receive()
    await send({"type": "websocket.accept", "subprotocol": "isotherm.v1.bin"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def turns() -> None:
    """Let the event loop go round until nothing is left to do."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)


async def connect(make: Callable[[], Any], resume: bytes | None, count: int) -> tuple[list[Sink], float]:
    """Connect so many clients; return them and the CPU seconds of each."""
    sinks = []
    began = time.process_time()
    for _ in range(count):
        sink = Sink()
        sink.protocol = protocol = make()
        protocol.connection_made(sink)
        sink.protocol.data_received(_REQUEST)
        sinks.append(sink)
    await turns()
    if resume is not None:
        for sink in sinks:
            sink.protocol.data_received(resume)
        await turns()
    return sinks, (time.process_time() - began) / count


def _maker(config: uvicorn.Config) -> Callable[[], Any]:
    if not config.loaded:
        config.load()
    state = ServerState()
    return lambda: config.http_protocol_class(config=config, server_state=state, app_state={})


async def measure(options: argparse.Namespace, *, direct: bool) -> dict[str, float]:
    """Measure Isotherm on one path."""
    metrics = Metrics(CollectorRegistry())
    hub = Hub(HubSettings(maximum_connections_per_address=ANY, maximum_connections=ANY), metrics, version="0")
    hub.replace(full_map(1))
    settings = replace(ServerSettings(), direct_writer=direct)
    app = create_app(hub, None, metrics, settings, version="0")  # type: ignore[arg-type]
    make = _maker(make_server(app, hub, metrics, settings).config)
    resume = masked(
        json.dumps({"type": "resume", "stream": STREAM, "seq": 1, "geometry": hub.state.geometry.name}).encode()
    )
    pong = masked(b'{"type":"pong"}')
    best = {"connection": float("inf"), "message": float("inf"), "pong": float("inf"), "tick": float("inf")}
    for _ in range(options.rounds):
        sinks, seconds = await connect(make, resume, options.clients)
        assert all(sink.written for sink in sinks)
        best["connection"] = min(best["connection"], seconds)
        seq = hub.state.seq + 1
        hub.state.apply(batch(seq, seq, workload.changed_cells(seq, 1000)))
        began, before = time.process_time(), sinks[-1].written
        hub.publish()
        await turns()
        best["message"] = min(best["message"], (time.process_time() - began) / options.clients)
        assert sinks[-1].written > before
        began = time.process_time()
        for sink in sinks:
            sink.protocol.data_received(pong)
        await turns()
        best["pong"] = min(best["pong"], (time.process_time() - began) / options.clients)
        began = time.process_time()
        hub.tick(time.monotonic())
        best["tick"] = min(best["tick"], (time.process_time() - began) / options.clients)
        await disconnect(sinks)
        assert not hub.clients
    return best


async def floor(options: argparse.Namespace) -> dict[str, float]:
    """Measure uvicorn with an application that does nothing."""
    make = _maker(
        uvicorn.Config(
            accepting, http=HttpToolsProtocol, log_config=None, ws_per_message_deflate=False, access_log=False
        )
    )
    best = float("inf")
    for _ in range(options.rounds):
        sinks, seconds = await connect(make, None, options.clients)
        best = min(best, seconds)
        await disconnect(sinks)
    return {"connection": best}


async def disconnect(sinks: list[Sink]) -> None:
    """Let all clients go."""
    for sink in sinks:
        sink.protocol.connection_lost(None)
    await turns()


async def _run(options: argparse.Namespace) -> None:
    collect_rarely(YOUNG_OBJECTS)
    for name, measured in (
        ("direct", await measure(options, direct=True)),
        ("through Quart", await measure(options, direct=False)),
        ("uvicorn alone", await floor(options)),
    ):
        figures = {what: round(seconds * 1e6, 2) for what, seconds in measured.items()}
        sys.stdout.write(json.dumps({"path": name, "clients": options.clients, "us": figures}) + "\n")


def main() -> None:
    """Measure all paths."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clients", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=9)
    uvloop.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
