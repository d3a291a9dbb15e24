"""What a run did so far: the values of its row in the table of runs (contract S6)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from isotherm_fetcher.quota import Ledger

if TYPE_CHECKING:
    from isotherm_fetcher.rows import Source

Outcome = Literal["running", "done", "partial", "quota", "failed", "died"]

LATENCY_BOUNDS_SECONDS: tuple[str, ...] = ("0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30", "+Inf")
_ERROR_LENGTH = 1000
_REASONS_KEPT = 8


@dataclass
class Progress:
    """What a run did so far.

    Attributes:
        asked: points of the parts that are over, one way or the other.
        stored: those of them that are stored.
        failed: those of them that are not.
        rejected: values that were not plausible.
        source: who answered.
        blocked_until: Unix seconds until when the upstream refuses to answer.
        upstream_status: requests by status.
        latency_counts: requests by the bucket of their duration, not cumulative.
        latency_sum_seconds: how long all requests took.
        weight_by_minute: what was spent.
        reasons: of failures, the first few.
    """

    asked: int = 0
    stored: int = 0
    failed: int = 0
    rejected: int = 0
    source: Source | None = None
    blocked_until: float | None = None
    upstream_status: dict[str, int] = field(default_factory=dict)
    latency_counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LATENCY_BOUNDS_SECONDS, 0))
    latency_sum_seconds: float = 0.0
    weight_by_minute: Ledger = field(default_factory=Ledger)
    reasons: list[str] = field(default_factory=list)

    def request_took(self, status: str, seconds: float) -> None:
        """Count a request."""
        self.upstream_status[status] = self.upstream_status.get(status, 0) + 1
        self.latency_sum_seconds += seconds
        bound = next(bound for bound in LATENCY_BOUNDS_SECONDS if seconds <= float(bound))
        self.latency_counts[bound] += 1

    def because(self, reason: str) -> None:
        """Keep a reason, once, while there are few."""
        if reason not in self.reasons and len(self.reasons) < _REASONS_KEPT:
            self.reasons.append(reason)

    @property
    def error(self) -> str | None:
        """The reasons in the length that the table has room for."""
        return "; ".join(self.reasons)[:_ERROR_LENGTH] or None

    def latency_buckets(self) -> dict[str, int]:
        """Return the cumulative buckets, as Prometheus has them."""
        total, buckets = 0, {}
        for bound in LATENCY_BOUNDS_SECONDS:
            total += self.latency_counts[bound]
            buckets[bound] = total
        return buckets
