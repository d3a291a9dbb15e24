"""Says of each batch where it comes from and when it left: in the log at debug, and as a span."""

from __future__ import annotations

import contextlib
import time
from logging import DEBUG, getLogger
from typing import TYPE_CHECKING

import structlog

from isotherm_common.tracing import OFF, Identity, of_batch, of_run
from isotherm_web.origins import origins

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isotherm_common.tracing import Tracing
    from isotherm_web.assembly import Batch

MOST_CAUSES = 64
"""A span has that many links at most: what is merged while nothing leaves may be much."""


class Telling:
    """Follows batches from the change stream to the browsers; does nothing where nobody listens."""

    def __init__(self, tracing: Tracing = OFF, database: str = "") -> None:
        """Prepare.

        Args:
            tracing: makes the spans.
            database: in which the fetcher's runs are numbered.
        """
        self._tracing = tracing
        self._database = database
        self._batches: list[tuple[str, int]] = []
        self._causes: dict[Identity, None] = {}
        self._began = 0.0

    def applied(self, stream: str, batch: Batch) -> None:
        """Say that a batch is in the map and waits for the next delta."""
        if not (self._tracing.enabled or getLogger().isEnabledFor(DEBUG)):
            return
        found = origins(batch)
        structlog.get_logger().debug(
            "batch_applied", seq=batch.seq, gtids=sorted(found.gtids), run_ids=sorted(found.run_ids)
        )
        if not self._batches:
            self._began = time.time()
        self._batches.append((stream, batch.seq))
        for run_id in sorted(found.run_ids):
            self._causes[of_run(self._database, run_id)] = None

    @contextlib.contextmanager
    def broadcast(self, clients: int) -> Iterator[None]:
        """Say that what has been applied leaves within the block."""
        if not self._batches:
            yield
            return
        batches, causes, self._batches, self._causes = self._batches, self._causes, [], {}
        first, last = batches[0], batches[-1]
        earlier = [of_batch(stream, seq) for stream, seq in batches[:-1]]
        with self._tracing.span(
            "broadcast",
            within=of_batch(*last),
            because_of=[*causes, *earlier][:MOST_CAUSES],
            began=self._began,
            seq=last[1],
            batches=len(batches),
            clients=clients,
        ):
            yield
        structlog.get_logger().debug("broadcast", first_seq=first[1], seq=last[1], clients=clients)
