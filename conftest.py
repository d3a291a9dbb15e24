"""What holds for every test."""

from __future__ import annotations

import asyncio

import hypothesis

# A slow machine is no failure: timings belong in `make bench`.
hypothesis.settings.register_profile("isotherm", deadline=None)
hypothesis.settings.load_profile("isotherm")

# Asking for the current event loop before there is any makes one that nobody closes; now there is none to be had.
asyncio.set_event_loop(None)
