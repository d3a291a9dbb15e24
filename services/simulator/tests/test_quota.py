from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isotherm_simulator.errors import LimitExceededError
from isotherm_simulator.quota import DAILY, HOURLY, MINUTELY, TOO_MANY_AT_ONCE, Concurrency, Quota

MIDNIGHT = 20_781 * 86400.0


def refused(quota: Quota, now: float, client: str = "a") -> str | None:
    try:
        quota.check(client, now)
    except LimitExceededError as error:
        return str(error)
    return None


def test_a_request_is_let_in_until_the_limit_is_spent() -> None:
    """The last one may go over it."""
    quota = Quota()
    quota.spend("a", 599, MIDNIGHT)
    assert refused(quota, MIDNIGHT) is None
    quota.spend("a", 500, MIDNIGHT)
    assert refused(quota, MIDNIGHT) == "Minutely API request limit exceeded. Please try again in one minute."
    assert refused(quota, MIDNIGHT, client="b") is None


@pytest.mark.parametrize(
    ("window", "reason"),
    [
        (MINUTELY, "Minutely API request limit exceeded. Please try again in one minute."),
        (HOURLY, "Hourly API request limit exceeded. Please try again in the next hour."),
        (DAILY, "Daily API request limit exceeded. Please try again tomorrow."),
    ],
)
def test_windows_clear_on_the_clock(window: object, reason: str) -> None:
    """Not so long after the first request, but at the next full minute, hour or UTC day."""
    assert window in (MINUTELY, HOURLY, DAILY)
    only = next(one for one in (MINUTELY, HOURLY, DAILY) if one == window)
    quota = Quota((only,))
    late = MIDNIGHT + only.seconds - 1
    quota.spend("a", only.limit, late)
    assert refused(quota, late + 0.9) == reason
    assert refused(quota, late + 1) is None


def test_the_shortest_window_speaks_first() -> None:
    """A client that is over several limits hears of the minute."""
    quota = Quota()
    quota.spend("a", 20_000, MIDNIGHT)
    assert refused(quota, MIDNIGHT) == MINUTELY.reason
    assert refused(quota, MIDNIGHT + 60) == HOURLY.reason
    assert refused(quota, MIDNIGHT + 3600) == DAILY.reason
    assert refused(quota, MIDNIGHT + 86400) is None


@given(st.lists(st.tuples(st.floats(0, 300), st.integers(0, 200)), max_size=60))
@settings(deadline=None)
def test_no_window_lets_in_more_than_its_limit_and_one_request(steps: list[tuple[float, int]]) -> None:
    """Whatever the order of requests: a minute's weight is below 600 before its last request."""
    quota, now, by_minute = Quota((MINUTELY,)), MIDNIGHT, dict[int, list[int]]()
    for wait, weight in steps:
        now += wait
        if refused(quota, now) is None:
            quota.spend("a", weight, now)
            by_minute.setdefault(int(now // 60), []).append(weight)
    assert all(sum(weights[:-1]) < 600 for weights in by_minute.values())


def test_too_many_at_once_are_refused() -> None:
    """Each client has its own count, which falls when a request ends."""
    concurrency = Concurrency(most=2)
    concurrency.enter("a")
    concurrency.enter("a")
    with pytest.raises(LimitExceededError, match=TOO_MANY_AT_ONCE):
        concurrency.enter("a")
    concurrency.enter("b")
    concurrency.leave("a")
    concurrency.enter("a")
