"""The simulator's metrics."""

from __future__ import annotations

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, Info


class Metrics:
    """What is counted.

    Args:
        registry: where the metrics are registered.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.registry = registry
        self.requests = Counter(
            "isotherm_simulator_requests", "Forecast requests answered, by HTTP status.", ["status"], registry=registry
        )
        self.locations = Counter(
            "isotherm_simulator_locations", "Locations whose weather was answered.", registry=registry
        )
        self.faults = Counter("isotherm_simulator_faults", "Faults injected, by kind.", ["kind"], registry=registry)
        self.seconds = Histogram(
            "isotherm_simulator_answer_seconds",
            "Time to compute and write an answer.",
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
            registry=registry,
        )
        self.build = Info("isotherm_simulator_build", "The version that runs.", registry=registry)
