"""What holds for every test."""

from __future__ import annotations

import asyncio

import hypothesis

# A slow machine is no failure: timings belong in `make bench`. And what a change is judged by is the same for every run of it:
# `make explore` is what looks for examples that nobody has tried.
hypothesis.settings.register_profile("isotherm", deadline=None, derandomize=True)
hypothesis.settings.register_profile("explore", deadline=None, derandomize=False, print_blob=True)
hypothesis.settings.load_profile("isotherm")

# Asking for the current event loop before there is any makes one that nobody closes; now there is none to be had.
asyncio.set_event_loop(None)
