"""SIGTERM and SIGINT as an event to wait on: a service finishes what it began and then ends."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from types import FrameType


class Shutdown:
    """Set once, when the process should end. Waiting on it replaces every sleep of a service."""

    def __init__(self) -> None:
        self.event = threading.Event()

    @classmethod
    def on_signals(cls) -> Shutdown:
        """Return a shutdown that SIGTERM and SIGINT request; a second signal ends the process at once."""
        shutdown = cls()

        def handle(number: int, _: FrameType | None) -> None:
            signal.signal(number, signal.SIG_DFL)
            structlog.get_logger().info("shutdown_requested", signal=signal.Signals(number).name)
            shutdown.request()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, handle)
        return shutdown

    @property
    def requested(self) -> bool:
        """Whether the process should end."""
        return self.event.is_set()

    def request(self) -> None:
        """Ask the process to end."""
        self.event.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until a shutdown is requested or `seconds` have passed; answer whether it was requested."""
        return self.event.wait(seconds)
