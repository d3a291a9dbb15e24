"""One of several readers works, the others stand by: a lease says which (contract E8).

The lease is for liveness only. What keeps the data right when two readers believe that they hold it is the checkpoint's
term: the later one fences the earlier.

The rules are those of Kubernetes' own leader election. Clocks of two machines are never compared: a lease has expired when
it has not changed for its duration, as seen here. A holder that cannot renew it for the renew deadline, which is shorter,
stops before anybody may take over.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import structlog

from isotherm_cdc.errors import LeaseLost

if TYPE_CHECKING:
    from collections.abc import Callable

    from isotherm_common.observability import Health
    from isotherm_common.shutdown import Shutdown

CONDITION = "lease"


class LeaseUnavailable(Exception):  # noqa: N818 - it names the state
    """The lease cannot be read or written now."""


@dataclass(frozen=True)
class Lease:
    """What the lease says.

    Attributes:
        holder: who holds it; empty when nobody does.
        duration_seconds: how long it counts without being renewed.
        acquired_at: when its holder took it.
        renewed_at: when its holder renewed it last.
        transitions: how often the holder has changed.
        version: changes with every change of the lease; None before it exists.
    """

    holder: str
    duration_seconds: int
    acquired_at: datetime | None = None
    renewed_at: datetime | None = None
    transitions: int = 0
    version: str | None = None


class Leases(Protocol):
    """Where the lease is kept. A change succeeds only on the version that it was read in."""

    def read(self) -> Lease | None:
        """Return the lease, None when there is none yet.

        Raises:
            LeaseUnavailable: it cannot be told.
        """

    def write(self, lease: Lease) -> Lease | None:
        """Create it (without a version) or replace it; None when somebody else was faster.

        Raises:
            LeaseUnavailable: it cannot be told.
        """


@dataclass(frozen=True)
class Timing:
    """When a lease is renewed and when it is lost.

    Attributes:
        duration_seconds: how long it counts without being renewed: others wait as long.
        renew_deadline_seconds: how long its holder goes on without having renewed it.
        retry_seconds: from one attempt to the next.
    """

    duration_seconds: int = 15
    renew_deadline_seconds: float = 10.0
    retry_seconds: float = 2.0


class Leader:
    """Takes the lease, keeps it, gives it back."""

    def __init__(
        self,
        leases: Leases,
        identity: str,
        timing: Timing,
        shutdown: Shutdown,
        health: Health,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Prepare.

        Args:
            leases: where the lease is kept.
            identity: who this is; no two readers may have the same.
            timing: the times.
            shutdown: ends all waiting.
            health: is told whether the lease can be read: a standby is ready when it can.
            clock: the time that durations are measured by.
            now: the time that is written into the lease.
        """
        self.identity = identity
        self.leading = False
        self.holder = ""
        self._leases = leases
        self._timing = timing
        self._shutdown = shutdown
        self._health = health
        self._clock = clock
        self._now = now
        self._seen: Lease | None = None
        self._seen_at = clock()
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()

    def acquire(self, wait: Callable[[float], bool] | None = None) -> bool:
        """Wait for the lease; answer whether it is held (not when the process is to end).

        Args:
            wait: waits so many seconds, and answers whether the process is to end.
        """
        wait = wait or self._shutdown.wait
        while not self._shutdown.requested:
            self._health.beat()
            try:
                self.leading = self._try()
                self._health.ready(CONDITION)
            except LeaseUnavailable as error:
                self._health.not_ready(CONDITION, str(error))
                structlog.get_logger().warning("lease_unavailable", error=str(error))
            if self.leading:
                structlog.get_logger().info("lease_acquired", identity=self.identity)
                return True
            if wait(self._timing.retry_seconds):
                break
        return False

    def keep(self, wait: Callable[[float], bool] | None = None) -> None:
        """Renew the lease until the process is to end.

        Args:
            wait: waits so many seconds, and answers whether to end.

        Raises:
            LeaseLost: somebody else holds it, or it could not be renewed in time.
        """
        wait = wait or self._stopped.wait
        renewed_at = self._clock()
        reason = ""
        while not wait(self._timing.retry_seconds):
            try:
                if self._try():
                    renewed_at = self._clock()
                    self._health.ready(CONDITION)
                    continue
                reason = f"{self.holder or 'nobody'} holds it"
            except LeaseUnavailable as error:
                reason = str(error)
                structlog.get_logger().warning("lease_not_renewed", error=reason)
            taken = self.holder != self.identity
            if taken or self._clock() - renewed_at >= self._timing.renew_deadline_seconds:
                self.leading = False
                self._health.not_ready(CONDITION, reason)
                message = f"The lease is lost ({reason}): this reader stops, another one takes over."
                raise LeaseLost(message)

    def start(self, on_lost: Callable[[LeaseLost], None]) -> None:
        """Keep the lease in a thread of its own; `on_lost` is called when that fails."""

        def body() -> None:
            try:
                self.keep()
            except LeaseLost as error:
                on_lost(error)

        self._thread = threading.Thread(target=body, name="lease", daemon=True)
        self._thread.start()

    def release(self) -> None:
        """Stop renewing and give the lease back, so that nobody has to wait until it expires."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(self._timing.retry_seconds)
        seen = self._seen
        if not self.leading or seen is None:
            return
        self.leading = False
        try:
            self._leases.write(replace(seen, holder="", duration_seconds=1, renewed_at=self._now()))
        except LeaseUnavailable as error:
            structlog.get_logger().warning("lease_not_released", error=str(error))

    def _try(self) -> bool:
        """Take or renew the lease if it may be; answer whether it is held."""
        found = self._leases.read()
        if found is None:
            return self._take(Lease("", self._timing.duration_seconds))
        if self._seen is None or found.version != self._seen.version:
            self._seen, self._seen_at = found, self._clock()
        self.holder = found.holder
        if found.holder == self.identity:
            return self._take(found)
        if not found.holder or self._clock() - self._seen_at >= found.duration_seconds:
            return self._take(found)
        return False

    def _take(self, found: Lease) -> bool:
        now = self._now()
        renewing = found.holder == self.identity
        written = self._leases.write(
            replace(
                found,
                holder=self.identity,
                duration_seconds=self._timing.duration_seconds,
                acquired_at=found.acquired_at if renewing else now,
                renewed_at=now,
                transitions=found.transitions + (not renewing and found.version is not None),
            )
        )
        if written is None:
            return False
        self._seen, self._seen_at, self.holder = written, self._clock(), self.identity
        return True
