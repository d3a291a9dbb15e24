"""How fast one change reaches all clients, beside what Flask-SocketIO takes for it in the same run.

    make bench-fanout
    python tests/bench/fanout/run.py [--clients 10000] [--changes 20] [--only NAME ...] [--baseline-clients 5000]

Each server is a process of its own, the clients are bare sockets in this one. Printed as JSON, a line a server:

- `last_client_ms`: from a change until the last client has all of it; the machine's load is in it;
- `cpu_s_per_1000`: the server's CPU seconds for 1,000 messages, and how many of them are the kernel's: the figure to go by
  on a machine that others use too;
- `kb_per_client`: resident memory for one client;
- `accepted_per_second`, `cpu_s_per_1000_connections`: clients that come back to a server just started;
- `gc`: the pauses of its garbage collector while clients connect and while changes are sent.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import uvloop
from clients import FlaskReader, IsothermReader, Reader, Seen, connect, resume_message
from process import CpuTime, ServerProcess
from stage import allow_many_files

if TYPE_CHECKING:
    from collections.abc import Sequence

_SETTLE_SECONDS = 2.0
_LAST_SECONDS = 30.0


@dataclass(frozen=True)
class Contestant:
    """A server and how its clients speak.

    Attributes:
        command: the script and its arguments.
        reader: the clients' class.
        path: of the websocket.
        protocol: the subprotocol.
        baseline: whether it is what Isotherm is measured beside.
        compression: whether they offer permessage-deflate, as every browser does.
    """

    command: tuple[str, ...]
    reader: type[Reader]
    path: str
    protocol: str | None
    baseline: bool = False
    compression: bool = True


BINARY, JSON = "isotherm.v1.bin", "isotherm.v1.json"
CONTESTANTS = {
    "isotherm": Contestant(("isotherm_server.py",), IsothermReader, "/ws", BINARY),
    "isotherm-json": Contestant(("isotherm_server.py",), IsothermReader, "/ws", JSON),
    "isotherm-uncompressed": Contestant(("isotherm_server.py",), IsothermReader, "/ws", BINARY, compression=False),
    "isotherm-asgi": Contestant(("isotherm_server.py", "--asgi"), IsothermReader, "/ws", BINARY),
    "flask-socketio": Contestant(
        ("flask_server.py",), FlaskReader, "/socket.io/?EIO=4&transport=websocket", None, baseline=True
    ),
}


async def measure(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Measure one server: clients that come back, then changes."""
    contestant = CONTESTANTS[name]
    count = options.baseline_clients if contestant.baseline else options.clients
    server = await ServerProcess.start(
        contestant.command, options.baseline_python if contestant.baseline else sys.executable
    )
    try:
        return {"server": name, "clients": count, **await _measure(server, contestant, count, options)}
    finally:
        await server.stop()


async def _measure(
    server: ServerProcess, contestant: Contestant, count: int, options: argparse.Namespace
) -> dict[str, Any]:
    seen, about = Seen(), server.about
    host = f"127.0.0.1:{about['port']}"
    make = partial(
        contestant.reader, host, contestant.path, contestant.protocol, seen, compression=contestant.compression
    )
    # One client of each kind first, so that what is made once does not count for the others.
    contestant.reader.resume = resume_message(None, 0, None)  # type: ignore[attr-defined]
    await connect(1, about["port"], make, seen)
    contestant.reader.resume = resume_message(about["stream"], about["seq"], about["geometry"])  # type: ignore[attr-defined]
    await connect(1, about["port"], make, seen)
    memory, cpu = server.memory_kb(), server.cpu()
    _, seconds = await connect(count - 2, about["port"], make, seen)
    connecting_cpu = server.cpu() - cpu
    await asyncio.sleep(_SETTLE_SECONDS)
    memory = server.memory_kb() - memory
    cpu, received = server.cpu(), seen.bytes_received
    done = await server.change(options.changes, options.every_ms, options.cells)
    commits = {int(seq): at for seq, at in done["commits"].items()}
    await _all_arrived(seen, max(commits), count)
    cpu = server.cpu() - cpu
    messages = sum(seen.counts.values())
    last = sorted(seen.last_at[seq] - at for seq, at in commits.items() if seen.counts.get(seq) == count)
    return {
        "complete": f"{len(last)} of {options.changes}",
        "lost": seen.lost,
        "last_client_ms": {"p50": _quantile(last, 0.5), "p99": _quantile(last, 0.99)},
        "cpu_s_per_1000": _per_1000(cpu, messages, 4),
        "bytes_per_message": round((seen.bytes_received - received) / max(1, messages)),
        "kb_per_client": round(memory / (count - 2), 1),
        "accepted_per_second": round((count - 2) / seconds),
        "cpu_s_per_1000_connections": _per_1000(connecting_cpu, count - 2, 3),
        "gc": {"connecting": done["pauses_connecting"], "changes": done["pauses"]},
        "load": round(os.getloadavg()[0], 1),
    }


async def _all_arrived(seen: Seen, seq: int, count: int) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + _LAST_SECONDS
    while seen.counts.get(seq, 0) < count - seen.lost and loop.time() < until:  # noqa: ASYNC110 - a figure, no event
        await asyncio.sleep(0.05)


def _per_1000(cpu: CpuTime, count: int, digits: int) -> dict[str, float]:
    share = 1000 / max(1, count)
    return {"total": round(cpu.total * share, digits), "kernel": round(cpu.kernel * share, digits)}


def _quantile(values: Sequence[float], share: float) -> float | None:
    return round(values[max(0, math.ceil(len(values) * share) - 1)] * 1e3, 1) if values else None


async def _run(options: argparse.Namespace) -> None:
    for name in options.only or CONTESTANTS:
        sys.stdout.write(json.dumps(await measure(name, options)) + "\n")
        sys.stdout.flush()


def main() -> None:
    """Measure all servers, one after another."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clients", type=int, default=9_000)
    parser.add_argument("--baseline-clients", type=int, default=2_000)
    parser.add_argument("--baseline-python", default=sys.executable, help="the Python that has Flask-SocketIO")
    parser.add_argument("--cells", type=int, default=1_000, help="cells that one change touches")
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument("--every-ms", type=int, default=1_000, help="milliseconds between two changes")
    parser.add_argument("--only", nargs="+", choices=CONTESTANTS)
    options = parser.parse_args()
    allow_many_files()
    uvloop.run(_run(options))


if __name__ == "__main__":
    main()
