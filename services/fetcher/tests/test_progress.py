from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from isotherm_fetcher.progress import LATENCY_BOUNDS_SECONDS, Progress


@given(st.lists(st.tuples(st.sampled_from(["200", "429", "error"]), st.floats(0, 100)), max_size=30))
def test_latencies_are_counted_cumulatively(requests: list[tuple[str, float]]) -> None:
    """As Prometheus has them: each bucket holds all that were as quick or quicker, the last holds all."""
    progress = Progress()
    for status, seconds in requests:
        progress.request_took(status, seconds)
    buckets = progress.latency_buckets()
    assert list(buckets) == list(LATENCY_BOUNDS_SECONDS)
    for bound, count in buckets.items():
        assert count == sum(seconds <= float(bound) for _, seconds in requests)
    assert sum(progress.upstream_status.values()) == buckets["+Inf"] == len(requests)


def test_reasons_are_kept_once_and_fit_the_column() -> None:
    """Six hundred locations that fail alike need one sentence."""
    progress = Progress()
    assert progress.error is None
    for number in range(600):
        progress.because("the same")
        progress.because(f"{number} " + "x" * 300)
    assert progress.error is not None
    assert progress.error.startswith("the same; 0 x")
    assert len(progress.error) == 1000
