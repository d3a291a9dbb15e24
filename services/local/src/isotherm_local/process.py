"""One process of the stack: started, waited for until it is ready, stopped or killed, with its log in a file."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from isotherm_local import launch
from isotherm_local.errors import ProcessFailed, StoppedBySignal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_POLL_SECONDS = 0.05
_TAIL_BYTES = 16_384


@dataclass(frozen=True)
class ProcessSpec:
    """What to run.

    Attributes:
        name: what it is called in messages; its log is `<name>.log`.
        command: the command line.
        log_folder: where its log goes.
        environment: its whole environment; None: this process's own.
        ready: whether it does its work; None: as soon as it runs.
        ready_seconds: how long it may take to get ready.
        stop_seconds: how long it may take to end after SIGTERM, before SIGKILL.
        folder: its working directory; None: this process's own.
        before_start: what to do before each start.
        after_end: what to do after it was stopped or killed.
    """

    name: str
    command: Sequence[str]
    log_folder: Path
    environment: Mapping[str, str] | None = field(default=None, repr=False)
    ready: Callable[[], bool] | None = None
    ready_seconds: float = 60.0
    stop_seconds: float = 15.0
    folder: Path | None = None
    before_start: Callable[[], None] | None = None
    after_end: Callable[[], None] | None = None

    @property
    def log(self) -> Path:
        """The file of its output."""
        return self.log_folder / f"{self.name}.log"


class ManagedProcess:
    """A `ProcessSpec` that runs.

    It has a session and a process group of its own, so that a Ctrl-C in the terminal reaches only the one who started
    it, and dies with the one who started it whatever happens to that.
    """

    def __init__(self, spec: ProcessSpec) -> None:
        self.spec = spec
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self.started_at = 0.0

    def start(self) -> Self:
        """Start it, appending to its log.

        It must be called in a thread that lives as long as the process should: the kernel counts the end of the
        thread that started it as the parent's end.
        """
        if self.running:
            message = f"{self.spec.name} is running already"
            raise RuntimeError(message)
        if self.spec.before_start is not None:
            self.spec.before_start()
        self.spec.log_folder.mkdir(parents=True, exist_ok=True)
        launcher = [sys.executable, "-I", "-S", launch.__file__, str(os.getpid())]
        with self.spec.log.open("ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(  # noqa: S603 - the command lines are ours
                [*launcher, *self.spec.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=None if self.spec.environment is None else dict(self.spec.environment),
                cwd=self.spec.folder,
                start_new_session=True,
            )
        self.started_at = time.monotonic()
        return self

    @property
    def pid(self) -> int:
        """Its process id."""
        if self._process is None:
            message = f"{self.spec.name} has not been started"
            raise RuntimeError(message)
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs or before it was started."""
        return None if self._process is None else self._process.poll()

    @property
    def is_ready(self) -> bool:
        """Whether it does its work now."""
        return self.running and (self.spec.ready is None or self.spec.ready())

    def wait_ready(self, seconds: float | None = None, stopping: Callable[[], bool] = lambda: False) -> Self:
        """Wait until it is ready.

        Args:
            seconds: how long at most; the spec's `ready_seconds` when not given.
            stopping: whether to give up waiting.

        Raises:
            ProcessFailed: it ended, or was not ready in time; the message has the end of its log.
            StoppedBySignal: `stopping` said so.
        """
        seconds = self.spec.ready_seconds if seconds is None else seconds
        deadline = time.monotonic() + seconds
        while not self.is_ready:
            if not self.running:
                raise ProcessFailed(self._ended("ended before it was ready"))
            if stopping():
                message = f"Stopped while {self.spec.name} was starting."
                raise StoppedBySignal(message)
            if time.monotonic() > deadline:
                raise ProcessFailed(self._ended(f"was not ready within {seconds:.0f} s"))
            time.sleep(_POLL_SECONDS)
        return self

    def wait(self, seconds: float) -> int:
        """Wait for its end and return its exit code.

        Raises:
            ProcessFailed: it goes on.
        """
        assert self._process is not None
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise ProcessFailed(self._ended(f"did not end within {seconds:.0f} s")) from None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process itself."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it and all it started at once, as a crash would."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self.spec.after_end is not None:
            self.spec.after_end()

    def stop(self, seconds: float | None = None) -> int | None:
        """End it in order: SIGTERM, and SIGKILL when it takes too long; return its exit code."""
        if self._process is None:
            return None
        self.signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(self.spec.stop_seconds if seconds is None else seconds)
        self.kill()
        return self._process.returncode

    def restart(self) -> Self:
        """Stop it in order, start it and wait until it is ready."""
        self.stop()
        return self.start().wait_ready()

    def tail(self, lines: int = 10) -> str:
        """Return the end of what it has said since its last start."""
        return tail(self.spec.log, lines, since=self._log_start)

    def _ended(self, what: str) -> str:
        return f"{self.spec.name} {what}. The end of {self.spec.log}:\n{self.tail()}"


def tail(file: Path, lines: int = 10, since: int = 0) -> str:
    """Return the last lines of a text file, none from before the byte `since`; "" when there is no file."""
    try:
        with file.open("rb") as handle:
            handle.seek(max(since, handle.seek(0, os.SEEK_END) - _TAIL_BYTES))
            text = handle.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
