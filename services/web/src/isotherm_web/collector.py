"""Keeps the garbage collector's pauses short: it would stop the one event loop while it looks at every client."""

from __future__ import annotations

import gc

_YOUNG_OBJECTS, _MIDDLE_ROUNDS, _OLD_ROUNDS = 20_000, 20, 20


def calm_the_collector() -> None:
    """Leave what is there for good out of every collection, and collect the rest less often.

    What a client leaves behind is freed by counting references; collections are for the cycles of libraries. A young one
    every 20,000 objects takes a few milliseconds; the old ones, which see all clients, come every few million.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, _MIDDLE_ROUNDS, _OLD_ROUNDS)
