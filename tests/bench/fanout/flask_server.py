"""What one would write first: Flask-SocketIO on gevent, a JSON event to everyone for each change.

python tests/bench/fanout/flask_server.py
"""

from __future__ import annotations

import sys
import time
from typing import Any

from gevent import monkey

monkey.patch_all()

import gevent  # noqa: E402
import workload  # noqa: E402
from flask import Flask  # noqa: E402
from flask_socketio import SocketIO, emit  # noqa: E402
from gevent.fileobject import FileObjectThread  # noqa: E402
from gevent.pywsgi import WSGIServer  # noqa: E402
from geventwebsocket.handler import WebSocketHandler  # noqa: E402
from stage import Pauses, allow_many_files, say  # noqa: E402


def columns(cells: list[int], change: int) -> dict[str, Any]:
    """Return the cells' values, column by column, as in Isotherm's own JSON format."""
    count = len(cells)
    return {
        "valid_at": [workload.VALID_AT + change] * count,
        "fetched_at": [workload.FETCHED_AT] * count,
        "source": [workload.SOURCE] * count,
        "layers": {
            "temperature_2m": [round(10 * workload.temperature(cell, change)) for cell in cells],
            "wind_speed_10m": [round(10 * workload.WIND)] * count,
            "wind_direction_10m": [round(10 * workload.DIRECTION)] * count,
        },
    }


def main() -> None:
    """Serve until standard input ends."""
    allow_many_files()
    app = Flask(__name__)
    socketio = SocketIO(app, async_mode="gevent")
    everything = {"seq": 1, **columns(list(range(workload.GRID)), 0)}

    @socketio.on("resume")  # type: ignore[untyped-decorator]
    def resume(has: dict[str, Any]) -> None:
        if has["seq"] == 0:
            emit("snapshot", everything)
        else:
            emit("hello", {"seq": 1})

    pauses = Pauses().watch()
    server = WSGIServer(("127.0.0.1", 0), app, backlog=4096, log=None, handler_class=WebSocketHandler)
    server.start()
    say({"port": server.server_port, "stream": None, "seq": 1, "geometry": None})
    inbound = FileObjectThread(sys.stdin)
    while line := inbound.readline():
        while_connecting = pauses.take()
        commits = {}
        _, changes, every_ms, count = line.split()
        for change in range(int(changes)):
            gevent.sleep(int(every_ms) / 1000)
            seq = change + 2
            cells = workload.changed_cells(change, int(count))
            commits[seq] = time.time()
            socketio.emit("delta", {"seq": seq, "cells": cells, **columns(cells, change)})
        say({"commits": commits, "pauses": pauses.take(), "pauses_connecting": while_connecting})


if __name__ == "__main__":
    main()
