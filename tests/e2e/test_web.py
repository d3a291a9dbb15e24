"""The web pods: they scale, refuse what is too much, leave in order; and a person sees the map through the ingress."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.async_api import async_playwright
from websockets.exceptions import ConnectionClosed

from e2e.cluster import INGRESS, INGRESS_SERVICE, CommandError, Release, browser, eventually, until, watchers
from isotherm_web.protocol import CloseCode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

CHROMIUM = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
MOST_CONNECTIONS = 4


def evict(release: Release, pod: str) -> None:
    """Evict a pod as the drain of a node does: try again for as long as the disruption budget forbids it."""
    name = pod.removeprefix("pod/")
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": release.namespace}}
    path = f"/api/v1/namespaces/{release.namespace}/pods/{name}/eviction"

    def evicted() -> bool:
        try:
            release.kubectl("create", "--raw", path, "--filename=-", stdin=json.dumps(body))
        except CommandError as error:
            if "NotFound" not in str(error) and "not found" not in str(error):
                raise
        return True

    eventually(evicted, within_seconds=120, what=f"{pod} may go")


async def test_evicted_pods_fail_no_resume(release: Release) -> None:
    """While a rollout replaces the pods and all of them are evicted, every browser resumes, none needs a snapshot."""

    def roll_and_evict() -> None:
        release.kubectl("rollout", "restart", f"deployment/{release.name}-web")
        for pod in release.pods("web"):
            evict(release, pod)
        release.kubectl("rollout", "status", f"deployment/{release.name}-web", "--timeout=180s")
        old = set(release.pods("web"))
        for pod in old:
            evict(release, pod)
        eventually(lambda: not old & set(release.pods("web")), within_seconds=120, what="the evicted pods are gone")
        release.kubectl("rollout", "status", f"deployment/{release.name}-web", "--timeout=180s")

    async with watchers(20) as all_watchers:
        await asyncio.to_thread(roll_and_evict)
        await until(lambda: all(w.mirror.hello for w in all_watchers), within_seconds=30, what="all are connected")
    for watcher in all_watchers:
        assert watcher.failures == []
        assert watcher.modes[0] == "snapshot"
        assert set(watcher.modes[1:]) == {"resumed"}
        assert set(watcher.codes) <= {CloseCode.RESTARTING, CloseCode.GOING_AWAY}


ASK_UNTIL_LIMITED = """
import http.client, sys
codes, connection = [], http.client.HTTPConnection(sys.argv[1], timeout=20)
while len(codes) < 5000 and codes.count(429) < 100:
    connection.request("GET", "/api/v1/grid", headers={"Host": "visitors.isotherm.test"})
    answer = connection.getresponse()
    answer.read()
    codes.append(answer.status)
print(*codes)
"""
ASK_SELDOM = """
import http.client, sys, time
for _ in range(20):
    connection = http.client.HTTPConnection(sys.argv[1], timeout=20)
    connection.request("GET", "/api/v1/grid", headers={"Host": "visitors.isotherm.test"})
    print(connection.getresponse().status)
    time.sleep(0.1)
"""


async def test_visitors_behind_the_ingress_have_a_limit_each(
    release: Release, new_namespace: Callable[[str], str]
) -> None:
    """One visitor asks until the limit refuses it; meanwhile another one is served."""
    outside = Release(new_namespace("visitors"), [])
    image = release.image("web")
    greedy, modest = (outside.stand_in(name, image, {}) for name in ("greedy", "modest"))
    outside.kubectl("wait", "--for=condition=Ready", greedy, modest, "--timeout=60s")

    async def visit(pod: str, script: str) -> list[str]:
        command = ("exec", pod, "--", "python", "-c", script, INGRESS_SERVICE)
        return (await asyncio.to_thread(outside.kubectl, *command)).split()

    limited, first = await asyncio.gather(visit(greedy, ASK_UNTIL_LIMITED), visit(modest, ASK_SELDOM))
    assert limited.count("429") == 100
    assert set(first) == {"200"}
    limited, second = await asyncio.gather(visit(greedy, ASK_UNTIL_LIMITED), visit(modest, ASK_SELDOM))
    assert limited.count("429") == 100
    assert set(second) == {"200"}


@pytest.fixture
def autoscaled(release: Release) -> Iterator[Release]:
    """One small web pod under an autoscaler."""
    release.upgrade(
        *("--set", "web.autoscaling.enabled=true,web.autoscaling.minReplicas=1,web.autoscaling.maxReplicas=3"),
        *("--set", f"web.autoscaling.targetCPUPercent=50,web.settings.WEB_MAX_CONNECTIONS={MOST_CONNECTIONS}"),
        # All of the load comes from one address.
        *("--set", "web.settings.WEB_REQUESTS_PER_SECOND=10000,web.settings.WEB_REQUEST_BURST=10000"),
    )
    eventually(lambda: len(release.pods("web")) == 1, within_seconds=90, what="one web pod is left")
    yield release
    # The number of pods belongs to the autoscaler until it is taken back.
    release.upgrade("--force-conflicts")
    release.kubectl("wait", "--for=jsonpath={.status.readyReplicas}=2", f"deployment/{release.name}-web")


async def connect_and_stay(stack: contextlib.AsyncExitStack) -> int | None:
    """Connect for as long as the stack is open; return the code with which the server refuses, or None."""
    try:
        client = await stack.enter_async_context(browser())
        await client.until(1)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else 0
    return None


async def test_full_pod_refuses_until_another_is_there(autoscaled: Release) -> None:
    """A full pod closes with a code that says try again; under load a second pod comes, which takes the next."""
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(MOST_CONNECTIONS):
            assert await connect_and_stay(stack) is None
        assert await connect_and_stay(stack) == CloseCode.TOO_MANY_CONNECTIONS
        async with loaded():
            await until(lambda: len(ready(autoscaled)) > 1, within_seconds=180, what="the autoscaler adds a pod")
        code: int | None = CloseCode.TOO_MANY_CONNECTIONS
        for _ in range(60):
            code = await connect_and_stay(stack)
            if code != CloseCode.TOO_MANY_CONNECTIONS:
                break
            await asyncio.sleep(0.5)
        assert code is None


def ready(release: Release) -> list[Any]:
    """Return the web pods that are ready."""
    selector = "--selector=app.kubernetes.io/component=web"
    items = json.loads(release.kubectl("get", "pods", selector, "--output", "json"))["items"]
    return [item for item in items if {"type": "Ready", "status": "True"}.items() <= condition(item, "Ready").items()]


def condition(item: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return a condition of an object."""
    return next((found for found in item["status"].get("conditions", []) if found["type"] == kind), {})


@contextlib.asynccontextmanager
async def loaded() -> AsyncIterator[None]:
    """Ask for the whole map through the ingress, over and over."""

    async def ask() -> None:
        async with httpx.AsyncClient(base_url=f"http://{INGRESS}", timeout=30, trust_env=False) as client:
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    await client.get("/api/v1/grid")

    tasks = [asyncio.create_task(ask()) for _ in range(4)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_chromium_sees_the_map_and_its_changes(release: Release) -> None:
    """Through the ingress a person sees every cell, then a row that changes in MySQL, and no error."""
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    assert program, "Chromium is not there: apt-get install chromium, or set CHROMIUM to its path"
    problems: list[str] = []
    with release.fetching_stopped():
        async with async_playwright() as playwright:
            chromium = await playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
            page = await chromium.new_page()
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.on("console", lambda said: problems.append(said.text) if said.type in {"error", "warning"} else None)
            await page.goto(f"http://{INGRESS}/")
            await page.wait_for_function("() => window.isotherm?.state().filled === 612")
            await page.locator("[data-testid=map] .heatmaplayer image").first.wait_for(state="attached")
            assert "Simulated" in await page.locator("body").inner_text()
            location = release.query("SELECT MIN(location_id) FROM weather_data")[0][0]
            release.query("UPDATE weather_data SET temperature_2m = -66.6 WHERE location_id = %s", location)
            await page.wait_for_function("id => window.isotherm.value(id, 'temperature') === -66.6", arg=location)
            await chromium.close()
    assert problems == []
