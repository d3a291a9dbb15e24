"""The chart as it is published."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import yaml

from chart.objects import CHART, ROOT, containers, pods


def test_package_names_its_own_images(helm: str, tmp_path: Path) -> None:
    """A published chart has the version of the release, and takes the images of that version from its registry."""
    documentation = "https://code.example.org/owner/isotherm/blob/v9.8.7/docs"
    environment = {
        **os.environ,
        "DOCUMENTATION": documentation,
        "PATH": f"{Path(helm).parent}{os.pathsep}{os.environ['PATH']}",
    }
    command = [str(ROOT / "ci/chart/package"), "9.8.7", "registry.example.org/owner", str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    text = subprocess.run(
        [helm, "template", "isotherm", done.stdout.strip(), "--set", "metrics.rules.enabled=true"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    images = {c["image"] for _, pod in pods([o for o in yaml.safe_load_all(text) if o]) for c in containers(pod)}
    runbooks = re.findall(r"runbook_url: (.*)/\w+\.md$", text, re.MULTILINE)
    assert set(runbooks) == {f"{documentation}/runbooks"}
    ours = {image for image in images if "isotherm" in image}
    assert ours == {f"registry.example.org/owner/isotherm/{n}:9.8.7" for n in ("setup", "fetcher", "cdc", "web")}
    assert images - ours == {"mysql:9.7", "mongo:8.0"}
    assert 'registry: ""' in (CHART / "values.yaml").read_text(encoding="utf-8"), "the chart itself stays as it is"


def test_actions_are_pinned() -> None:
    """No workflow runs what somebody else can change: actions are named by commit, with the version beside it."""
    lines = [
        line
        for file in (ROOT / ".github/workflows").glob("*.yaml")
        for line in file.read_text(encoding="utf-8").splitlines()
        if "uses:" in line
    ]
    assert lines
    for line in lines:
        assert re.search(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40}  # v\d+(\.\d+)*$", line), line
