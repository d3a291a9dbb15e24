"""A measured server's side of the talk with the runner, over its standard input and output.

The server says on which port it listens, the runner says `go CHANGES EVERY_MS`, the server says when it made each change,
the runner closes its input, the server ends.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from dataclasses import dataclass, field
from typing import Any


def say(what: dict[str, Any]) -> None:
    """Tell the runner something."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def allow_many_files() -> None:
    """Let this process have as many connections as it may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@dataclass
class Pauses:
    """How long the garbage collector has stopped the process."""

    longest_seconds: float = 0.0
    total_seconds: float = 0.0
    _began: float = field(default=0.0, repr=False)

    def watch(self) -> Pauses:
        """Begin to watch."""
        gc.callbacks.append(self._note)
        return self

    def _note(self, phase: str, _: dict[str, int]) -> None:
        now = time.perf_counter()
        if phase == "start":
            self._began = now
        else:
            self.longest_seconds = max(self.longest_seconds, now - self._began)
            self.total_seconds += now - self._began

    def take(self) -> dict[str, float]:
        """Return what was seen since the last time, in milliseconds."""
        seen = {"longest_ms": round(self.longest_seconds * 1e3, 2), "total_ms": round(self.total_seconds * 1e3, 2)}
        self.longest_seconds = self.total_seconds = 0.0
        return seen
