"""Renders the chart with helm."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from chart.objects import CHART, HelmError

if TYPE_CHECKING:
    from collections.abc import Callable

_FROM_SOURCE = Path(os.environ.get("ISOTHERM_KUBE_STATE", "/var/lib/isotherm-kube"), "bin/helm")


@pytest.fixture(scope="session")
def helm() -> str:
    """The helm command."""
    found = shutil.which("helm") or (str(_FROM_SOURCE) if _FROM_SOURCE.exists() else None)
    if found is None:
        pytest.skip("helm is not on the PATH, and ci/kube has not built it")
    return found


@pytest.fixture(scope="session")
def render_text(helm: str) -> Callable[..., str]:
    """Render the chart: `render_text("minimal", "--set", "web.replicas=3")`; the scenario may be None."""

    def call(scenario: str | None, *arguments: str) -> str:
        values = ["--values", str(CHART / "ci" / f"{scenario}.yaml")] if scenario else []
        command = [helm, "template", "isotherm", str(CHART), "--namespace", "weather", "--kube-version", "1.34.0"]
        result = subprocess.run([*command, *values, *arguments], capture_output=True, text=True, check=False)
        if result.returncode:
            raise HelmError(result.stderr)
        return result.stdout

    return call


@pytest.fixture(scope="session")
def render(render_text: Callable[..., str]) -> Callable[..., list[dict[str, Any]]]:
    """Render the chart into objects."""

    def call(scenario: str | None, *arguments: str) -> list[dict[str, Any]]:
        return [item for item in yaml.safe_load_all(render_text(scenario, *arguments)) if item]

    return call
