"""Retrying transient errors with exponential backoff and full jitter, interrupted by a shutdown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import structlog
import tenacity

if TYPE_CHECKING:
    from collections.abc import Callable

    from isotherm_common.shutdown import Shutdown

T = TypeVar("T")


class ShutdownDuringRetry(Exception):  # noqa: N818 - not an error: the process was asked to end
    """The process was asked to end before the call succeeded; the last error is its cause."""


@dataclass(frozen=True)
class RetryPolicy:
    """When to try again.

    Attributes:
        initial_seconds: upper bound of the first wait; it doubles with each attempt.
        maximum_seconds: upper bound of every wait. Waits are drawn evenly from nought to the bound, so that many
            clients of a server that comes back do not arrive together.
        give_up_after_seconds: after this long the last error is raised; None: never.
    """

    initial_seconds: float = 0.2
    maximum_seconds: float = 15.0
    give_up_after_seconds: float | None = None


def retry(
    call: Callable[[], T],
    *,
    transient: Callable[[BaseException], bool],
    shutdown: Shutdown,
    doing: str,
    policy: RetryPolicy | None = None,
    on_retry: Callable[[BaseException], None] | None = None,
) -> T:
    """Call until it succeeds.

    Args:
        call: what to do.
        transient: whether an error may pass by itself; any other is raised at once.
        shutdown: ends the waiting.
        doing: what is being done, for the log.
        policy: the waits; `RetryPolicy()` when not given.
        on_retry: told of every error that is retried (to count it).

    Raises:
        ShutdownDuringRetry: the process was asked to end.
    """
    policy = policy or RetryPolicy()
    log = structlog.get_logger()

    def before_sleep(state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if error is not None and on_retry is not None:
            on_retry(error)
        wait = state.next_action.sleep if state.next_action else 0.0
        log.warning(
            "retrying", doing=doing, attempt=state.attempt_number, wait_seconds=round(wait, 3), error=str(error)
        )

    stop: list[tenacity.stop.stop_base] = [tenacity.stop_when_event_set(shutdown.event)]
    if policy.give_up_after_seconds is not None:
        stop.append(tenacity.stop_after_delay(policy.give_up_after_seconds))
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(transient),
        wait=tenacity.wait_random_exponential(multiplier=policy.initial_seconds, max=policy.maximum_seconds),
        stop=tenacity.stop_any(*stop),
        sleep=tenacity.sleep_using_event(shutdown.event),
        before_sleep=before_sleep,
        reraise=True,
    )
    try:
        return retrying(call)
    except Exception as error:
        if shutdown.requested and transient(error):
            raise ShutdownDuringRetry(doing) from error
        raise
