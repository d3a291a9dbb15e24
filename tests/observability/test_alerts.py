"""The alerts fire when they should, and only then; each has a runbook. promtool evaluates them as Prometheus would."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from alerts import ALERTS

from observability.alert_cases import CASES, Case, steady

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "charts/isotherm/rules/isotherm.yaml"
RUNBOOKS = ROOT / "docs/runbooks"
OBJECTIVE_GROUPS = {"isotherm-recorded", "isotherm-objectives"}
SECTIONS = ("## What it means", "## Find the cause", "## What to do", "## When it is over")
Test = dict[str, Any]


def together(cases: list[Case]) -> list[Test]:
    """Return the cases as few tests of promtool: those that can run side by side do, each in a namespace of its own."""
    side_by_side = [case for case in cases if not case.alone]
    return [_test([case]) for case in cases if case.alone] + ([_test(side_by_side)] if side_by_side else [])


def _test(cases: list[Case]) -> Test:
    series, expectations = [], []
    for number, case in enumerate(cases):
        namespace = f"case-{number}"
        values = steady(case.steps, case.step_minutes) | case.series
        series += [
            {"series": name.replace('namespace="weather"', f'namespace="{namespace}"'), "values": text}
            for name, text in values.items()
            if text is not None
        ]
        alerts = f'ALERTS{{alertstate="firing", namespace=~"({namespace})?"}}'
        expectations.append(
            {
                "expr": f'label_replace(count by (alertname) ({alerts}), "case", "{case.name}", "", "")',
                "eval_time": f"{case.at * case.step_minutes}m",
                "exp_samples": [
                    {"labels": f'{{alertname="{name}", case="{case.name}"}}', "value": 1}
                    for name in sorted(case.firing)
                ],
            }
        )
    return {"interval": f"{cases[0].step_minutes}m", "input_series": series, "promql_expr_test": expectations}


def run(promtool: str, folder: Path, tests: list[Test], *, objectives: bool = True) -> subprocess.CompletedProcess[str]:
    """Let promtool run tests that have the same interval, with the rules of the objectives or without."""
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    wanted = [group for group in groups if objectives or group["name"] not in OBJECTIVE_GROUPS]
    (folder / "rules.yaml").write_text(json.dumps({"groups": wanted}), encoding="utf-8")
    document = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": tests[0]["interval"],
        "group_eval_order": [group["name"] for group in wanted],
        "tests": tests,
    }
    file = folder / "cases.yaml"
    file.write_text(json.dumps(document), encoding="utf-8")
    return subprocess.run(
        [promtool, "test", "rules", str(file)], capture_output=True, text=True, check=False, timeout=900
    )


def test_rules_are_valid(promtool: str) -> None:
    """Prometheus would load the file."""
    result = subprocess.run([promtool, "check", "rules", str(RULES)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("kind", sorted({(case.step_minutes, case.objectives) for case in CASES}))
def test_alerts_fire_when_they_should_and_only_then(promtool: str, tmp_path: Path, kind: tuple[int, bool]) -> None:
    """In each case exactly the alerts fire that are named, out of all that there are."""
    cases = [case for case in CASES if (case.step_minutes, case.objectives) == kind]
    result = run(promtool, tmp_path, together(cases), objectives=kind[1])
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_wrong_expectation_is_noticed(promtool: str, tmp_path: Path) -> None:
    """The test above can fail."""
    wrong = Case("nothing is wrong", {}, 100, {"IsothermCdcLagging"})
    assert run(promtool, tmp_path, together([wrong])).returncode != 0


def test_every_alert_has_a_case() -> None:
    """Each alert fires in a case, and is silent in the others."""
    fired = {name for case in CASES for name in case.firing}
    assert fired == {alert.name for alert in ALERTS}


@pytest.mark.parametrize("name", [alert.name for alert in ALERTS])
def test_alert_has_a_runbook(name: str) -> None:
    """The page that `runbook_url` names is there and says what it means, how to find the cause, what to do and when it is over."""
    text = (RUNBOOKS / f"{name}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {name}\n")
    assert [section for section in SECTIONS if section not in text] == []


def test_no_runbook_without_an_alert() -> None:
    """A page about an alert that is gone would mislead."""
    pages = {file.stem for file in RUNBOOKS.glob("*.md")} - {"README"}
    assert pages == {alert.name for alert in ALERTS}


def test_alerts_have_what_people_need() -> None:
    """Each has a summary, a description, a runbook and a severity, and its consequences are alerts."""
    names = {alert.name for alert in ALERTS}
    found = [
        rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"] if "alert" in rule
    ]
    assert [rule["alert"] for rule in found] == [alert.name for alert in ALERTS]
    for rule in found:
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}, rule["alert"]
        assert all(rule["annotations"].values()), rule["alert"]
        assert rule["annotations"]["runbook_url"].endswith(f"/{rule['alert']}.md")
        assert rule["labels"]["severity"] in {"critical", "warning"}
    for alert in ALERTS:
        assert set(alert.consequences) <= names - {alert.name}, alert.name


def test_annotations_are_templates_that_work(promtool: str, tmp_path: Path) -> None:
    """Prometheus fills in the annotations; promtool prints them when it is told to expect others."""
    tests = together([case for case in CASES if case.firing and case.step_minutes == 1 and not case.objectives])
    for test in tests:
        wanted = {
            (expectation["eval_time"], sample["labels"].split('"')[1])
            for expectation in test.pop("promql_expr_test")
            for sample in expectation["exp_samples"]
        }
        test["alert_rule_test"] = [
            {"eval_time": time, "alertname": name, "exp_alerts": []} for time, name in sorted(wanted)
        ]
    result = run(promtool, tmp_path, tests, objectives=False)
    output = result.stdout + result.stderr
    descriptions = re.findall(r'description="((?:[^"\\]|\\.)*)"', output)
    assert len(set(descriptions)) > len(ALERTS) / 2
    for description in descriptions:
        assert not re.search(r"<error|<no value>|\{\{|NaN|\[\]", description), description
