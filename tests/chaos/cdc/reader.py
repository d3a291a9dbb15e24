"""A process that has the reader's code in memory and forks a reader for each line that it is given.

Run as `python -m chaos.cdc.reader`. Each line of its input is an order (`Order`), each line of its output says what has
become of one. A reader that has reached its point says so and kills itself; when the input ends, all readers are killed.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import sys
from typing import Any, NoReturn

import isotherm_cdc.__main__
from chaos.cdc import failpoints

_OUTPUT = 1


def main() -> None:
    """Serve until the input ends."""
    readers: dict[int, int] = {}
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_read, False)
    os.set_blocking(wake_write, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write)
    gc.freeze()
    pending = b""
    while True:
        ready, _, _ = select.select([0, wake_read], [], [])
        if wake_read in ready:
            os.read(wake_read, 4096)
            _reap(readers)
        if 0 in ready:
            data = os.read(0, 65536)
            if not data:
                break
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                order = json.loads(line)
                pid = os.fork()
                if pid == 0:
                    _become_reader(order)
                readers[pid] = order["id"]
                _say(id=order["id"], pid=pid)
    for pid in readers:
        os.kill(pid, signal.SIGKILL)


def _reap(readers: dict[int, int]) -> None:
    while readers:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        _say(id=readers.pop(pid), ended=os.waitstatus_to_exitcode(status))


def _say(**what: Any) -> None:
    os.write(_SAY_TO, json.dumps(what).encode() + b"\n")


_SAY_TO = os.dup(_OUTPUT)


def _become_reader(order: dict[str, Any]) -> NoReturn:
    """Run the reader with the order's environment, output and point; never returns."""
    code = 70
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.environ.clear()
        os.environ.update(order["environment"])
        remaining = {order["point"]: order["after"]}

        def reached(point: failpoints.Point) -> None:
            if point.name not in remaining:
                return
            remaining[point.name] -= 1
            if remaining[point.name] == 0:
                _say(id=order["id"], reached=point.name)
                os.kill(os.getpid(), signal.SIGKILL)

        failpoints.install(reached)
        code = isotherm_cdc.__main__.main([*order.get("arguments", [])])
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:  # noqa: BLE001 - it must not return into the server's loop
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
