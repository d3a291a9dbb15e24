"""What skaffold.yaml builds, and what it tells Helm, in every combination of profiles that is of use."""

from __future__ import annotations

import copy
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from chart.objects import CHART, ROOT, containers, environment, kinds, one, pods

if TYPE_CHECKING:
    from collections.abc import Callable

    Render = Callable[..., list[dict[str, Any]]]

CONFIG = yaml.safe_load((ROOT / "skaffold.yaml").read_text(encoding="utf-8"))
COMBINATIONS = [
    (), ("simulator",), ("observability",), ("ci",), ("dev",), ("dev", "simulator"), ("ci", "simulator"),
    ("ci", "dev", "simulator"), ("observability", "simulator"),
]  # fmt: skip
THEIRS = {"mysql", "mongo", "prom/mysqld-exporter", "percona/mongodb_exporter"}
OURS = {"setup", "fetcher", "cdc", "web", "simulator"}
every_combination = pytest.mark.parametrize("profiles", COMBINATIONS, ids="+".join)
_FROM_SOURCE = Path(os.environ.get("ISOTHERM_KUBE_STATE", "/var/lib/isotherm-kube"), "bin/skaffold")


def with_profiles(profiles: tuple[str, ...]) -> dict[str, Any]:
    """Return the configuration with the patches of the profiles, as skaffold applies them."""
    config: dict[str, Any] = copy.deepcopy(CONFIG)
    known = {profile["name"]: profile for profile in config.pop("profiles")}
    for name in profiles:
        for patch in known[name]["patches"]:
            assert patch["op"] == "add"
            *path, last = patch["path"].split("/")[1:]
            target: Any = config
            for part in path:
                target = target[int(part)] if isinstance(target, list) else target[part]
            if isinstance(target, list):
                assert last == "-"
                target.append(patch["value"])
            else:
                target[last] = patch["value"]
    return config


def filled(template: str) -> str:
    """Return what skaffold makes of a template that names an image."""
    # What was pushed has its digest behind the tag.
    match = re.fullmatch(r"\{\{\.IMAGE_(REPO|TAG)_isotherm_(\w+)\}\}(@\{\{\.IMAGE_DIGEST_isotherm_\2\}\})?", template)
    assert match, template
    return f"registry.test/isotherm_{match[2]}" if match[1] == "REPO" else f"tag-of-{match[2]}"


def helm_arguments(config: dict[str, Any]) -> list[str]:
    """Return the arguments that skaffold gives to Helm."""
    (release,) = config["deploy"]["helm"]["releases"]
    assert ROOT / release["chartPath"] == CHART
    arguments = [part for file in release["valuesFiles"] for part in ("--values", str(ROOT / file))]
    for name, template in release["setValueTemplates"].items():
        arguments += ["--set", f"{name}={filled(template)}"]
    for name, value in release["setValues"].items():
        arguments += ["--set", f"{name}={str(value).lower() if isinstance(value, bool) else value}"]
    return arguments


@every_combination
def test_helm_takes_what_skaffold_says(profiles: tuple[str, ...], render: Render) -> None:
    """Helm renders the chart with it, and every image of ours is the one that skaffold has built."""
    objects = render(None, *helm_arguments(with_profiles(profiles)))
    seen = set()
    for name, pod in pods(objects):
        for container in containers(pod):
            repository, _, tag = container["image"].rpartition(":")
            if repository in THEIRS:
                continue
            service = repository.removeprefix("registry.test/isotherm_")
            assert (service in OURS, tag) == (True, f"tag-of-{service}"), name
            seen.add(service)
    assert seen == (OURS if "simulator" in profiles else OURS - {"simulator"})


def test_profiles_do_what_they_are_for(render: Render) -> None:
    """Each profile changes what it says."""

    def objects(*profiles: str) -> list[dict[str, Any]]:
        return render(None, *helm_arguments(with_profiles(profiles)))

    assert kinds(objects("observability"), "PodMonitor")
    assert one(objects("simulator"), "Deployment", "isotherm-simulator")
    (rule,) = one(objects("ci"), "NetworkPolicy", "isotherm-dns")["spec"]["egress"]
    assert rule["to"] == [{"ipBlock": {"cidr": "10.99.0.2/32"}}]
    for name in ("cdc", "web", "fetcher-exporter"):
        (container,) = containers(one(objects("dev"), "Deployment", f"isotherm-{name}")["spec"]["template"])
        assert container["securityContext"]["readOnlyRootFilesystem"] is False
        assert environment(container)["LOG_FORMAT"] == "console"
    artifacts = with_profiles(("ci",))["build"]["artifacts"]
    assert all(artifact["docker"]["network"] == "host" for artifact in artifacts)


def test_artifacts_are_the_services() -> None:
    """Each image is built from the Dockerfile of its service, by the stage that the Dockerfile has."""
    artifacts = with_profiles(("dev",))["build"]["artifacts"]
    assert {artifact["image"].removeprefix("isotherm/") for artifact in artifacts} == OURS
    for artifact in artifacts:
        service = artifact["image"].removeprefix("isotherm/")
        file = ROOT / artifact["docker"]["dockerfile"]
        assert file == ROOT / f"services/{service}/Dockerfile"
        assert file.with_suffix(".dockerignore").exists()
        target = artifact["docker"].get("target")
        assert target is None or f" AS {target}\n" in file.read_text(encoding="utf-8")


def test_changed_files_are_copied_to_where_they_are_imported_from() -> None:
    """Every pattern of the dev profile finds files, and they go where the image has them."""
    for artifact in with_profiles(("dev",))["build"]["artifacts"]:
        service = artifact["image"].removeprefix("isotherm/")
        if service == "setup":
            assert "sync" not in artifact  # its containers end at once
            continue
        dockerfile = (ROOT / artifact["docker"]["dockerfile"]).read_text(encoding="utf-8")
        for rule in artifact["sync"]["manual"]:
            if rule["dest"] == "/tmp":
                continue
            assert rule["src"].startswith(rule["strip"] + "/")
            folder = f"{rule['dest']}/isotherm_{rule['strip'].split('/')[1]}"
            assert folder in dockerfile, "the user of the image owns it"
            if "static" not in rule["src"]:  # the page is only there once it was built
                assert list(ROOT.glob(rule["src"])), rule["src"]


@every_combination
def test_skaffold_takes_it(profiles: tuple[str, ...]) -> None:
    """Skaffold itself finds nothing wrong with the file."""
    program = shutil.which("skaffold") or (str(_FROM_SOURCE) if _FROM_SOURCE.exists() else None)
    if program is None:
        pytest.skip("skaffold is not on the PATH (ci/kube/kube skaffold builds it)")
    command = [program, "diagnose", "--yaml-only", "--filename", str(ROOT / "skaffold.yaml")]
    result = subprocess.run(
        [*command, *(f"--profile={name}" for name in profiles)], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert result.returncode == 0, result.stderr
