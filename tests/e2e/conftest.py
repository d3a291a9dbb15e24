"""Releases of the chart in namespaces that enforce the restricted Pod Security Standard."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
from typing import TYPE_CHECKING

import pytest

from e2e.cluster import CHART, CommandError, Release, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ROUTE_HOST = "route.isotherm.test"
INGRESS_NAMESPACE = os.environ.get("E2E_INGRESS_NAMESPACE", "traefik")
FROM_INGRESS = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": INGRESS_NAMESPACE}}}]


@contextlib.contextmanager
def namespaces() -> Iterator[Callable[[str], str]]:
    """Make namespaces; in the end they are deleted with all that is in them."""
    made: list[str] = []

    def make(purpose: str) -> str:
        name = f"isotherm-{purpose}-{secrets.token_hex(3)}"
        run("kubectl", "create", "namespace", name)
        made.append(name)
        run("kubectl", "label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
        return name

    try:
        yield make
    finally:
        if not os.environ.get("E2E_KEEP"):
            for name in made:
                run("kubectl", "delete", "namespace", name, "--wait=false", "--ignore-not-found")


def new_release_in(namespace: str, *arguments: Path | str) -> Release:
    """Make a release, not yet installed."""
    further = [os.environ[name] for name in ("E2E_IMAGES", "E2E_VALUES") if os.environ.get(name)]
    files = [str(argument) for argument in arguments if not isinstance(argument, str)]
    settings = [argument for argument in arguments if isinstance(argument, str)]
    return Release(namespace, [*files, *further], settings=settings)


@pytest.fixture
def new_namespace() -> Iterator[Callable[[str], str]]:
    """Make a namespace for one test: `new_namespace("outside")`."""
    with namespaces() as make:
        yield make


@pytest.fixture
def new_release(new_namespace: Callable[[str], str]) -> Callable[..., Release]:
    """Make a release for one test, not yet installed: `new_release("upgrade", VALUES_FILE, "--set", "a=b")`."""
    return lambda purpose, *arguments: new_release_in(new_namespace(purpose), *arguments)


@pytest.fixture(scope="session")
def release() -> Iterator[Release]:
    """The release in the simulator scenario that most tests share; each leaves it standing."""
    with namespaces() as make:
        found = new_release_in(
            make("e2e"),
            CHART / "ci/simulator.yaml",
            "--set",
            "httpRoute.enabled=true",
            "--set-json",
            'httpRoute.parentRefs=[{"name":"gateway","namespace":"default"}]',
            "--set-json",
            f'httpRoute.hostnames=["{ROUTE_HOST}"]',
            "--set-json",
            f"networkPolicy.ingress.from={json.dumps(FROM_INGRESS)}",
        )
        found.install()
        yield found


@pytest.fixture(autouse=True)
def _pods_on_failure(request: pytest.FixtureRequest) -> Iterator[None]:
    """Show the state of the pods when a test has failed."""
    failed_before = request.session.testsfailed
    yield
    if request.session.testsfailed > failed_before:
        with contextlib.suppress(CommandError):
            sys.stderr.write(run("kubectl", "get", "pods", "--all-namespaces", "--output", "wide"))
