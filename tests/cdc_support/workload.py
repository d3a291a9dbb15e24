"""Changing MySQL all the while a test does something else."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

import pymysql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from isotherm_local.harness import Pipeline


@contextlib.contextmanager
def changing(
    stack: Pipeline, change: Callable[[Any], None], *, pause_seconds: float, through_faults: bool = False
) -> Iterator[Callable[[], int]]:
    """Make changes in a thread until the block ends.

    Args:
        stack: whose MySQL.
        change: makes one, given a cursor.
        pause_seconds: between two.
        through_faults: connect anew when a change fails, and do not count it, rather than fail with it.

    Yields:
        How many there were so far.
    """
    done = threading.Event()
    count = 0
    failure: BaseException | None = None

    def connected() -> None:
        nonlocal count
        with contextlib.closing(stack.mysql()) as connection, connection.cursor() as cursor:
            while not done.wait(pause_seconds):
                change(cursor)
                count += 1

    def work() -> None:
        nonlocal failure
        while not done.wait(pause_seconds):
            try:
                connected()
            except (pymysql.err.MySQLError, OSError) as error:
                if not through_faults:
                    failure = error
                    return

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield lambda: count
    finally:
        done.set()
        thread.join()
    if failure is not None:
        raise failure


def more(stack: Pipeline, count: Callable[[], int], changes: int) -> None:
    """Wait until there were so many more changes."""
    target = count() + changes
    stack.until(lambda: count() >= target, 60, "the workload")
