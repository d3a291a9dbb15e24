"""What the person at the terminal sees."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TextIO


class Terminal:
    """Writes lines, and one line that changes in place; a terminal that has gone away is no error."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._interactive = self._stream.isatty()
        self._status = ""
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long this terminal has been written to."""
        return time.monotonic() - self._started

    def line(self, text: str) -> None:
        """Write a line that stays."""
        status, self._status = self._status, ""
        self._write(("\r\x1b[K" if status and self._interactive else "") + text + "\n")

    def status(self, text: str) -> None:
        """Show a line that the next one replaces; where that is not possible, a line each time it is different."""
        if text == self._status:
            return
        self._status = text
        self._write(f"\r\x1b[K{text}" if self._interactive else text + "\n")

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()
