#!/usr/bin/env python3
"""Asks a running Prometheus everything that the dashboards and rules ask, and says what has no answer.

    ci/observability/ask.py http://127.0.0.1:9090 [--rate-interval 1m]

Of the dashboards every query has to have an answer; of the rules every metric, because a condition that is not met has
none. What counts only once something has gone wrong may be missing. The exit code is 1 when anything else is.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import urllib.parse
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable

CHART = Path(__file__).resolve().parents[2] / "charts/isotherm"
METRIC = re.compile(r"(?<![\w:.$])((?:isotherm|process|python)\w*(?::\w+)*|up)\{")
EXCUSED = {
    "isotherm_fetcher_quota_left_points": "the source has no quota",
    "isotherm_cdc_dead_letters_total": "no row was refused",
    "isotherm_cdc_retries_total": "no call to MongoDB failed",
    "isotherm_cdc_rows_estimated": "no table is being read whose size the source has guessed",
    "isotherm_cdc_snapshot_chunks_total": "no table was read since the reader started",
    "isotherm_cdc_snapshot_rows_total": "no table was read since the reader started",
    "isotherm_simulator_faults_total": "no fault was injected",
    "isotherm_web_closes_total": "no browser was closed",
    "isotherm_web_clients": "no browser has come yet",
    "isotherm_web_connections_total": "no browser has come yet",
    "isotherm_web_messages_received_total": "no browser has come yet",
    "isotherm_web_messages_sent_total": "no browser has come yet",
    "isotherm_web_resumes_total": "no browser has come yet",
    "isotherm_web_sent_bytes_total": "no browser has come yet",
}


def answers(address: str, query: str) -> list[Any]:
    """Return the series that Prometheus answers with."""
    parameters = urllib.parse.urlencode({"query": query})
    with urllib.request.urlopen(f"{address}/api/v1/query?{parameters}", timeout=20) as response:  # noqa: S310
        found: list[Any] = json.load(response)["data"]["result"]
    return found


def questions(rate_interval: str, *, databases: bool = False) -> dict[str, str]:
    """Return the queries, each with where it stands; those about the databases only where exporters are."""
    asked: dict[str, str] = {}
    values = {"$__rate_interval": rate_interval, "$namespace": ".*", "$job": ".*", "$instance": ".*"}
    for file in sorted((CHART / "dashboards").glob("*.json")):
        if file.stem == "isotherm-databases" and not databases:
            continue
        panels = json.loads(file.read_text(encoding="utf-8"))["panels"]
        for panel in [*panels, *(inner for row in panels for inner in row.get("panels") or [])]:
            for target in panel.get("targets", []):
                query = target["expr"]
                for name, value in values.items():
                    query = query.replace(name, value)
                asked.setdefault(query, f"{file.stem}: {panel['title']}")
    rules = yaml.safe_load((CHART / "rules/isotherm.yaml").read_text(encoding="utf-8"))["groups"]
    for rule in (rule for group in rules for rule in group["rules"]):
        for name in METRIC.findall(rule["expr"]):
            asked.setdefault(name, rule.get("alert") or rule["record"])
    return asked


def excuses(query: str) -> set[str]:
    """Return why a query need not have an answer yet; nothing where it has to have one."""
    return {EXCUSED[name] for name in METRIC.findall(query) or [query] if name in EXCUSED}


def unanswered(answer: Callable[[str], list[Any]], rate_interval: str) -> dict[str, str]:
    """Return the queries that have no answer and no excuse, each with where it stands."""
    asked = questions(rate_interval).items()
    return {query: where for query, where in asked if not excuses(query) and not answer(query)}


def main() -> int:
    """Ask, and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", help="of Prometheus")
    parser.add_argument("--rate-interval", default="1m", help="what Grafana would put in (default 1m)")
    parser.add_argument("--databases", action="store_true", help="ask what the exporters of MySQL and MongoDB say, too")
    arguments = parser.parse_args()
    asked = questions(arguments.rate_interval, databases=arguments.databases)
    missing, excused = {}, {}
    for query, where in asked.items():
        if not answers(arguments.address, query):
            reasons = excuses(query)
            (excused if reasons else missing)[query] = f"{where}: {', '.join(sorted(reasons))}"
    for query, where in excused.items():
        print(f"excused  {where}  {query}")
    for query, where in missing.items():
        print(f"MISSING  {where}  {query}")
    print(f"{len(asked)} questions, {len(missing)} without an answer; {len(excused)} about what has not happened")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
