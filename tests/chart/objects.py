"""The chart's scenarios, and how tests find things in what they render."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts/isotherm"
SCENARIOS = sorted(path.stem for path in (CHART / "ci").glob("*.yaml"))

Object = dict[str, Any]


class HelmError(Exception):
    """Helm refused; the message is what it said."""


def one(objects: list[Object], kind: str, name: str) -> Object:
    """Return the one object of a kind and name."""
    (found,) = (item for item in objects if item["kind"] == kind and item["metadata"]["name"] == name)
    return found


def kinds(objects: list[Object], kind: str) -> list[Object]:
    """Return the objects of a kind."""
    return [item for item in objects if item["kind"] == kind]


def pods(objects: list[Object]) -> Iterator[tuple[str, Object]]:
    """Return kind/name and pod template of every object that makes pods."""
    for item in objects:
        name = f"{item['kind']}/{item['metadata']['name']}"
        match item["kind"]:
            case "Pod":
                yield name, item
            case "CronJob":
                yield name, item["spec"]["jobTemplate"]["spec"]["template"]
            case "Deployment" | "StatefulSet" | "Job":
                yield name, item["spec"]["template"]
            case _:
                pass


def component(pod: Object) -> str:
    """Return a pod's component."""
    return str(pod["metadata"]["labels"]["app.kubernetes.io/component"])


def containers(pod: Object) -> list[Object]:
    """Return a pod's containers, those that initialise it included."""
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def environment(container: Object) -> dict[str, str]:
    """Return a container's environment."""
    return {variable["name"]: variable["value"] for variable in container.get("env", [])}
