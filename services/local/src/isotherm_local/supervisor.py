"""Keeps the processes of the stack running and ends them together."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from isotherm_local.errors import ProcessFailed, StoppedBySignal
from isotherm_local.process import ManagedProcess, ProcessSpec
from isotherm_local.restart import RestartPolicy, RestartState, describe_exit, is_final

if TYPE_CHECKING:
    from collections.abc import Callable

    from isotherm_common.shutdown import Shutdown

TICK_SECONDS = 0.2
_TAIL_LINES = 8


@dataclass
class _Child:
    process: ManagedProcess
    state: RestartState = field(default_factory=RestartState)
    restart_at: float | None = None


class Supervisor:
    """Starts processes in order, restarts those that die and stops all of them in reverse order.

    Everything happens in the thread that calls it: see `ManagedProcess.start`.
    """

    def __init__(self, say: Callable[[str], None], shutdown: Shutdown, policy: RestartPolicy | None = None) -> None:
        self._say = say
        self._shutdown = shutdown
        self._policy = policy or RestartPolicy()
        self._children: list[_Child] = []

    def start(self, spec: ProcessSpec) -> ManagedProcess:
        """Start a process that is to stay; it is not waited for."""
        child = _Child(ManagedProcess(spec))
        self._children.append(child)
        return child.process.start()

    def wait_ready(self, process: ManagedProcess) -> None:
        """Wait until a process that was just started is ready.

        Raises:
            ProcessFailed: it ended or took too long.
            StoppedBySignal: the person asked to stop.
        """
        process.wait_ready(stopping=lambda: self._shutdown.requested)

    def run(self, spec: ProcessSpec) -> None:
        """Run a process to its end.

        Raises:
            ProcessFailed: it ended with an exit code other than 0, or took too long.
            StoppedBySignal: the person asked to stop.
        """
        process = ManagedProcess(spec).start()
        try:
            deadline = time.monotonic() + spec.ready_seconds
            while process.running and time.monotonic() < deadline:
                if self._shutdown.wait(TICK_SECONDS / 4):
                    message = f"Stopped while {spec.name} ran."
                    raise StoppedBySignal(message)
            if process.exit_code != 0:
                how = "took too long" if process.running else describe_exit(process.exit_code or 0)
                message = f"{spec.name} {how}. The end of {spec.log}:\n{process.tail(_TAIL_LINES)}"
                raise ProcessFailed(message)
        finally:
            process.stop()

    def watch(self, on_tick: Callable[[], None]) -> None:
        """Keep everything running until a shutdown is requested.

        Raises:
            ProcessFailed: a process ended in a way that starting it again cannot help.
        """
        while not self._shutdown.wait(TICK_SECONDS):
            self.tick(time.monotonic())
            on_tick()

    def tick(self, now: float) -> None:
        """See to every process once."""
        for child in self._children:
            self._see_to(child, now)

    @property
    def restarts(self) -> int:
        """How often a process had to be started again."""
        return sum(child.state.total for child in self._children)

    def process(self, name: str) -> ManagedProcess:
        """Return the process called `name`."""
        return next(child.process for child in self._children if child.process.spec.name == name)

    def stop_all(self) -> None:
        """Stop everything in reverse order; what is left after an interruption is killed."""
        try:
            while self._children:
                self._children[-1].process.stop()
                self._children.pop()
        finally:
            for child in reversed(self._children):
                with contextlib.suppress(OSError):
                    child.process.kill()
            self._children.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_all()

    def _see_to(self, child: _Child, now: float) -> None:
        process, name = child.process, child.process.spec.name
        if process.running:
            return
        if child.restart_at is None:
            how = describe_exit(process.exit_code or 0)
            text = f"{name} {how}. The end of {process.spec.log}:\n{process.tail(_TAIL_LINES)}"
            if is_final(process.exit_code or 0):
                raise ProcessFailed(text)
            child.state, wait_seconds = child.state.died(now - process.started_at, self._policy)
            child.restart_at = now + wait_seconds
            self._say(f"{text}\nStarting {name} again in {wait_seconds:g} s.")
        elif now >= child.restart_at:
            child.restart_at = None
            process.start()
