"""A TCP proxy on loopback that cuts connections, at once or just before a certain answer comes back."""

from __future__ import annotations

import contextlib
import socket
import threading

HOST = "127.0.0.1"
_CHUNK_BYTES = 256 << 10


class Proxy:
    """Passes connections on to a port; the connection's end on one side is its end on the other."""

    def __init__(self, port: int) -> None:
        """Listen on a free port.

        Args:
            port: where connections go.
        """
        self._target = port
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._marker: bytes | None = None
        self.lost_answers = 0
        self._server = socket.create_server((HOST, 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, name=f"proxy {port}", daemon=True).start()

    def cut(self) -> None:
        """Cut every connection now."""
        with self._lock:
            sockets = list(self._sockets)
        for end in sockets:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def lose_answer(self, marker: bytes | None) -> None:
        """Let the next request that holds `marker` through, and lose its answer with the connection; None: not any more."""
        self._marker = marker

    def close(self) -> None:
        """Listen no longer, and cut what there is."""
        # A thread that waits in accept() is not woken by close().
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            try:
                far = socket.create_connection((HOST, self._target))
            except OSError:
                near.close()
                continue
            connection = _Connection(self, near, far)
            with self._lock:
                self._sockets |= {near, far}
            for body in (connection.forward, connection.back):
                threading.Thread(target=self._guard, args=(connection, body), daemon=True).start()

    def _guard(self, connection: _Connection, body: object) -> None:
        assert callable(body)
        try:
            with contextlib.suppress(OSError):
                body()
        finally:
            for end in (connection.near, connection.far):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            if connection.half_done():
                with self._lock:
                    self._sockets -= {connection.near, connection.far}
                connection.near.close()
                connection.far.close()

    def takes_marker(self, data: bytes) -> bool:
        """Whether the answer to this request is the one to lose."""
        with self._lock:
            if self._marker is None or self._marker not in data:
                return False
            self._marker = None
            return True


class _Connection:
    def __init__(self, proxy: Proxy, near: socket.socket, far: socket.socket) -> None:
        self.near, self.far = near, far
        self._proxy = proxy
        self._lose = False
        self._lock = threading.Lock()
        self._done = False
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def half_done(self) -> bool:
        """Whether the other direction had ended before."""
        with self._lock:
            before, self._done = self._done, True
            return before

    def forward(self) -> None:
        while data := self.near.recv(_CHUNK_BYTES):
            if self._proxy.takes_marker(data):
                self._lose = True
            self.far.sendall(data)

    def back(self) -> None:
        while data := self.far.recv(_CHUNK_BYTES):
            if self._lose:
                self._proxy.lost_answers += 1
                return
            self.near.sendall(data)
