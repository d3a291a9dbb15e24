"""How many rows may fail."""

from __future__ import annotations

import pytest

from isotherm_cdc.engine.failures import FailureLimit
from isotherm_cdc.errors import TooManyFailures


def test_the_limit_counts_the_last_minute() -> None:
    """As many as the limit are let through; one more within a minute stops the pipeline, later it does not."""
    now = 0.0
    limit = FailureLimit(3, lambda: now)
    limit.count(2)
    now = 30.0
    limit.count(1)
    limit.count(0)
    now = 59.9
    with pytest.raises(TooManyFailures, match="4 rows failed within a minute, CDC_EVENT_FAILURE_LIMIT is 3"):
        limit.count(1)
    later = FailureLimit(3, lambda: now)
    later.count(3)
    now = 120.0
    later.count(3)


def test_a_limit_of_nought_lets_none_through() -> None:
    """Whoever wants to stop at the first one can."""
    limit = FailureLimit(0, lambda: 0.0)
    limit.count(0)
    with pytest.raises(TooManyFailures):
        limit.count(1)
