from __future__ import annotations

import threading

import pytest

from isotherm_common.retry import RetryPolicy, ShutdownDuringRetry, retry
from isotherm_common.shutdown import Shutdown

QUICK = RetryPolicy(initial_seconds=0.0001, maximum_seconds=0.0002)


def transient(error: BaseException) -> bool:
    return isinstance(error, ConnectionError)


def test_a_transient_error_is_retried_until_it_passes() -> None:
    """Each failure is told to the counter."""
    outcomes = iter([ConnectionError("1"), ConnectionError("2"), None])
    seen: list[str] = []

    def call() -> str:
        outcome = next(outcomes)
        if outcome:
            raise outcome
        return "done"

    result = retry(
        call,
        transient=transient,
        shutdown=Shutdown(),
        doing="a test",
        policy=QUICK,
        on_retry=lambda e: seen.append(str(e)),
    )
    assert result == "done"
    assert seen == ["1", "2"]


def test_a_permanent_error_is_raised_at_once() -> None:
    """Trying again would change nothing."""
    calls: list[int] = []

    def call() -> None:
        calls.append(1)
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - any ValueError is the one raised above
        retry(call, transient=transient, shutdown=Shutdown(), doing="a test", policy=QUICK)
    assert len(calls) == 1


@pytest.mark.contract("E5")
def test_a_shutdown_ends_the_waiting() -> None:
    """However long the wait would be, a signal ends it."""
    shutdown = Shutdown()

    def call() -> None:
        threading.Timer(0, shutdown.request).start()
        raise ConnectionError

    forever = RetryPolicy(initial_seconds=3600, maximum_seconds=3600)
    with pytest.raises(ShutdownDuringRetry):
        retry(call, transient=transient, shutdown=shutdown, doing="a test", policy=forever)


def test_giving_up_raises_the_last_error() -> None:
    """A bounded retry ends with the error itself, not with a wrapper."""

    def call() -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        retry(
            call,
            transient=transient,
            shutdown=Shutdown(),
            doing="a test",
            policy=RetryPolicy(initial_seconds=0.0001, give_up_after_seconds=0),
        )
