"""A real Prometheus watches the running system: what is broken raises the right alert, and no other but its consequences.

Every query of dashboards and rules has an answer in the end. IsothermCdcRetrying is left out: with the waits between two tries
it takes a quarter of an hour to count fifty. The windows and `for` of the rules are shortened as the
chart's `metrics.rules.windows` and `metrics.rules.for` do; limits are the real ones.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import threading
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import ask
import pytest
from websockets.exceptions import ConnectionClosed

from cdc_support.fake_kubernetes import FakeKubernetes
from isotherm_local.errors import ProcessFailed
from isotherm_local.ports import HOST
from isotherm_web.client import connect
from observability.rehearsal import OF_A_SLOW_MACHINE, RULES, Watch, hurry, targets_of
from web_support.stalled import stalled_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from isotherm_local.harness import Pipeline, Servers

SETTINGS = {
    "FETCHER_QUOTA_PER_DAY": "20000000",
    "WEB_MAX_CONNECTIONS": "5",
    "WEB_SLOW_AFTER_SECONDS": "1",
    "WEB_SILENT_AFTER_SECONDS": "600",
    "CDC_MAX_BATCH_BYTES": str(1 << 20),
    "CDC_MAX_QUEUE_BYTES": str(2 << 20),
    "LOG_LEVEL": "info",
}
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def system(servers: Servers) -> Iterator[Pipeline]:
    """Every service, running."""
    with servers.weather(region="46,2,49,6", interval_seconds=10, settings=SETTINGS) as prepared:
        yield prepared.start_all()


@pytest.fixture(scope="module")
def watch(prometheus: str, system: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    """Prometheus, which scrapes the services every other second."""
    folder: Path = tmp_path_factory.mktemp("prometheus")
    rules = hurry(RULES.read_text(encoding="utf-8"))
    with Watch.running(prometheus, folder, rules, targets_of(system)) as running:
        yield running


@pytest.fixture(autouse=True)
def _mended(system: Pipeline) -> Iterator[None]:
    """Let the next test find everything at work, however this one ends."""
    yield
    system.servers.mongodb.signal(signal.SIGCONT)
    system.servers.ensure_running()
    execute(system, "ALTER USER isotherm_cdc ACCOUNT UNLOCK")
    for process in system.processes.values():
        process.signal(signal.SIGCONT)
        if not process.running:
            process.start().wait_ready()


def execute(pipeline: Pipeline, statement: str) -> None:
    """Execute a statement as root."""
    with contextlib.closing(pipeline.mysql()) as connection, connection.cursor() as cursor:
        cursor.execute(statement)


@contextlib.contextmanager
def again_and_again(do: Callable[[], None], every_seconds: float) -> Iterator[None]:
    """Do something beside the block until it ends."""
    stop = threading.Event()

    def go() -> None:
        while not stop.wait(every_seconds):
            do()

    thread = threading.Thread(target=go)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextlib.contextmanager
def stopped(pipeline: Pipeline, name: str) -> Iterator[None]:
    """Let a service be away."""
    pipeline.processes[name].stop()
    try:
        yield
    finally:
        pipeline.processes[name].start().wait_ready()


@contextlib.contextmanager
def fault(pipeline: Pipeline, **what: Any) -> Iterator[None]:
    """Let the simulator answer wrongly."""
    address = f"http://{HOST}:{pipeline.stack.ports.simulator}/faults"
    urllib.request.urlopen(urllib.request.Request(address, json.dumps(what).encode()), timeout=10).close()
    try:
        yield
    finally:
        urllib.request.urlopen(urllib.request.Request(address, method="DELETE"), timeout=10).close()


def writing(pipeline: Pipeline, table: str = "weather_data") -> contextlib.AbstractContextManager[None]:
    """Change many rows again and again."""
    value = "ROUND(RAND() * 30, 1)" if table == "weather_data" else "JSON_ARRAY(RAND())"
    return again_and_again(lambda: execute(pipeline, f"UPDATE {table} SET temperature_2m = {value}"), 0.1)


def test_nothing_fires_while_all_is_well(watch: Watch) -> None:
    """Alerts that cry without a cause teach people not to look."""
    with watch.expecting():
        pass


def test_the_simulator_is_stopped(watch: Watch, system: Pipeline) -> None:
    """Runs fail, and nothing else is wrong: the map keeps its values."""
    with watch.expecting("IsothermFetchFailing") as fires, stopped(system, "simulator"):
        fires()


def test_open_meteo_is_overloaded(watch: Watch, system: Pipeline) -> None:
    """Some points fail, others do not."""
    failing = watch.expecting("IsothermFetchPointsFailing", beside=("IsothermFetchFailing",))
    with failing as fires, fault(system, kind="garbage"):
        fires()


def test_the_quota_is_spent(watch: Watch, system: Pipeline) -> None:
    """Open-Meteo refuses until the day is over."""
    with watch.expecting("IsothermFetchBlocked") as fires, fault(system, kind="daily_limit"):
        fires()
        system.processes["fetcher"].stop()
        execute(system, "UPDATE fetch_runs SET blocked_until = NULL")
        system.processes["fetcher"].start()


def test_no_run_begins(watch: Watch, system: Pipeline) -> None:
    """The schedule is suspended, and an hour passes: the record of runs is set back."""
    with watch.expecting("IsothermFetchOverdue", "IsothermFetchNoSuccess") as fires, stopped(system, "fetcher"):
        earlier = "started_at = started_at - INTERVAL 2 HOUR, finished_at = finished_at - INTERVAL 2 HOUR"
        execute(system, f"UPDATE fetch_runs SET {earlier} ORDER BY id DESC LIMIT 50")
        fires()


def test_locations_have_no_data(watch: Watch, system: Pipeline) -> None:
    """Many of the region's locations have never been fetched."""
    with watch.expecting("IsothermMapIncomplete") as fires, stopped(system, "fetcher"):
        execute(system, "DELETE FROM weather_data WHERE location_id % 5 = 0")
        fires()


def test_the_exporter_is_stopped(watch: Watch, system: Pipeline) -> None:
    """Nobody would notice that nothing is fetched."""
    with watch.expecting("IsothermFetcherAbsent") as fires, stopped(system, "exporter"):
        fires()


def test_the_exporter_cannot_read(watch: Watch, system: Pipeline) -> None:
    """Its table is locked: it goes on with what it knew, and so does the map with what it has."""
    stale = watch.expecting("IsothermFetcherExporterStale", beside=("IsothermFetchFailing",))
    with stale as fires, contextlib.closing(system.mysql()) as connection:
        connection.cursor().execute("LOCK TABLES fetch_runs WRITE")
        fires()


def kill_connections(pipeline: Pipeline, user: str) -> None:
    """End a user's connections to MySQL."""
    with contextlib.closing(pipeline.mysql()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE user = %s", (user,))
        for (number,) in cursor.fetchall():
            with contextlib.suppress(Exception):
                cursor.execute(f"KILL {number}")


def test_the_cdc_is_stopped(watch: Watch, system: Pipeline) -> None:
    """Its metrics are away; the web servers hear nothing."""
    expected = ("IsothermCdcAbsent", "IsothermTargetDown", "IsothermWebChangeStreamSilent")
    with watch.expecting(*expected) as fires, stopped(system, "cdc"):
        fires()


def test_the_cdc_is_paused_and_forgotten(watch: Watch, system: Pipeline) -> None:
    """Nobody has told it to go on."""
    with watch.expecting("IsothermCdcPaused") as fires:
        operate(system, "pause")
        try:
            fires()
        finally:
            operate(system, "resume")


def operate(pipeline: Pipeline, *arguments: str) -> None:
    """Run a command of the CDC."""
    spec = pipeline.spec("cdc")
    environment = dict(spec.environment or {})
    subprocess.run([*spec.command, *arguments], env=environment, check=True, capture_output=True, timeout=60)


def test_nobody_holds_the_lease(watch: Watch, system: Pipeline, tmp_path: Path) -> None:
    """The API server refuses, so the reader stands by and nobody reads."""
    restarted = ("IsothermCdcAbsent", "IsothermTargetDown")
    with watch.expecting("IsothermCdcNoLeader", beside=restarted) as fires, FakeKubernetes() as kubernetes:
        kubernetes.status = 503
        lease = {
            "CDC_LEASE_NAME": "cdc",
            "CDC_LEASE_NAMESPACE": "weather",
            "KUBECONFIG": str(kubernetes.kubeconfig(tmp_path)),
        }
        reader = system.processes["cdc"]
        reader.stop()
        try:
            system.start("cdc", ready=False, settings=lease)
            fires()
        finally:
            system.processes["cdc"].stop()
            system.processes["cdc"] = reader.start().wait_ready()


def test_the_cdc_may_not_log_in(watch: Watch, system: Pipeline) -> None:
    """It runs, and does not read."""
    with watch.expecting("IsothermCdcDisconnected") as fires:
        execute(system, "ALTER USER isotherm_cdc ACCOUNT LOCK")
        kill_connections(system, "isotherm_cdc")
        fires()
        execute(system, "ALTER USER isotherm_cdc ACCOUNT UNLOCK")


def test_the_cdc_loses_its_connection_again_and_again(watch: Watch, system: Pipeline) -> None:
    """Something between it and MySQL cuts connections."""
    cut = again_and_again(lambda: kill_connections(system, "isotherm_cdc"), 2.0)
    with watch.expecting("IsothermCdcReconnecting", beside=("IsothermCdcDisconnected",)) as fires, cut:
        fires()


def test_a_row_is_poisoned(watch: Watch, system: Pipeline) -> None:
    """A row that no document can hold."""
    with watch.expecting("IsothermCdcDeadLetters") as fires, stopped(system, "fetcher"):
        bad = r"""JSON_OBJECT('x\0y', 1)"""
        execute(system, f"UPDATE weather_forecast SET temperature_2m = {bad} ORDER BY location_id LIMIT 1")
        fires()


def test_mongodb_stands_still(watch: Watch, system: Pipeline) -> None:
    """What MySQL changes waits, until no more may wait."""
    mongodb = system.servers.mongodb
    expected = ("IsothermCdcCheckpointOld", "IsothermCdcLagging", "IsothermCdcBackPressure")
    with watch.expecting(*expected, beside=MONGODB_AWAY) as fires, writing(system, "weather_forecast"):
        mongodb.signal(signal.SIGSTOP)
        try:
            fires()
        finally:
            mongodb.signal(signal.SIGCONT)


MONGODB_AWAY = ("IsothermCdcReconnecting", "IsothermCdcRetrying", "IsothermWebNotFollowing", "IsothermWebHttpErrors")


def test_mongodb_is_stopped(watch: Watch, system: Pipeline) -> None:
    """The web servers show their last state and say that they cannot read what they do not hold."""

    def look() -> None:
        with contextlib.suppress(urllib.error.HTTPError):
            system.get("/api/v1/locations/1/series")

    expected = ("IsothermWebNotFollowing", "IsothermWebHttpErrors")
    beside = (*MONGODB_AWAY, "IsothermCdcCheckpointOld", "IsothermCdcLagging", "IsothermCdcBackPressure")
    with watch.expecting(*expected, beside=beside) as fires, again_and_again(look, 0.2):
        system.servers.mongodb.stop()
        try:
            fires()
        finally:
            system.servers.mongodb.start().wait_ready()


def test_a_snapshot_does_not_go_on(watch: Watch, system: Pipeline) -> None:
    """Somebody has locked the table that is to be read."""
    stuck = watch.expecting("IsothermCdcSnapshotStuck")
    with stuck as fires, stopped(system, "fetcher"), contextlib.closing(system.mysql()) as connection:
        connection.cursor().execute("LOCK TABLES weather_history WRITE")
        operate(system, "snapshot", f"{system.database}.weather_history")
        fires()


def test_the_web_server_is_stopped(watch: Watch, system: Pipeline) -> None:
    """The page cannot be opened."""
    with watch.expecting("IsothermWebAbsent") as fires, stopped(system, "web"):
        fires()


async def test_more_browsers_come_than_may(watch: Watch, system: Pipeline) -> None:
    """The seventh is refused."""
    expected = ("IsothermWebFull", "IsothermWebsocketBudgetBurnsFast", "IsothermWebsocketBudgetBurnsSlowly")
    with watch.expecting(*expected) as fires:
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(5):
                await (await stack.enter_async_context(connect(system.websocket_url))).until(1)
            for _ in range(6):
                with contextlib.suppress(ConnectionClosed):
                    async with connect(system.websocket_url) as refused:
                        await refused.until(1)
            fires()


def test_a_browser_does_not_read(watch: Watch, system: Pipeline) -> None:
    """Its buffer is full, and it is closed."""
    stalled = stalled_client(system.stack.ports.page)
    with watch.expecting("IsothermWebSlowClients") as fires, stalled, writing(system):
        fires()


def test_the_web_server_has_too_much_to_do(watch: Watch, system: Pipeline) -> None:
    """Its event loop is late again and again, and so are the changes."""
    web = system.processes["web"]

    def hold_up() -> None:
        web.signal(signal.SIGSTOP)
        threading.Event().wait(0.7)
        web.signal(signal.SIGCONT)

    blocked = watch.expecting("IsothermWebEventLoopBlocked", beside=("IsothermTargetDown",))
    with blocked as fires, again_and_again(hold_up, 0.2):
        fires()


def test_somebody_else_writes(watch: Watch, system: Pipeline) -> None:
    """A document that does not come from MySQL."""
    with watch.expecting("IsothermWebForeignWrites") as fires, system.mongodb() as client:
        client[system.database]["weather_data"].insert_one({"_id": 999_999})
        fires()
        client[system.database]["weather_data"].delete_one({"_id": 999_999})


def test_the_cdc_restarts_again_and_again(watch: Watch, system: Pipeline) -> None:
    """It comes up, and ends."""
    with watch.expecting("IsothermRestarting", beside=("IsothermTargetDown", "IsothermCdcNoLeader")) as fires:
        for _ in range(5):
            system.processes["cdc"].restart()
            system.until(
                lambda: bool(watch.ask('isotherm_cdc_connected{component="cdc"} == 1')), what="a look at the CDC"
            )
        fires()


def test_files_run_out(watch: Watch, system: Pipeline) -> None:
    """The limit of open files is too low."""
    pid = system.processes["web"].pid
    with watch.expecting("IsothermFilesRunOut") as fires:
        (number,) = watch.ask('process_open_fds{component="web"}')
        (most,) = watch.ask('process_max_fds{component="web"}')
        limit = int(float(number["value"][1]) * 1.1)
        subprocess.run(["prlimit", f"--pid={pid}", f"--nofile={limit}:"], check=True)
        fires()
        subprocess.run(["prlimit", f"--pid={pid}", f"--nofile={int(float(most['value'][1]))}:"], check=True)


def test_the_map_grows_old(watch: Watch, system: Pipeline) -> None:
    """Its oldest value is older than it may be."""
    expected = ("IsothermFreshnessBudgetBurnsFast", "IsothermFreshnessBudgetBurnsSlowly")
    with watch.expecting(*expected) as fires, stopped(system, "fetcher"):
        execute(system, "UPDATE weather_data SET valid_at = valid_at - INTERVAL 1 DAY ORDER BY location_id LIMIT 1")
        fires()


def test_changes_come_late(watch: Watch, system: Pipeline) -> None:
    """The CDC works, and slowly."""
    cdc = system.processes["cdc"]

    def hold_up() -> None:
        cdc.signal(signal.SIGSTOP)
        threading.Event().wait(2.5)
        cdc.signal(signal.SIGCONT)

    with (
        watch.expecting(*sorted(OF_A_SLOW_MACHINE), beside=("IsothermTargetDown",)) as fires,
        writing(system),
        again_and_again(hold_up, 1.0),
    ):
        fires()


async def test_every_query_has_an_answer(watch: Watch, system: Pipeline) -> None:
    """Nothing on the dashboards stays empty, and no rule asks for what nobody says."""
    async with connect(system.websocket_url) as client:
        await client.until(1)

        def unanswered() -> dict[str, str]:
            system.get("/api/v1/grid")
            return ask.unanswered(watch.ask, "30s")

        # What happens for the first time is a rate only when Prometheus has looked twice.
        with contextlib.suppress(ProcessFailed):
            system.until(lambda: not unanswered(), seconds=60, what="every query has an answer")
        assert unanswered() == {}
