"""Skaffold itself builds, renders, installs, copies what changes into running containers, and deletes."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from e2e.cluster import ROOT, CommandError, Release, eventually, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REPOSITORY = os.environ.get("E2E_SKAFFOLD_REPO", "localhost:5001")
OPTIONS = (f"--default-repo={REPOSITORY}", "--update-check=false")

pytestmark = pytest.mark.skipif(
    shutil.which("skaffold") is None, reason="skaffold is not on the PATH (ci/kube/kube skaffold builds it)"
)


def skaffold(*arguments: str) -> str:
    """Run a command of skaffold."""
    return run("skaffold", *arguments, "--profile=ci,simulator", *OPTIONS)


@pytest.fixture
def namespace() -> Iterator[Release]:
    """The release that skaffold.yaml names; its namespace is deleted afterwards."""
    yield Release("isotherm", [])
    run("kubectl", "delete", "namespace", "isotherm", "--ignore-not-found", "--timeout=240s")


def test_skaffold_runs(namespace: Release) -> None:
    """`skaffold run` waits until everything stands, and a datum takes its way; `skaffold render` renders the same."""
    run("skaffold", "diagnose", "--profile=ci,simulator", "--update-check=false")
    skaffold("run")
    run("helm", "test", namespace.name, "--namespace", namespace.namespace, "--timeout", "5m")
    rendered = [item for item in yaml.safe_load_all(skaffold("render", "--digest-source=tag")) if item]
    for name in ("cdc", "web"):
        there = namespace.image(name)
        (item,) = (i for i in rendered if i["kind"] == "Deployment" and i["metadata"]["name"] == f"isotherm-{name}")
        assert item["spec"]["template"]["spec"]["containers"][0]["image"] == there.partition("@")[0]
    skaffold("delete")
    assert namespace.kubectl("get", "deployments", "--output", "name") == ""


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the repository, in which files may be changed."""
    folder = tmp_path / "repository"
    for name in run("git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


@contextlib.contextmanager
def developing(folder: Path, log: Path) -> Iterator[None]:
    """`skaffold dev` in a folder, which has installed everything and now watches the files."""
    command = ["skaffold", "dev", "--profile=ci,dev,simulator", "--port-forward=off", *OPTIONS]
    with (
        log.open("w", encoding="utf-8") as file,
        subprocess.Popen(command, cwd=folder, stdout=file, stderr=file) as dev,
    ):
        try:

            def watching() -> bool:
                if dev.poll() is not None:
                    message = f"skaffold dev has ended: {log.read_text(encoding='utf-8')[-3000:]}"
                    raise AssertionError(message)
                return "Watching for changes" in log.read_text(encoding="utf-8")

            eventually(watching, within_seconds=480, what="skaffold dev watches")
            yield
        finally:
            dev.send_signal(signal.SIGINT)
            dev.wait(120)


def test_changed_files_are_copied_into_running_containers(namespace: Release, copied: Path, tmp_path: Path) -> None:
    """A `.py` file changes: the service starts again with it, in the same container, and goes on."""
    log = tmp_path / "skaffold.log"
    with developing(copied, log):
        (pod,) = namespace.pods("cdc")
        module = copied / "services/cdc/src/isotherm_cdc/__init__.py"
        module.write_text(
            module.read_text(encoding="utf-8") + '\nprint("this was synchronised", flush=True)\n', "utf-8"
        )

        def started_again() -> bool:
            return "this was synchronised" in namespace.kubectl("logs", pod)

        try:
            eventually(started_again, within_seconds=60, what="the service has started with the change")
        except TimeoutError as error:
            message = f"{error}\n{log.read_text(encoding='utf-8')[-3000:]}"
            raise AssertionError(message) from error
        namespace.kubectl("wait", "--for=condition=Ready", pod, "--timeout=60s")
        assert namespace.pods("cdc") == [pod]
        restarts = "--output=jsonpath={.status.containerStatuses[*].restartCount}"
        assert namespace.kubectl("get", pod, restarts) == "0"
        run("helm", "test", namespace.name, "--namespace", namespace.namespace, "--timeout", "5m")
    with pytest.raises(CommandError, match="not found"):
        run("helm", "status", namespace.name, "--namespace", namespace.namespace)
