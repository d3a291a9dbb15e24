"""A TCP relay on loopback that can be pointed elsewhere, cut, or made to go silent like a network that lost a route.

It can also lose the answer to one request: the server has done what was asked, and whoever asked cannot know.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

HOST = "127.0.0.1"
_PIECE_BYTES = 256 << 10


class Relay:
    """Passes connections on to `target`; a context manager."""

    def __init__(self, target: int) -> None:
        """Listen on a free port.

        Args:
            target: the port that new connections go to; it may be set anew at any time.
        """
        self.target = target
        self._open = threading.Event()
        self._open.set()
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._marker: bytes | None = None
        self.lost_answers = 0
        self._server = socket.create_server((HOST, 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Listen no longer, and cut what there is."""
        self._open.set()
        # A thread that waits in accept() is not woken by close().
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()
        deadline = time.monotonic() + 10
        while self.connections and time.monotonic() < deadline:
            time.sleep(0.01)

    @property
    def connections(self) -> int:
        """How many connections there are."""
        with self._lock:
            return len(self._sockets) // 2

    def cut(self) -> None:
        """Cut every connection."""
        with self._lock:
            sockets = list(self._sockets)
        for end in sockets:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def freeze(self) -> None:
        """Forward nothing more, in either direction, and close nothing; new connections are taken and stay silent too."""
        self._open.clear()

    def thaw(self) -> None:
        """Forward again."""
        self._open.set()

    def lose_answer(self, marker: bytes | None) -> None:
        """Let the next request that holds `marker` through, and lose its answer with the connection; None: not any more."""
        with self._lock:
            self._marker = marker

    def _takes_marker(self, request: bytes) -> bool:
        """Whether the answer to this request is the one to lose."""
        with self._lock:
            if self._marker is None or self._marker not in request:
                return False
            self._marker = None
            return True

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            self._open.wait()
            try:
                far = socket.create_connection((HOST, self.target))
            except OSError:
                near.close()
                continue
            with self._lock:
                self._sockets |= {near, far}
            threading.Thread(target=self._both_ways, args=(near, far), daemon=True).start()

    def _both_ways(self, near: socket.socket, far: socket.socket) -> None:
        losing = threading.Event()

        def request(data: bytes) -> bool:
            if self._takes_marker(data):
                losing.set()
            return True

        def answer(_: bytes) -> bool:
            if losing.is_set():
                self.lost_answers += 1
            return not losing.is_set()

        with contextlib.closing(near), contextlib.closing(far):
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=self._forward, args=(far, near, answer), daemon=True)
            back.start()
            self._forward(near, far, request)
            back.join()
            with self._lock:
                self._sockets -= {near, far}

    def _forward(self, source: socket.socket, sink: socket.socket, passes: Callable[[bytes], bool]) -> None:
        with contextlib.suppress(OSError):
            while (data := source.recv(_PIECE_BYTES)) and passes(data):
                self._open.wait()
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
