"""`python -m chaos.cdc`: kills for as long as told, on servers of its own.

Settings: `KILLS` or `MINUTES` (1,000 kills when neither is given), `CHAOS_SEED` (of the clock when not given).
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from chaos.cdc.run import TESTS, Chaos, Report
from isotherm_local.databases import Layout
from isotherm_local.harness import Servers

DEFAULT_KILLS = 1000
REPORT_EVERY_SECONDS = 60.0


def main() -> int:
    """Run; the exit code is 1 when something did not hold."""
    seed = os.environ.get("CHAOS_SEED") or str(time.time_ns() % 10**9)
    minutes = float(os.environ.get("MINUTES") or 0)
    kills = int(os.environ.get("KILLS") or (0 if minutes else DEFAULT_KILLS))
    verbose = bool(os.environ.get("CHAOS_VERBOSE"))
    print(f"CHAOS_SEED={seed}", flush=True)
    started = said = time.monotonic()

    def enough(report: Report) -> bool:
        nonlocal said
        if time.monotonic() - said > REPORT_EVERY_SECONDS:
            said = time.monotonic()
            print(
                f"{said - started:6.0f} s  {report.kills.total()} kills, {report.quiet_points} comparisons", flush=True
            )
        if minutes and time.monotonic() - started > minutes * 60:
            return True
        return bool(kills) and report.kills.total() >= kills

    with tempfile.TemporaryDirectory(prefix="isotherm-chaos-") as folder:
        layout = Layout(data=Path(folder), cache=TESTS.parent / ".cache")
        with Servers.running(layout) as servers, servers.weather() as stack:
            chaos = Chaos(stack, seed, say=(lambda text: print(text, flush=True)) if verbose else lambda _: None)
            report = chaos.run(enough)
    print(report.text())
    if complaints := report.complaints():
        print("\n".join(complaints))
        return 1
    print("nothing was lost, nothing was written twice")
    return 0


if __name__ == "__main__":
    sys.exit(main())
