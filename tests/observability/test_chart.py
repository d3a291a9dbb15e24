"""The chart hands dashboards to Grafana and rules to Prometheus as they were generated."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from observability.rehearsal import HOLD, WINDOWS, hurry

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts/isotherm"
_FROM_SOURCE = Path(os.environ.get("ISOTHERM_KUBE_STATE", "/var/lib/isotherm-kube"), "bin/helm")
RUNBOOKS = "https://wiki.example.org/isotherm/"
Object = dict[str, Any]


def render(*values: str) -> list[Object]:
    helm = shutil.which("helm") or (str(_FROM_SOURCE) if _FROM_SOURCE.exists() else None)
    if helm is None:
        pytest.skip("helm is not on the PATH, and ci/kube has not built it")
    command = [helm, "template", "isotherm", str(CHART), "--namespace", "weather", "--kube-version", "1.34.0"]
    settings = [part for value in values for part in ("--set", value)]
    result = subprocess.run([*command, *settings], capture_output=True, text=True, check=True)
    return [item for item in yaml.safe_load_all(result.stdout) if item]


def groups(*values: str) -> list[Object]:
    """Return the groups of rules that the chart renders."""
    found = render("metrics.rules.enabled=true", f"metrics.rules.runbookUrl={RUNBOOKS}", *values)
    (rule,) = (item for item in found if item["kind"] == "PrometheusRule")
    rendered: list[Object] = rule["spec"]["groups"]
    return rendered


def alerts(rendered: list[Object]) -> dict[str, Object]:
    return {rule["alert"]: rule for group in rendered for rule in group["rules"] if "alert" in rule}


def test_dashboards_arrive_as_they_are() -> None:
    """One ConfigMap a dashboard, found by the sidecar's label, its content the committed file."""
    found = render("metrics.dashboards.enabled=true", "metrics.dashboards.annotations.grafana_folder=Isotherm")
    maps = {
        name: (item, text)
        for item in found
        if item["kind"] == "ConfigMap"
        for name, text in item.get("data", {}).items()
        if name.endswith(".json")
    }
    files = {file.name: file for file in (CHART / "dashboards").glob("*.json")}
    assert maps.keys() == files.keys()
    for name, (item, text) in maps.items():
        assert text == files[name].read_text(encoding="utf-8")
        assert item["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert item["metadata"]["annotations"] == {"grafana_folder": "Isotherm"}


def test_nothing_of_it_unless_asked_for() -> None:
    """A cluster without the Prometheus Operator gets no PrometheusRule, and nobody gets dashboards unasked."""
    found = render()
    assert [item for item in found if item["kind"] == "PrometheusRule"] == []
    assert [item for item in found if "dashboard" in item["metadata"]["name"]] == []


def test_rules_are_of_this_release() -> None:
    """The PrometheusRule has the rules of the file, for the release's namespace, with the runbooks' address."""
    rendered = groups()
    original = yaml.safe_load((CHART / "rules/isotherm.yaml").read_text(encoding="utf-8"))["groups"]
    text = json.dumps(original).replace('namespace=~\\".*\\"', 'namespace=\\"weather\\"')
    assert rendered == json.loads(text.replace(': "docs/runbooks/', f': "{RUNBOOKS}'))


def test_rules_can_be_hurried_for_rehearsals(promtool: str, tmp_path: Path) -> None:
    """`for` and the windows are replaced, each once, and the rules are still valid."""
    rendered = groups("metrics.rules.for=20s", "metrics.rules.windows.15m=5m", "metrics.rules.windows.5m=1m")
    assert {rule["for"] for rule in alerts(rendered).values()} == {"20s"}
    dead_letters = alerts(rendered)["IsothermCdcDeadLetters"]["expr"]
    assert "[5m]" in dead_letters
    assert "offset 5m" in dead_letters
    assert "15m" not in dead_letters
    assert "[1m]" in alerts(rendered)["IsothermWebSlowClients"]["expr"]
    assert not re.search("@", json.dumps([rule["expr"] for rule in alerts(rendered).values()]))
    file = tmp_path / "rules.yaml"
    file.write_text(json.dumps({"groups": rendered}), encoding="utf-8")
    result = subprocess.run([promtool, "check", "rules", str(file)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_the_rehearsal_hurries_as_the_chart_does() -> None:
    """What test_rehearsal.py gives to Prometheus is what the chart would make of the same windows."""
    windows = [f"metrics.rules.windows.{before}={after}" for before, after in WINDOWS.items()]
    rendered = json.dumps(groups(f"metrics.rules.for={HOLD}", *windows))
    hurried = json.dumps(yaml.safe_load(hurry((CHART / "rules/isotherm.yaml").read_text(encoding="utf-8")))["groups"])
    hurried = hurried.replace('namespace=~\\".*\\"', 'namespace=\\"weather\\"')
    assert json.loads(rendered) == json.loads(hurried.replace('": "docs/runbooks/', f'": "{RUNBOOKS}'))


def test_an_alert_can_be_left_out() -> None:
    """An alert that does not fit an installation is named, and gone."""
    assert "IsothermWebFull" in alerts(groups())
    assert "IsothermWebFull" not in alerts(groups("metrics.rules.disabled={IsothermWebFull}"))
