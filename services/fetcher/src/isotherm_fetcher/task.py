"""What a run is to do, whom it asks, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from isotherm_common.retry import RetryPolicy
from isotherm_fetcher.errors import QuotaExhausted, RunFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from isotherm_fetcher.open_meteo import Answer
    from isotherm_fetcher.planner import Policy
    from isotherm_fetcher.progress import Outcome
    from isotherm_fetcher.rows import Location, Place


class Upstream(Protocol):
    """Who is asked."""

    def fetch(self, locations: Sequence[Location]) -> Answer:
        """Ask for the weather of `locations`, in one request."""
        ...


@dataclass(frozen=True)
class Task:
    """What a run is to do.

    Attributes:
        region: the locations there should be.
        policy: what its plan obeys.
        simulated: whether simulated weather counts as data, and what the simulator was asked as spent.
        history_seconds: how long history is kept.
        runs_seconds: how long the record of runs is kept.
        runner_wait_seconds: how long to wait for the end of another run.
        retries: the waits between attempts.
    """

    region: tuple[Place, ...]
    policy: Policy
    simulated: bool
    history_seconds: float
    runs_seconds: float
    runner_wait_seconds: float = 2.0
    retries: RetryPolicy = field(default_factory=lambda: RetryPolicy(initial_seconds=1.0, maximum_seconds=20.0))


@dataclass(frozen=True)
class Result:
    """How a run ended.

    Attributes:
        outcome: as in the table.
        asked: points of the parts that are over.
        stored: those of them that are stored.
        failed: those of them that are not.
        error: why it is not done, in a sentence.
    """

    outcome: Outcome
    asked: int
    stored: int
    failed: int
    error: str | None

    def raise_for_outcome(self) -> None:
        """Raise what a run that should be tried again at the next schedule ends with.

        Raises:
            QuotaExhausted: an hour's or a day's quota is spent.
            RunFailed: nothing could be stored.
        """
        if self.outcome == "quota":
            message = f"The quota is spent: {self.error}. {self.stored} points were stored; the next run goes on."
            raise QuotaExhausted(message)
        if self.outcome == "failed":
            message = f"Nothing could be stored: {self.error}."
            raise RunFailed(message)
