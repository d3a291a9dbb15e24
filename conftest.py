"""What holds for every test."""

from __future__ import annotations

import hypothesis

# A slow machine is no failure: timings belong in `make bench`.
hypothesis.settings.register_profile("isotherm", deadline=None)
hypothesis.settings.load_profile("isotherm")
