"""Processes start in order, are restarted, and end together."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

import pytest

from isotherm_common.shutdown import Shutdown
from isotherm_local.errors import ProcessFailed, StoppedBySignal
from isotherm_local.process import ManagedProcess, ProcessSpec
from isotherm_local.restart import RestartPolicy
from isotherm_local.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WAITS = "import signal; print('up', flush=True); signal.pause()"
STUBBORN = (
    "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('up', flush=True)\nwhile True: signal.pause()"
)


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., ProcessSpec]:
    """Makes the spec of a Python program; it is ready when it has said `up`."""

    def make(name: str, program: str, **details: float) -> ProcessSpec:
        log = tmp_path / f"{name}.log"
        ready = (lambda: b"up" in log.read_bytes()) if "up" in program else None
        return ProcessSpec(name, [sys.executable, "-c", program], tmp_path, ready=ready, **details)  # type: ignore[arg-type]

    return make


@pytest.fixture
def said() -> list[str]:
    """What the person at the terminal was told."""
    return []


@pytest.fixture
def supervisor(said: list[str]) -> Iterator[Supervisor]:
    """A supervisor whose restarts come at once when told a later time."""
    with Supervisor(said.append, Shutdown(), RestartPolicy(initial_seconds=5)) as running:
        yield running


def test_a_process_is_ready_when_it_says_so(script: Callable[..., ProcessSpec]) -> None:
    """And is stopped by SIGTERM."""
    process = ManagedProcess(script("a", WAITS)).start().wait_ready()
    assert process.running
    assert process.stop() == -signal.SIGTERM
    assert not process.running


def test_a_process_that_ignores_sigterm_is_killed(script: Callable[..., ProcessSpec]) -> None:
    """After the time that its spec gives it."""
    process = ManagedProcess(script("a", STUBBORN, stop_seconds=0.1)).start().wait_ready()
    assert process.stop() == -signal.SIGKILL


def test_a_process_that_ends_before_it_is_ready_is_an_error_with_its_log(script: Callable[..., ProcessSpec]) -> None:
    """The person sees why."""
    process = ManagedProcess(script("a", "import sys; sys.exit('no weather up here')")).start()
    process.wait(10)
    with pytest.raises(ProcessFailed, match=r"a ended before it was ready(.|\n)*no weather"):
        process.wait_ready()


def test_a_program_that_is_not_there_is_told_by_name(script: Callable[..., ProcessSpec], tmp_path: Path) -> None:
    """Its log has the sentence."""
    process = ManagedProcess(ProcessSpec("a", ["/nowhere/program"], tmp_path)).start()
    assert process.wait(10) == 1
    assert "/nowhere/program cannot be started" in process.tail()


def test_a_process_that_died_is_started_again_after_its_wait(
    script: Callable[..., ProcessSpec], supervisor: Supervisor, said: list[str]
) -> None:
    """Not before; the person is told with the end of its log."""
    process = supervisor.start(script("cdc", WAITS)).wait_ready()
    process.kill()
    now = process.started_at + 1
    supervisor.tick(now)
    assert "cdc was ended by signal 9" in said[0]
    assert said[0].endswith("Starting cdc again in 5 s.")
    supervisor.tick(now + 4.9)
    assert not process.running
    supervisor.tick(now + 5)
    assert process.running
    assert supervisor.restarts == 1
    assert len(said) == 1


def test_a_mistake_in_the_settings_ends_everything(script: Callable[..., ProcessSpec], supervisor: Supervisor) -> None:
    """Starting it again would change nothing."""
    process = supervisor.start(script("web", "import sys; print('PORT is wrong'); sys.exit(64)"))
    process.wait(10)
    with pytest.raises(ProcessFailed, match=r"web ended with exit code 64(.|\n)*PORT is wrong"):
        supervisor.tick(process.started_at + 1)


def test_all_are_stopped_the_last_first(script: Callable[..., ProcessSpec], tmp_path: Path) -> None:
    """A reader ends before what it reads from."""
    order = tmp_path / "order"
    program = (
        "import signal, sys\n"
        "def end(*_):\n open({order!r}, 'a').write({name!r}); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\nprint('up', flush=True)\nwhile True: signal.pause()"
    )
    with Supervisor(lambda _: None, Shutdown()) as supervisor:
        for name in "abc":
            supervisor.start(script(name, program.format(order=str(order), name=name))).wait_ready()
    assert order.read_text() == "cba"


def test_a_step_that_fails_is_an_error_with_its_log(script: Callable[..., ProcessSpec], supervisor: Supervisor) -> None:
    """A migration that fails ends the start."""
    with pytest.raises(ProcessFailed, match=r"migrate ended with exit code 1(.|\n)*no table"):
        supervisor.run(script("migrate", "import sys; sys.exit('no table')"))
    supervisor.run(script("migrate", "print('done')"))


def test_a_stop_asked_for_during_the_start_is_heard(script: Callable[..., ProcessSpec]) -> None:
    """Waiting ends at once, and what was started is stopped."""
    shutdown = Shutdown()
    with pytest.raises(StoppedBySignal), Supervisor(lambda _: None, shutdown) as supervisor:  # noqa: PT012 - both belong to it
        process = supervisor.start(script("slow", WAITS.replace("'up'", "''") + "; 'up'"))
        shutdown.request()
        supervisor.wait_ready(process)
    assert not process.running


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux alone ends a process with its parent")
def test_a_process_dies_with_a_killed_supervisor(script: Callable[..., ProcessSpec], tmp_path: Path) -> None:
    """Nothing stays behind even when the supervisor has no time to stop anything: the pipe closes with its holders."""
    program = (
        "import pathlib, sys\nfrom isotherm_local.process import *\n"
        "child = 'import os, sys, signal; os.write(1, b\"up\"); signal.pause()'\n"
        "spec = ProcessSpec('child', [sys.executable, '-c', child], pathlib.Path(sys.argv[1]),"
        " ready=lambda: b'up' in pathlib.Path(sys.argv[1], 'child.log').read_bytes())\n"
        "print(ManagedProcess(spec).start().wait_ready().pid, flush=True)\nsignal.pause()"
    )
    supervisor = ManagedProcess(
        ProcessSpec(
            "supervisor",
            [sys.executable, "-c", program, str(tmp_path)],
            tmp_path,
            ready=lambda: (tmp_path / "supervisor.log").read_text().strip().isdigit(),
        )
    )
    supervisor.start().wait_ready(20)
    child = int(supervisor.tail())
    supervisor.signal(signal.SIGKILL)
    supervisor.wait(10)
    assert _ends(child)


def _ends(pid: int) -> bool:
    """Whether the process ends within ten seconds: the kernel says when."""
    import os  # noqa: PLC0415 - pidfd_open is Linux's alone
    import select  # noqa: PLC0415

    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 10)[0])
    finally:
        os.close(descriptor)
