"""What dashboards and rules ask for is what the services have, and what they have is asked for."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from catalogue import OF_EVERY_PROCESS, Entry, buckets, catalogue
from limits import BROADCAST_SECONDS

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts/isotherm"
DASHBOARDS = sorted((CHART / "dashboards").glob("*.json"))
RULES = CHART / "rules/isotherm.yaml"
METRIC = re.compile(r"(?<![\w:.$])(?:isotherm[_:]|process_|python_)\w+(?::\w+)*|\bup\b(?=\{)")
EXPORTED = re.compile(r"\b(?:mysql|mongodb)_\w+")
"""Metrics of the exporters beside the databases: see test_databases.py."""

GIVEN_BY_PROMETHEUS = {"up"}
LABELS_OF_TARGETS = {"namespace", "job", "instance", "le", "__name__"}
JUSTIFIED = {
    "isotherm_fetcher": "the version that runs; for people who look",
    "isotherm_simulator_build": "the version that runs; for people who look",
    **dict.fromkeys(
        (
            "isotherm_cdc_queue_remaining_capacity",
            "isotherm_cdc_number_of_create_events_seen",
            "isotherm_cdc_number_of_update_events_seen",
            "isotherm_cdc_number_of_delete_events_seen",
            "isotherm_cdc_number_of_erroneous_events",
            "isotherm_cdc_number_of_disconnects",
            "isotherm_cdc_snapshot_completed",
            "isotherm_cdc_total_table_count",
        ),
        "the same under Debezium's name, for dashboards that people bring along",
    ),
}
"""Metrics that neither a dashboard nor a rule has to use, and why they are there."""


def load(file: Path) -> dict[str, Any]:
    dashboard: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return dashboard


def panels(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the panels, those in collapsed rows included, without the rows."""
    found = [*dashboard["panels"], *(inner for panel in dashboard["panels"] for inner in panel.get("panels") or [])]
    return [panel for panel in found if panel["type"] != "row"]


def expressions() -> dict[str, list[str]]:
    """Return all PromQL by the file it stands in."""
    found = {
        file.name: [target["expr"] for panel in panels(load(file)) for target in panel["targets"]]
        for file in DASHBOARDS
    }
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return found | {RULES.name: [rule["expr"] for group in groups for rule in group["rules"]]}


def recorded() -> set[str]:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return {rule["record"] for group in groups for rule in group["rules"] if "record" in rule}


def series() -> dict[str, Entry]:
    return {name: entry for entry in catalogue() for name in entry.series}


def test_generated_files_are_current() -> None:
    """Dashboards, rules and generated pages are what the generators write (ci/observability/generate.py)."""
    command = [sys.executable, str(ROOT / "ci/observability/generate.py"), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_every_metric_asked_for_exists() -> None:
    """No query asks for a metric that no service has."""
    known = series().keys() | OF_EVERY_PROCESS | GIVEN_BY_PROMETHEUS | recorded()
    unknown = {
        file: sorted({name for text in texts for name in METRIC.findall(strip(text))} - known)
        for file, texts in expressions().items()
    }
    assert {file: names for file, names in unknown.items() if names} == {}


def test_every_metric_is_asked_for() -> None:
    """A metric that no dashboard and no rule uses is noise, or justified."""
    used = {name for texts in expressions().values() for text in texts for name in METRIC.findall(text)}
    unused = {entry.name for entry in catalogue() if not used & set(entry.series)}
    assert unused == JUSTIFIED.keys()


def test_every_recorded_series_is_used() -> None:
    """Nothing is recorded for nobody."""
    used = {name for texts in expressions().values() for text in texts for name in METRIC.findall(text)}
    assert recorded() - used == set()


def test_labels_asked_for_exist() -> None:
    """A selector names only labels that its metric has, or that every target has."""
    known = series()
    wrong = []
    for file, texts in expressions().items():
        for text in texts:
            for name, matchers in re.findall(r"([a-z_:]\w+)\{([^}]*)\}", text):
                if EXPORTED.fullmatch(name):
                    continue
                labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", re.sub(r'"[^"]*"', '""', matchers)))
                own = set(known[name].labels) if name in known else set()
                wrong += [f"{file}: {name}{{{label}}}" for label in labels - own - LABELS_OF_TARGETS]
    assert wrong == []


def test_grouping_labels_exist() -> None:
    """`by (…)` names only labels that some metric of the expression has."""
    known = series()
    wrong = []
    for file, texts in expressions().items():
        for text in texts:
            own = {label for name in METRIC.findall(text) if name in known for label in known[name].labels}
            if EXPORTED.search(text):
                continue
            for names in re.findall(r"\bby \(([^)]*)\)", text):
                labels = {label.strip() for label in names.split(",")}
                wrong += [f"{file}: {label} in {text}" for label in labels - own - LABELS_OF_TARGETS]
    assert wrong == []


def test_names_follow_the_rules() -> None:
    """Names are `isotherm_<service>_<thing>_<unit>`; every metric says what it tells; labels have no room for ids."""
    for entry in catalogue():
        assert re.fullmatch(rf"isotherm_{entry.service}(_[a-z0-9]+)*", entry.name), entry.name
        assert entry.help.endswith("."), entry.name
        assert not re.search(r"_(ms|milliseconds|minutes|hours|kb|mb|kib|mib)$", entry.name), entry.name
        assert set(entry.labels).isdisjoint({"id", "location", "address", "client", "user", "gtid"}), entry.name


def test_the_objective_of_latency_is_a_bucket() -> None:
    """A ratio of a histogram is exact only at the bound of a bucket."""
    assert BROADCAST_SECONDS in buckets("isotherm_web_commit_to_broadcast_seconds")


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_dashboard_is_well_made(file: Path) -> None:
    """Every panel says what it shows and in which unit; what is shown can be chosen; rates fit the zoom."""
    dashboard = load(file)
    assert dashboard["uid"] == file.stem
    names = [variable["name"] for variable in dashboard["templating"]["list"]]
    assert names == ["datasource", "namespace", "job", "instance"]
    every = panels(dashboard)
    identifiers = [panel["id"] for panel in [*dashboard["panels"], *every] if panel["type"] != "row"]
    assert len({panel["id"] for panel in every}) == len(every) <= len(identifiers)
    for panel in every:
        assert panel["title"], panel["id"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["datasource"]["uid"] == "${datasource}", panel["title"]
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == "${datasource}", panel["title"]
            for window in re.findall(r"\brate\([^[]*\[([^\]]*)\]", target["expr"]):
                assert window == "$__rate_interval", panel["title"]
            for selector in re.findall(r"[a-z]\w+\{([^}]*)\}", target["expr"]):
                if "isotherm:" not in target["expr"]:
                    assert selector.startswith('namespace=~"$namespace", job=~"$job", instance=~"$instance"')
    titles = [panel["title"] for panel in every]
    assert len(set(titles)) >= len(titles) - 8, "the first row may repeat what a graph below shows, nothing else"


def test_dashboards_ask_valid_questions(promtool: str, tmp_path: Path) -> None:
    """Prometheus can read every query of every dashboard."""
    rules = [
        {"record": f"x:{number}", "expr": substitute(text)}
        for number, text in enumerate(
            text for name, texts in expressions().items() if name != RULES.name for text in texts
        )
    ]
    file = tmp_path / "queries.yaml"
    file.write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}), encoding="utf-8")
    result = subprocess.run([promtool, "check", "rules", str(file)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_red_lines_are_where_alerts_fire() -> None:
    """Every limit that a panel draws is a number of a rule, but for those that are 0 or 1."""
    in_rules = {
        float(text) for rule in expressions()[RULES.name] for text in re.findall(r"[<>] (?:bool )?([\d.]+)", rule)
    }
    in_rules |= {BROADCAST_SECONDS, 14.4}
    for file in DASHBOARDS:
        for panel in panels(load(file)):
            for step in panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", []):
                assert step["value"] in {None, 0, 1} | in_rules, f"{file.name}: {panel['title']}"


def strip(text: str) -> str:
    """Return PromQL without its strings and without the labels of `by` and `on`."""
    return re.sub(r'"[^"]*"|\b(?:by|on|without) \([^)]*\)', "", text)


def substitute(text: str) -> str:
    """Put values in the place of Grafana's variables."""
    return (
        text.replace("$__rate_interval", "5m")
        .replace("$namespace", ".*")
        .replace("$job", ".*")
        .replace("$instance", ".*")
    )
