"""Runs the threads of one pipeline and ends all of them when one fails.

They meet at one lock (`Shared.changed`). The first error that is not transient ends all.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from isotherm_cdc.engine.commands import Commander
from isotherm_cdc.engine.observing import Observer
from isotherm_cdc.engine.reading import Reader
from isotherm_cdc.engine.shared import Shared
from isotherm_cdc.engine.snapshotting import Snapshotter
from isotherm_cdc.engine.starting import begin
from isotherm_cdc.engine.writing import Writer
from isotherm_common.retry import ShutdownDuringRetry
from isotherm_common.tracing import OFF

if TYPE_CHECKING:
    from collections.abc import Callable

    from isotherm_cdc.settings import Settings
    from isotherm_cdc.sink.sink import Sink
    from isotherm_common.observability import Health
    from isotherm_common.process import ServiceError
    from isotherm_common.shutdown import Shutdown
    from isotherm_common.tracing import Tracing

BEAT_SECONDS = 0.5
ABANDON_SECONDS = 3.0
"""How long the batch under way may take when nothing more may be written."""


class Engine:
    """Runs one pipeline until it is told to stop or something fails for good."""

    def __init__(
        self, settings: Settings, sink: Sink, shutdown: Shutdown, health: Health, tracing: Tracing = OFF
    ) -> None:
        self._shared = Shared(settings, sink, shutdown, health, tracing)
        self._failure: BaseException | None = None

    def run(self) -> None:
        """Work until a shutdown is requested.

        Raises:
            ServiceError: it cannot go on.
        """
        shared = self._shared
        if not self._begun():
            self.raise_failure()
            return
        writer = self._thread("writer", Writer(shared).run)
        threads = [
            self._thread("reader", Reader(shared).run),
            writer,
            self._thread("snapshot", Snapshotter(shared).run),
            self._thread("commands", Commander(shared).run),
        ]
        for thread in threads:
            thread.start()
        observer = Observer(shared)
        while not shared.shutdown.wait(BEAT_SECONDS):
            if all(thread.is_alive() for thread in threads):
                shared.health.beat()
            observer.observe()
        shared.wake()
        writer.join(ABANDON_SECONDS if shared.abandoned else None)
        self.raise_failure()

    def _begun(self) -> bool:
        """Take over and begin; what this waits for may be away for long, and nobody is to end the process for that."""
        shared = self._shared
        begun = threading.Event()

        def start() -> None:
            begin(shared, shared.sink.take_over())
            begun.set()

        starting = self._thread("starting", start)
        starting.start()
        while starting.is_alive():
            shared.health.beat()
            starting.join(BEAT_SECONDS)
        return begun.is_set()

    def raise_failure(self) -> None:
        """Raise what has ended the work, if anything has."""
        if self._failure is not None:
            raise self._failure

    def abandon(self, error: ServiceError) -> None:
        """Stop writing at once; `run` then raises `error`."""
        self._failure = self._failure or error
        self._shared.abandoned = True
        self._shared.shutdown.request()
        self._shared.wake()

    def status(self) -> dict[str, Any]:
        """Return what `/status` answers."""
        shared = self._shared
        if not shared.sink.taken_over:
            return {"name": shared.settings.name, "unmet": shared.health.unmet()}
        checkpoint = shared.sink.checkpoint
        return {
            "name": checkpoint.name,
            "stream": checkpoint.stream,
            "term": checkpoint.term,
            **{key: value for key, value in checkpoint.fields().items() if key != "snapshot"},
            "checkpoint_age_seconds": round(time.monotonic() - shared.last_commit, 3),
            "lag_seconds": shared.lag_seconds(),
            "queued_bytes": shared.queued_bytes,
            "tables": sorted(shared.catalogue.tables),
            "paused": shared.paused,
            "snapshot_paused": shared.snapshot_paused,
            "snapshot": [table.to_document() for table in checkpoint.snapshot],
            "unmet": shared.health.unmet(),
        }

    def _thread(self, name: str, body: Callable[[], None]) -> threading.Thread:
        return threading.Thread(target=self._guard, args=(body,), name=name, daemon=True)

    def _guard(self, body: Callable[[], None]) -> None:
        try:
            body()
        except ShutdownDuringRetry:
            pass
        except BaseException as error:  # noqa: BLE001 - carried to the main thread
            self._failure = self._failure or error
            self._shared.shutdown.request()
            self._shared.wake()
