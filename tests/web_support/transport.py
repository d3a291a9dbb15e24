"""A connection without a socket."""

from __future__ import annotations

import asyncio
from typing import Any


class Transport(asyncio.Transport):
    """Comes from an address, and remembers what was written, and that it was closed.

    Attributes:
        unread: bytes that the client has not read of what was written.
        aborted: whether it was closed without waiting for the client.
    """

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address
        self.protocol: Any = None
        self.written = bytearray()
        self.closed = False
        self.aborted = False
        self.unread = 0

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return (self.address, 1) if name in {"peername", "sockname"} else default

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def write(self, data: Any) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def get_write_buffer_size(self) -> int:
        return self.unread

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        assert high == 0

    def pause_reading(self) -> None:
        """Read no more."""

    def resume_reading(self) -> None:
        """Read on."""
