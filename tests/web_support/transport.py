"""A connection without a socket."""

from __future__ import annotations

import asyncio
from typing import Any


class Transport(asyncio.Transport):
    """Comes from an address, and remembers what was written, and that it was closed."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address
        self.protocol: Any = None
        self.written = bytearray()
        self.closed = False

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

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        assert high == 0

    def pause_reading(self) -> None:
        """Read no more."""

    def resume_reading(self) -> None:
        """Read on."""
