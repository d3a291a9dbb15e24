"""The reader with a point at which it kills itself: `CRASH_AT` names it, `CRASH_AFTER` says at which time that it is reached.

Run as `python -m cdc_support.crashing` in place of the reader's own entry point.
"""

from __future__ import annotations

import os
import signal
import sys

import isotherm_cdc.__main__
from chaos.cdc import failpoints


def main() -> int:
    """Run the reader until it ends, one way or the other."""
    name, left = os.environ["CRASH_AT"], int(os.environ.get("CRASH_AFTER", "1"))

    def reached(point: failpoints.Point) -> None:
        nonlocal left
        if point.name == name:
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

    failpoints.install(reached)
    return isotherm_cdc.__main__.main([])


if __name__ == "__main__":
    sys.exit(main())
