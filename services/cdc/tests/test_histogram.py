"""The histogram that takes many values at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from isotherm_cdc.histogram import BulkHistogram

BUCKETS = (0.001, 0.5, 2.0)


@given(st.lists(st.integers(0, 5).map(lambda number: number / 2)))
def test_many_at_once_are_like_one_by_one(values: list[float]) -> None:
    """What is exposed is what the library's own histogram exposes, bounds included."""
    many, each = CollectorRegistry(), CollectorRegistry()
    BulkHistogram("h", "help", buckets=BUCKETS, registry=many).observe_all(values)
    single = Histogram("h", "help", buckets=BUCKETS, registry=each)
    for value in values:
        single.observe(value)

    def told(registry: CollectorRegistry) -> list[bytes]:
        return [line for line in generate_latest(registry).splitlines() if b"_created" not in line]

    assert told(many) == told(each)
