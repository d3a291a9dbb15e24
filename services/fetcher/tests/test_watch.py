from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isotherm_common.process import ConfigurationError
from isotherm_common.shutdown import Shutdown
from isotherm_fetcher.errors import QuotaExhausted, RunFailed
from isotherm_fetcher.watch import duration, next_round, watch

if TYPE_CHECKING:
    from collections.abc import Iterable

NOON = 1_795_521_600.0


class VirtualShutdown(Shutdown):
    """Waiting moves the clock."""

    def __init__(self, now: float) -> None:
        super().__init__()
        self.now = now

    def wait(self, seconds: float | None = None) -> bool:
        assert seconds is not None
        self.now += seconds
        return self.requested


def started_at(outcomes: Iterable[Exception | None], start: float = NOON + 100) -> list[float]:
    """Return when each run started, in seconds since noon; the process is asked to end after the last."""
    shutdown = VirtualShutdown(start)
    times: list[float] = []
    left = list(outcomes)

    def once() -> None:
        times.append(shutdown.now - NOON)
        outcome = left.pop(0)
        if not left:
            shutdown.request()
        if outcome is not None:
            raise outcome

    watch(once, 600, shutdown, lambda: shutdown.now)
    return times


def test_the_first_run_is_at_once_and_the_others_on_the_clock() -> None:
    """As a CronJob of every ten minutes would have it."""
    assert started_at([None, None, None]) == [100, 600, 1200]


def test_a_failed_run_is_tried_again_sooner_and_then_less_and_less() -> None:
    """An upstream that starts a moment later is there soon; one that stays down is not asked without end."""
    down = RunFailed("down")
    assert started_at([down, down, down, None, down, None]) == [100, 115, 145, 205, 600, 615]


def test_a_spent_quota_waits_for_its_turn() -> None:
    """Asking sooner would only be refused."""
    assert started_at([QuotaExhausted("spent"), None]) == [100, 600]


def test_a_mistake_ends_the_loop() -> None:
    """What trying again cannot change stops loudly."""
    with pytest.raises(ConfigurationError):
        started_at([ConfigurationError("wrong"), None])


@given(st.floats(1e9, 2e9), st.integers(1, 86_400))
def test_the_next_round_is_ahead_and_near(now: float, interval: int) -> None:
    """Later than now, by an interval at most, on a multiple of it."""
    following = next_round(now, interval)
    assert now < following <= now + interval
    assert following % interval == 0


@pytest.mark.parametrize(("text", "seconds"), [("600", 600), ("90s", 90), ("10m", 600), ("1H", 3600), (" 5m ", 300)])
def test_durations_are_read(text: str, seconds: int) -> None:
    """Seconds, minutes and hours."""
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "10 m", "1.5h", "-1s", "0", "25h", "10d"])
def test_what_is_no_duration_is_told(text: str) -> None:
    """With an example of one."""
    with pytest.raises(ValueError, match="such as 10m"):
        duration(text)
