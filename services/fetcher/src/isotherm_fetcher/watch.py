"""Run after run: at once, and then whenever the interval comes round on the clock, as a CronJob would.

After a run that failed for a passing reason the next is tried sooner, at first after some seconds, then after twice as
long each time: at a start of everything at once, the first answer must not wait for a whole interval, and an upstream
that stays down must not be asked without end.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import structlog

from isotherm_common.process import TryAgainLater
from isotherm_fetcher.errors import AnotherRunner, QuotaExhausted

if TYPE_CHECKING:
    from collections.abc import Callable

    from isotherm_common.shutdown import Shutdown

FIRST_RETRY_SECONDS = 15.0

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
_DURATION = re.compile(r"(\d+)([smh]?)")
_LONGEST_SECONDS = 86_400

log = structlog.get_logger()


def duration(text: str) -> int:
    """Read `600`, `90s`, `10m` or `1h` as seconds.

    Raises:
        ValueError: it is none of these, or not between a second and a day.
    """
    match = _DURATION.fullmatch(text.strip().lower())
    seconds = int(match[1]) * _UNITS[match[2]] if match else 0
    if not 1 <= seconds <= _LONGEST_SECONDS:
        message = f"{text!r} is no duration between 1s and 24h, such as 10m"
        raise ValueError(message)
    return seconds


def next_round(now: float, interval_seconds: float) -> float:
    """Return the next time that is a multiple of the interval since 1970, later than `now`."""
    return (now // interval_seconds + 1) * interval_seconds


def watch(
    once: Callable[[], object],
    interval_seconds: float,
    shutdown: Shutdown,
    clock: Callable[[], float] = time.time,
) -> None:
    """Call `once` until the process is asked to end.

    Args:
        once: one run; `TryAgainLater` is logged, any other error ends the loop.
        interval_seconds: from one run to the next.
        shutdown: ends the loop.
        clock: Unix seconds.
    """
    retry_seconds = FIRST_RETRY_SECONDS
    while not shutdown.requested:
        sooner = False
        try:
            once()
        except TryAgainLater as error:
            log.warning("run_to_be_tried_again", error=str(error))
            sooner = not isinstance(error, QuotaExhausted | AnotherRunner)
        now = clock()
        wait_seconds = next_round(now, interval_seconds) - now
        if sooner:
            wait_seconds = min(wait_seconds, retry_seconds)
        retry_seconds = retry_seconds * 2 if sooner else FIRST_RETRY_SECONDS
        log.debug("waiting_for_next_run", seconds=round(wait_seconds, 1))
        shutdown.wait(wait_seconds)
