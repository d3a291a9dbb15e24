"""A release in the simulator scenario, in a namespace that enforces the restricted Pod Security Standard."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from typing import TYPE_CHECKING

import pytest

from e2e.cluster import CHART, CommandError, Release, run

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUTE_HOST = "route.isotherm.test"


@pytest.fixture(scope="session")
def release() -> Iterator[Release]:
    """The release that all tests share; each leaves it standing."""
    namespace = f"isotherm-e2e-{secrets.token_hex(3)}"
    run("kubectl", "create", "namespace", namespace)
    run("kubectl", "label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    further = [os.environ[name] for name in ("E2E_IMAGES", "E2E_VALUES") if os.environ.get(name)]
    found = Release(
        namespace,
        [str(CHART / "ci/simulator.yaml"), *further],
        settings=[
            "--set",
            "httpRoute.enabled=true",
            "--set-json",
            'httpRoute.parentRefs=[{"name":"gateway","namespace":"default"}]',
            "--set-json",
            f'httpRoute.hostnames=["{ROUTE_HOST}"]',
        ],
    )
    try:
        found.install()
        yield found
    finally:
        if not os.environ.get("E2E_KEEP"):
            run("kubectl", "delete", "namespace", namespace, "--wait=false")


@pytest.fixture(autouse=True)
def _events_on_failure(request: pytest.FixtureRequest) -> Iterator[None]:
    """Show the state of the pods when a test has failed."""
    failed_before = request.session.testsfailed
    yield
    if request.session.testsfailed > failed_before and "release" in request.fixturenames:
        release = request.getfixturevalue("release")
        with contextlib.suppress(CommandError):
            sys.stderr.write(release.kubectl("get", "pods", "--output", "wide"))
