"""docs/runbooks/README.md: all alerts, and what they have in common."""

from __future__ import annotations

import re

from alerts import GROUPS
from limits import FAST, SLOW

HEAD = """\
# Runbooks

One page an alert: what it means, how to find the cause, what to do, and how to see that it is over. This list is generated from
the alerts by `ci/observability/generate.py`. Critical alerts are for waking somebody, warnings for the next morning.

The rules are [charts/isotherm/rules/isotherm.yaml](../../charts/isotherm/rules/isotherm.yaml): give the file to Prometheus as it is
(`rule_files`), or let the chart make a PrometheusRule of it. `runbook_url` is the path of the
page in the repository; the chart's `metrics.rules.runbookUrl` puts an address before it, which a published chart has already.

One cause can raise several alerts. The last column names those that may follow from the same cause: silence them, or let
Alertmanager inhibit them, and look at the first.
"""

TITLES = {
    "isotherm-fetcher": "Fetcher",
    "isotherm-cdc": "CDC",
    "isotherm-web": "Web",
    "isotherm-processes": "Processes",
    "isotherm-objectives": "Objectives",
}


def text() -> str:
    """Return the page."""
    lines = [HEAD.rstrip()]
    for group, alerts in GROUPS.items():
        title = TITLES[group]
        lines += [
            "",
            f"## {title}",
            "",
            "| alert | severity | fires after | what | may follow |",
            "|---|---|---|---|---|",
        ]
        for alert in alerts:
            after = "at once" if alert.hold == "0m" else alert.hold
            summary = re.sub(r"\{\{ \$(?:labels\.)?(\w+) \}\}", r"*\1*", alert.summary)
            follow = ", ".join(f"[{name}]({name}.md)" for name in alert.consequences)
            lines.append(f"| [{alert.name}]({alert.name}.md) | {alert.severity} | {after} | {summary} | {follow} |")
    fast = " or ".join(f"{burn.rate:g} times as fast as allowed over {burn.long} and {burn.short}" for burn in FAST)
    slow = " or ".join(f"{burn.rate:g} times over {burn.long} and {burn.short}" for burn in SLOW)
    lines += [
        "",
        f"*Burns fast*: the error budget of 30 days is spent {fast}. *Burns slowly*: {slow}. Where events are counted, at",
        "least four bad ones have to be among them. The objectives and all limits stand in `ci/observability/limits.py`;",
        "the dashboards' red lines are made of the same numbers.",
    ]
    return "\n".join(lines) + "\n"
