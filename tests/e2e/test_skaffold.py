"""Skaffold itself builds, renders, installs and deletes."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
import yaml

from e2e.cluster import Release, run

if TYPE_CHECKING:
    from collections.abc import Iterator

PROFILES = ("--profile=ci,simulator",)
REPOSITORY = os.environ.get("E2E_SKAFFOLD_REPO", "localhost:5001")


def skaffold(*arguments: str) -> str:
    """Run a command of skaffold."""
    return run("skaffold", *arguments, *PROFILES, f"--default-repo={REPOSITORY}", "--update-check=false")


@pytest.fixture
def deployed() -> Iterator[Release]:
    """What `skaffold run` has installed; deleted afterwards with its namespace."""
    if shutil.which("skaffold") is None:
        pytest.skip("skaffold is not on the PATH (ci/kube/kube skaffold builds it)")
    skaffold("run")
    yield Release("isotherm", [])
    skaffold("delete")
    run("kubectl", "delete", "namespace", "isotherm", "--wait=false")


def test_skaffold_runs(deployed: Release) -> None:
    """`skaffold run` waits until everything stands, and a datum takes its way; `skaffold render` renders the same."""
    run("helm", "test", deployed.name, "--namespace", deployed.namespace, "--timeout", "5m")
    rendered = [item for item in yaml.safe_load_all(skaffold("render", "--digest-source=tag")) if item]
    for name in ("cdc", "web"):
        there = deployed.kubectl("get", "deployment", f"isotherm-{name}", "--output", "jsonpath={..image}")
        (item,) = (i for i in rendered if i["kind"] == "Deployment" and i["metadata"]["name"] == f"isotherm-{name}")
        assert item["spec"]["template"]["spec"]["containers"][0]["image"] == there.split()[0].partition("@")[0]
