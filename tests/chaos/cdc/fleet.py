"""Readers as the controller sees them: each started from the process of `chaos.cdc.reader`, each with its fate."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

KILLED = -signal.SIGKILL
_TAIL_CHARACTERS = 6000


@dataclass
class Reader:
    """One reader.

    Attributes:
        log: what it says.
        pid: its process.
        reached: the point at which it killed itself.
        exit_code: negative for a signal; None while it runs.
    """

    log: Path
    pid: int = 0
    reached: str | None = None
    exit_code: int | None = None
    _started: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return not self._ended.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait for its end; answer whether it came."""
        return self._ended.wait(seconds)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal if it runs."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.signal(signal.SIGKILL)
        self._ended.wait()

    def tail(self) -> str:
        """Return the end of what it has said."""
        return self.log.read_text(errors="replace")[-_TAIL_CHARACTERS:] if self.log.exists() else ""

    def said(self, text: str) -> bool:
        """Whether it has said this."""
        return self.log.exists() and text in self.log.read_text(errors="replace")

    def forget(self) -> None:
        """Delete its log."""
        self.log.unlink(missing_ok=True)

    def give_up(self) -> None:
        """Note that the process that should have forked it is gone."""
        self.exit_code = self.exit_code if self._ended.is_set() else KILLED
        self._started.set()
        self._ended.set()

    def take(self, what: Mapping[str, Any]) -> None:
        """Note what the process that forked it says."""
        if "pid" in what:
            self.pid = what["pid"]
            self._started.set()
        elif "reached" in what:
            self.reached = what["reached"]
        else:
            self.exit_code = what["ended"]
            self._ended.set()

    def wait_started(self) -> None:
        """Wait until it has a process."""
        if not self._started.wait(60) or not self.pid:
            message = "no reader was forked: chaos.cdc.reader has ended, or did not answer within a minute"
            raise TimeoutError(message)


class Fleet:
    """Starts readers."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        """Start the process that forks them.

        Args:
            folder: where their logs go.
            environment: of that process: where the code is found.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._readers: list[Reader] = []
        self._gone = False
        self._process = subprocess.Popen(
            [sys.executable, "-m", "chaos.cdc.reader"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(environment),
            start_new_session=True,
        )
        self._listener = threading.Thread(target=self._listen, name="fleet")
        self._listener.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End all readers."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._listener.join()
        self._process.stdout.close()

    def start(
        self, environment: Mapping[str, str], *, point: str | None = None, after: int = 1, arguments: Sequence[str] = ()
    ) -> Reader:
        """Start a reader.

        Args:
            environment: its settings.
            point: where it is to kill itself.
            after: the how manieth time it comes there.
            arguments: its command line.
        """
        reader = Reader(self._folder / f"reader-{len(self._readers) + 1}.log")
        self._readers.append(reader)
        order = {
            "id": len(self._readers) - 1,
            "environment": dict(environment),
            "point": point,
            "after": after,
            "log": str(reader.log),
            "arguments": list(arguments),
        }
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()
        if self._gone:
            reader.give_up()
        reader.wait_started()
        return reader

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            what = json.loads(line)
            self._readers[what["id"]].take(what)
        self._gone = True
        for reader in self._readers:
            reader.give_up()
