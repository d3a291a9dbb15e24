"""`make up`: everything from nothing to a live map, and back to nothing at the end."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from isotherm_common.shutdown import Shutdown
from isotherm_local import databases, discovery, filling, lock, ports, source, web_probe
from isotherm_local.errors import BackendUnavailable, StoppedBySignal
from isotherm_local.progress import Progress
from isotherm_local.stack import Ports, Stack
from isotherm_local.supervisor import Supervisor

if TYPE_CHECKING:
    from types import FrameType

    from isotherm_local.databases import Layout
    from isotherm_local.options import Options, Source
    from isotherm_local.terminal import Terminal

_LOOK_SECONDS = 1.0
_LOOK_WHEN_FULL_SECONDS = 30.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def up(options: Options, layout: Layout, terminal: Terminal) -> None:
    """Run Isotherm until a signal.

    Raises:
        ServiceError: it cannot run; the message says why.
    """
    shutdown = stop_on_signals()
    with lock.exclusive(layout.data):
        try:
            with Supervisor(terminal.line, shutdown) as supervisor:
                stack = _start(options, layout, terminal, supervisor)
                _watch(stack, terminal, supervisor)
                terminal.line("Stopping …")
        except StoppedBySignal:
            pass
        terminal.line("Everything has stopped. The data stay; the next `make up` continues with them.")


def databases_only(layout: Layout, terminal: Terminal) -> None:
    """Run only the two databases until a signal, for work on a service by hand."""
    shutdown = stop_on_signals()
    with lock.exclusive(layout.data), Supervisor(terminal.line, shutdown) as supervisor:
        prepared = databases.prepare(layout, _machine(), terminal.line)
        for process in [supervisor.start(prepared.mysql.spec), supervisor.start(prepared.mongodb.spec)]:
            supervisor.wait_ready(process)
        terminal.line(f"MySQL: root@127.0.0.1:{prepared.mysql.port}, password in {prepared.mysql.password_file}")
        terminal.line(f"MongoDB: {prepared.mongodb.uri}")
        supervisor.watch(lambda: None)


def stop_on_signals() -> Shutdown:
    """Return a shutdown that Ctrl-C, SIGTERM and the end of the terminal request; a second signal ends at once."""
    shutdown = Shutdown()

    def handle(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        shutdown.request()

    for number in SIGNALS:
        signal.signal(number, handle)
    return shutdown


def _machine() -> discovery.Machine:
    machine = discovery.look()
    if machine.problem:
        raise BackendUnavailable(machine.problem)
    return machine


def _start(options: Options, layout: Layout, terminal: Terminal, supervisor: Supervisor) -> Stack:
    page = Ports(page=options.port)
    ports.require_free(page.purposes(options.source or "simulator"))
    machine = _machine()
    with ThreadPoolExecutor(max_workers=1) as pool:
        chosen = pool.submit(_choose_source, options)
        prepared = databases.prepare(layout, machine, terminal.line)
        starting = [supervisor.start(prepared.mysql.spec), supervisor.start(prepared.mongodb.spec)]
        weather, reason = chosen.result()
    terminal.line(f"MySQL:   {prepared.mysql.title}")
    terminal.line(f"MongoDB: {prepared.mongodb.title}")
    terminal.line(f"Weather: {weather}{reason}")
    stack = Stack(layout, prepared, weather, options, page)
    # Both are started in the main thread (see `ManagedProcess.start`), so they start side by side all the same.
    for process in starting:
        supervisor.wait_ready(process)
    for spec in stack.setup():
        supervisor.run(spec)
    for spec in stack.services():
        supervisor.start(spec)
    return stack


def _choose_source(options: Options) -> tuple[Source, str]:
    if options.source is not None:
        return options.source, ""
    problem = source.open_meteo_problem()
    if problem is None:
        return "open-meteo", ""
    return "simulator", f" (Open-Meteo cannot be reached: {problem})"


def _watch(stack: Stack, terminal: Terminal, supervisor: Supervisor) -> None:
    progress = Progress(time.monotonic() - terminal.seconds)
    next_look = 0.0
    said_url = False

    def look() -> None:
        nonlocal next_look, said_url
        now = time.monotonic()
        if now < next_look:
            return
        if not said_url and web_probe.answers(stack.ports.page):
            said_url = True
            terminal.line(f"\n  {stack.url}\n\nCtrl-C stops everything. Logs: {stack.layout.logs}")
        next_look = now + (_LOOK_WHEN_FULL_SECONDS if progress.full else _LOOK_SECONDS)
        message = progress.see(now, time.time(), filling.read_grid(stack), supervisor.restarts)
        if message is not None:
            (terminal.status if message.is_status else terminal.line)(message.text)

    supervisor.watch(look)
