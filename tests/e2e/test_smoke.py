"""The path of a datum through a release, and that neither a kill nor an upgrade nor a new installation loses it."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import ConnectionClosed

from e2e.cluster import INGRESS, ROOT, CommandError, Writer, ask, browser, eventually, run
from e2e.conftest import ROUTE_HOST
from isotherm_web import security

if TYPE_CHECKING:
    from e2e.cluster import Release
    from isotherm_web.client import Client
    from isotherm_web.mirror import Mirror

# The event loop that Python 3.11 makes for whoever asks for one outside of a test is closed by nobody.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
SCENARIOS = ("minimal", "simulator", "gateway", "observability", "production")


async def until_temperature(client: Client, location: int, scaled: int) -> None:
    """Receive until a location's temperature is `scaled` tenths of a degree."""
    async with asyncio.timeout(30):
        while location not in client.mirror.ids or client.mirror.by_id()[location].values[0] != scaled:
            await client.receive()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_api_server_takes_every_scenario(scenario: str, release: Release) -> None:
    """The API server itself validates what the chart renders, unknown and doubled fields included."""
    text = (ROOT / f"tests/chart/golden/{scenario}.yaml").read_text(encoding="utf-8")
    if scenario == "observability" and "podmonitors" not in run("kubectl", "api-resources", "--output", "name"):
        pytest.skip("the Prometheus Operator's definitions are not in this cluster")
    text = text.replace("namespace: weather\n", f"namespace: {release.namespace}\n")
    release.kubectl("create", "--dry-run=server", "--validate=strict", "--filename=-", stdin=renamed(text))


def renamed(text: str) -> str:
    """Give the objects names that are not taken, and the pod a service account and a priority that are there."""
    text = text.replace("name: isotherm-", "name: other-").replace("\n  name: isotherm\n", "\n  name: other\n")
    text = text.replace("serviceAccountName: isotherm", "serviceAccountName: default")
    return text.replace("priorityClassName: business", "priorityClassName: system-cluster-critical")


def test_helm_test_follows_a_datum(release: Release) -> None:
    """`helm test` changes a row and sees it arrive as a browser would."""
    run("helm", "test", release.name, "--namespace", release.namespace, "--timeout", "5m")


@pytest.mark.parametrize("host", [None, ROUTE_HOST], ids=["Ingress", "HTTPRoute"])
async def test_row_reaches_browser(host: str | None, release: Release) -> None:
    """A row written to MySQL arrives at a browser behind the ingress within seconds."""
    with release.fetching_stopped():
        async with browser(host=host) as client:
            await client.until(1)
            location = client.mirror.ids[5]
            for value in (-51.3, 48.7):
                release.query("UPDATE weather_data SET temperature_2m = %s WHERE location_id = %s", value, location)
                await until_temperature(client, location, round(value * 10))


@pytest.mark.parametrize("host", [INGRESS, ROUTE_HOST], ids=["Ingress", "HTTPRoute"])
def test_page_is_behind_the_ingress_and_metrics_are_not(host: str, release: Release) -> None:
    """The page comes with its security headers; metrics and health stay inside."""
    status, headers, body = ask("/", host=host)
    assert status == 200
    assert {name.lower(): value for name, value in security.headers(()).items()}.items() <= headers.items()
    assert "<script" in body
    assert ask("/metrics", host=host)[0] == 404
    assert ask("/healthz", host=host)[0] == 404

    def whole() -> bool:
        grid = json.loads(ask("/api/v1/grid", host=host)[2])
        filled = [value for value in grid["layers"]["temperature_2m"] if value is not None]
        return len(grid["geometry"]["ids"]) == 612 and len(filled) >= 0.95 * 612 and set(grid["source"]) == {2}

    # A part of the first run may fail where the machine is busy; the next run asks for it again.
    eventually(whole, within_seconds=150, what="the whole map, of simulated weather")


def test_cronjob_fires_and_its_run_is_recorded(release: Release) -> None:
    """The schedule starts a run, the run is a row of fetch_runs, and the exporter makes metrics of it."""
    before = release.query("SELECT COALESCE(MAX(id), 0) FROM fetch_runs")[0][0]
    exported = last_success(release)
    jobs = "--selector=app.kubernetes.io/component=fetcher"

    def fired() -> bool:
        items = json.loads(release.kubectl("get", "jobs", jobs, "--output", "json"))["items"]
        return any(item["metadata"].get("ownerReferences") and item["status"].get("succeeded") for item in items)

    eventually(fired, within_seconds=150, what="the CronJob has fired")
    eventually(
        lambda: release.query("SELECT 1 FROM fetch_runs WHERE id > %s AND outcome = 'done'", before),
        within_seconds=90,
        what="a new run is recorded as done",
    )
    eventually(lambda: last_success(release) > exported, within_seconds=60, what="the new run is exported")


def last_success(release: Release) -> float:
    """Return when the last good run ended, as the exporter says."""
    text = release.metrics("fetcher-exporter", 9101)
    match = re.search(r"(?m)^isotherm_fetcher_last_success_timestamp_seconds ([\d.e+]+)$", text)
    assert match, text
    return float(match[1])


def test_every_service_has_metrics(release: Release) -> None:
    """Each service's metrics are on its own port."""
    for component, port in (("cdc", 9102), ("web", 9103), ("simulator", 9104)):
        assert f"isotherm_{component}_" in release.metrics(component, port), component


def test_killed_cdc_loses_nothing(release: Release) -> None:
    """The CDC's pod is killed three times under a writing load; MySQL and MongoDB end up equal row for row."""
    with release.fetching_stopped():
        locations = [row[0] for row in release.query("SELECT location_id FROM weather_data ORDER BY 1")]
        with Writer(release, locations) as writer:
            for _ in range(3):
                count = len(writer.acknowledged)
                eventually(
                    lambda c=count: len(writer.acknowledged) > min(c + 100, 600), within_seconds=60, what="writing"
                )
                release.kill("cdc")
                release.kubectl("rollout", "status", f"deployment/{release.name}-cdc", "--timeout=120s")
        release.wait_until_equal()
        stored = dict(release.query("SELECT location_id, temperature_2m FROM weather_data"))
    for location in writer.acknowledged:
        assert stored[location] in writer.possible(location)


async def test_upgrade_keeps_browsers(release: Release) -> None:
    """During an upgrade of the web pods a browser is closed with 1012 or 1001 and resumes without a snapshot."""
    async with browser() as client:
        await client.until(1)
        mirror = client.mirror
        upgrade = asyncio.create_task(asyncio.to_thread(release.upgrade, "--set", "web.settings.WEB_COALESCE_MS=50"))
        assert await code_of_close(client) in {1001, 1012}
    await resumed(mirror)
    await upgrade
    await resumed(mirror)
    location = mirror.ids[7]
    with release.fetching_stopped():
        async with browser(mirror) as client:
            release.query("UPDATE weather_data SET temperature_2m = 33.3 WHERE location_id = %s", location)
            await until_temperature(client, location, 333)


async def code_of_close(client: Client) -> int | None:
    """Receive until the server closes, and return its code."""
    try:
        while True:
            await client.receive()
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


async def resumed(mirror: Mirror) -> None:
    """Connect again and see that the server resumes where the browser stood."""
    async with browser(mirror) as client, asyncio.timeout(20):
        mirror.hello = None
        while mirror.hello is None:
            await client.receive()
        assert mirror.hello.mode == "resumed"


def test_new_installation_shows_the_same_rows(release: Release) -> None:
    """Volumes and passwords survive an uninstallation; with the passwords lost, one sentence says so."""
    release.kubectl("patch", f"cronjob/{release.name}-fetcher", "--patch", '{"spec": {"suspend": true}}')
    release.query(
        "INSERT INTO weather_history (location_id, valid_at, temperature_2m, source, run_id, fetched_at)"
        " SELECT 1, valid_at - INTERVAL 10 HOUR, -77.7, source, run_id, fetched_at FROM weather_data WHERE location_id = 1"
    )
    password = release.password("mysql-cdc-password")
    release.uninstall()
    saved = release.kubectl("get", "secret", f"{release.name}-credentials", "--output", "json")
    release.kubectl("delete", "secret", f"{release.name}-credentials")
    with pytest.raises(CommandError, match="restore the Secret, or delete the volumes to begin anew"):
        release.helm("install")
    release.kubectl("create", "--filename=-", stdin=saved)
    release.install()
    assert release.password("mysql-cdc-password") == password
    assert release.query("SELECT COUNT(*) FROM weather_history WHERE temperature_2m = -77.7") == [(1,)]
    with release.fetching_stopped():
        release.wait_until_equal()
    eventually(
        lambda: -77.7 in json.loads(ask("/api/v1/locations/1/series")[2])["temperature_2m"],
        within_seconds=60,
        what="the page's server shows the row",
    )
