"""Keeps the garbage collector out of the way of a process that makes many objects and few cycles."""

from __future__ import annotations

import gc

_ROUNDS = 20


def collect_rarely(young_objects: int) -> None:
    """Leave what is there for good out of every collection, and collect the rest less often.

    What is not needed any more is freed by counting references; collections are for the cycles of libraries.

    Args:
        young_objects: how many new objects make a young collection due; every twentieth of those looks further, and every
            four-hundredth at everything.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(young_objects, _ROUNDS, _ROUNDS)
