#!/usr/bin/env python3
"""Generates the dashboards, the rules, and the pages of the documentation that list what the code has.

`ci/observability/generate.py` writes them; `ci/observability/generate.py --check` fails when one is out of date.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(__file__).parent))

import catalogue  # noqa: E402 - found only now
import cdc_dashboard  # noqa: E402
import configuration  # noqa: E402
import databases_dashboard  # noqa: E402
import fetcher_dashboard  # noqa: E402
import log_events  # noqa: E402
import pipeline_dashboard  # noqa: E402
import rules  # noqa: E402
import runbook_index  # noqa: E402
import simulator_dashboard  # noqa: E402
import web_dashboard  # noqa: E402

WANTED = {
    "charts/isotherm/rules/isotherm.yaml": rules.text,
    "charts/isotherm/dashboards/isotherm-pipeline.json": pipeline_dashboard.pipeline,
    "charts/isotherm/dashboards/isotherm-fetcher.json": fetcher_dashboard.fetcher,
    "charts/isotherm/dashboards/isotherm-cdc.json": cdc_dashboard.cdc,
    "charts/isotherm/dashboards/isotherm-web.json": web_dashboard.web,
    "charts/isotherm/dashboards/isotherm-simulator.json": simulator_dashboard.simulator,
    "charts/isotherm/dashboards/isotherm-databases.json": databases_dashboard.databases,
    "docs/configuration.md": configuration.text,
    "docs/logs.md": log_events.text,
    "docs/metrics.md": catalogue.table,
    "docs/runbooks/README.md": runbook_index.text,
}


def main() -> int:
    """Write the files, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is out of date")
    arguments = parser.parse_args()
    stale = 0
    for name, make in WANTED.items():
        path, text = ROOT / name, make()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        if arguments.check:
            print(f"{name} is out of date: run ci/observability/generate.py.", file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")
    return 1 if arguments.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
