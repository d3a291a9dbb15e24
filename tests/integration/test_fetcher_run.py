"""The fetcher against a real MySQL and the simulator: what is stored, and what is not, whatever goes wrong."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pymysql
import pytest

from isotherm_common.retry import RetryPolicy
from isotherm_common.settings import LogSettings, MysqlSettings, Secret
from isotherm_common.shutdown import Shutdown
from isotherm_fetcher import store
from isotherm_fetcher.errors import AnotherRunner
from isotherm_fetcher.mysql import Database, open_database
from isotherm_fetcher.open_meteo import OpenMeteo
from isotherm_fetcher.planner import Policy
from isotherm_fetcher.quota import Limits
from isotherm_fetcher.regions import PRESETS, Grid, grid, place
from isotherm_fetcher.rows import Current, Hourly, Weather
from isotherm_fetcher.run import run_once
from isotherm_fetcher.settings import OpenMeteoSettings
from isotherm_fetcher.task import Result, Task
from isotherm_setup.migrate import migrate
from isotherm_setup.migrations import read
from isotherm_setup.settings import MigrateSettings, SchemaSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pymysql.connections import Connection
    from pymysql.cursors import Cursor

DEADLINE_SECONDS = 60.0
COARSE = {"FETCHER_STEP_DEGREES": "20"}  # 9 parallels by 18 meridians
POINTS = 162
QUOTA = {"FETCHER_QUOTA_PER_MINUTE": "600", "FETCHER_QUOTA_PER_HOUR": "5000", "FETCHER_QUOTA_PER_DAY": "10000"}


def eventually(probe: Callable[[], Any]) -> Any:
    """Return the first true answer of `probe`."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        if answer := probe():
            return answer
        time.sleep(0.02)
    pytest.fail("it did not happen in time")


@dataclass
class Simulator:
    """A running simulator."""

    url: str

    def fault(self, kind: str, **details: Any) -> None:
        httpx.post(f"{self.url}/faults", json={"kind": kind, **details}).raise_for_status()

    def happened(self) -> dict[str, int]:
        """Return how often each fault has met a request."""
        counts: dict[str, int] = httpx.get(f"{self.url}/faults").json()["happened"]
        return counts

    def clear(self) -> None:
        httpx.delete(f"{self.url}/faults").raise_for_status()


@pytest.fixture(scope="module")
def simulator_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """The simulator without a quota of its own."""
    log = tmp_path_factory.mktemp("simulator") / "log"
    environ = {
        "PATH": os.environ["PATH"],
        "SIMULATOR_HOST": "127.0.0.1",
        "SIMULATOR_PORT": "0",
        "SIMULATOR_QUOTA": "false",
        "METRICS_HOST": "127.0.0.1",
        "METRICS_PORT": "0",
    }
    with log.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-m", "isotherm_simulator"], stderr=file, env=environ)
    try:
        port = eventually(lambda: re.search(r'"port": (\d+)', log.read_text(encoding="utf-8")))[1]
        url = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            with contextlib.suppress(httpx.TransportError):
                return httpx.get(f"{url}/faults").is_success
            return False

        eventually(answers)
        yield Simulator(url)
    finally:
        process.terminate()
        process.wait(DEADLINE_SECONDS)


@pytest.fixture
def simulator(simulator_process: Simulator) -> Iterator[Simulator]:
    """The simulator without any fault."""
    simulator_process.clear()
    yield simulator_process
    simulator_process.clear()


@dataclass
class World:
    """A freshly migrated database with its users, and the simulator."""

    admin: Connection[Any]
    fetcher: MysqlSettings
    exporter: MysqlSettings
    simulator: Simulator

    def rows(self, statement: str) -> list[dict[str, Any]]:
        with self.admin.cursor(pymysql.cursors.DictCursor) as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def value(self, expression: str) -> Any:
        (row,) = self.rows(f"SELECT {expression} AS v")
        return row["v"]

    def execute(self, statement: str, parameters: Any = None) -> None:
        with self.admin.cursor() as cursor:
            cursor.execute(statement, parameters)

    def environ(self, user: MysqlSettings, **changes: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "MYSQL_HOST": user.host,
            "MYSQL_PORT": str(user.port),
            "MYSQL_USER": user.user,
            "MYSQL_PASSWORD": user.password.value,
            "MYSQL_DATABASE": user.database,
            "METRICS_HOST": "127.0.0.1",
            "METRICS_PORT": "0",
            "OPEN_METEO_URL": self.simulator.url,
            **COARSE,
            **changes,
        }

    def command(self, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "isotherm_fetcher", *arguments],
            env=self.environ(self.fetcher, **changes),
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )

    def start(self, *arguments: str, **changes: str) -> subprocess.Popen[bytes]:
        """Start the command."""
        return subprocess.Popen(
            [sys.executable, "-m", "isotherm_fetcher", *arguments],
            env=self.environ(self.fetcher, **changes),
            stderr=subprocess.DEVNULL,
        )

    @property
    def newest_run(self) -> dict[str, Any]:
        return self.rows("SELECT * FROM fetch_runs ORDER BY id DESC LIMIT 1")[0]


@pytest.fixture
def world(mysql_admin: Callable[[], Connection[Any]], simulator: Simulator) -> Iterator[World]:
    """A database and users of this test alone."""
    mark = secrets.token_hex(4)
    with contextlib.closing(mysql_admin()) as admin:
        admin.autocommit(True)
        user = admin.user.decode() if isinstance(admin.user, bytes) else str(admin.user)
        password = admin.password.decode() if isinstance(admin.password, bytes) else str(admin.password)
        schema = SchemaSettings(
            database=f"fetcher_{mark}",
            fetcher_user=f"fetcher_{mark}",
            fetcher_password=Secret(mark),
            exporter_user=f"exporter_{mark}",
            exporter_password=Secret(mark),
        )
        settings = MigrateSettings(
            schema=schema,
            host=str(admin.host),
            port=admin.port,
            admin_user=user,
            admin_password=Secret(password),
            log=LogSettings(),
        )
        migrate(settings, read(), Shutdown())
        admin.select_db(schema.database)
        mysql = MysqlSettings(
            user=schema.fetcher_user,
            password=Secret(mark),
            host=str(admin.host),
            port=admin.port,
            database=schema.database,
        )
        try:
            yield World(admin, mysql, replace(mysql, user=schema.exporter_user), simulator)
        finally:
            with admin.cursor() as cursor:
                cursor.execute(f"DROP DATABASE `{schema.database}`")
                cursor.execute(f"DROP USER `{schema.fetcher_user}`@`%`, `{schema.exporter_user}`@`%`")


class VirtualShutdown(Shutdown):
    """Waiting for the next minute moves the clock."""

    def __init__(self) -> None:
        super().__init__()
        hour = time.time() // 3600 * 3600
        # Not in the day's first hour, when a whole sweep leaves less than an even share for each later run.
        self.now = (hour if hour % 86_400 else hour + 3600) + 1805
        self.waited = 0.0

    def wait(self, seconds: float | None = None) -> bool:
        self.now += seconds or 0
        self.waited += seconds or 0
        return self.requested


@pytest.fixture
def database(world: World) -> Iterator[Database]:
    """A connection of the fetcher's user."""
    with open_database(world.fetcher, Shutdown()) as opened:
        yield opened


def task(limits: Limits, step: float = 20, points_per_request: int = 100) -> Task:
    return Task(
        region=grid(Grid(PRESETS["global"].box, step)),
        policy=Policy(limits, points_per_request=points_per_request),
        simulated=True,
        history_seconds=72 * 3600,
        runs_seconds=30 * 86_400,
        retries=RetryPolicy(initial_seconds=0.01, maximum_seconds=0.02),
    )


def once(world: World, database: Database, wanted: Task, shutdown: VirtualShutdown) -> Result:
    with OpenMeteo(OpenMeteoSettings(url=world.simulator.url)) as upstream:
        return run_once(wanted, database, upstream, shutdown, lambda: shutdown.now)


@pytest.mark.contract("S3", "S4", "S5", "S6", "E7")
def test_a_first_run_stores_the_whole_region(world: World) -> None:
    """Latest values, history and forecast of every location, all of them marked as simulated, and the run's record."""
    done = world.command(**QUOTA)
    assert (done.returncode, done.stdout) == (0, "")
    assert all(json.loads(line)["run_id"] == 1 for line in done.stderr.splitlines())
    for table in ("weather_data", "weather_history", "weather_forecast"):
        assert world.rows(f"SELECT COUNT(*) AS n, source, run_id FROM {table} GROUP BY source, run_id") == [
            {"n": POINTS, "source": "simulator", "run_id": 1}
        ]
    assert world.value("(SELECT COUNT(*) FROM locations WHERE active AND elevation IS NOT NULL)") == POINTS
    assert (
        world.value("(SELECT COUNT(*) FROM weather_data WHERE temperature_2m IS NULL OR wind_speed_10m IS NULL)") == 0
    )
    (forecast,) = world.rows("SELECT * FROM weather_forecast LIMIT 1")
    series = {name: json.loads(forecast[name]) for name in ("valid_at", "temperature_2m", "wind_speed_10m")}
    assert {len(values) for values in series.values()} == {72}
    assert all(
        later - earlier == 3600 for earlier, later in zip(series["valid_at"], series["valid_at"][1:], strict=False)
    )
    run = world.newest_run
    assert (run["outcome"], run["source"], run["points_asked"], run["points_stored"]) == ("done", "simulator", 162, 162)
    assert json.loads(run["upstream_status"]) == {"200": 2}
    assert json.loads(run["upstream_latency_buckets"])["+Inf"] == 2
    assert sum(json.loads(run["weight_by_minute"]).values()) == POINTS
    assert run["finished_at"] > run["started_at"]
    assert run["error"] is None


def test_the_whole_global_grid_is_swept_across_two_minutes(world: World, database: Database) -> None:
    """600 points in the first minute, twelve in the next, nothing twice; the next run has its share."""
    shutdown = VirtualShutdown()
    wanted = task(Limits(600, 5000, 10_000), step=10)
    result = once(world, database, wanted, shutdown)
    assert (result.outcome, result.stored) == ("done", 612)
    assert shutdown.waited == pytest.approx(56, abs=2)
    assert sorted(json.loads(world.newest_run["weight_by_minute"]).values()) == [12, 600]
    shutdown.now += 600
    assert once(world, database, wanted, shutdown).stored == 69
    assert world.value("(SELECT COUNT(*) FROM weather_data WHERE run_id = 2)") == 69


@pytest.mark.contract("S6")
def test_a_run_killed_half_way_loses_nothing_and_the_next_continues(world: World) -> None:
    """What it stored stays, what it spent is remembered, its row is marked as died, and only the rest is asked for."""
    world.simulator.fault("slow", seconds=0.4)
    process = world.start(FETCHER_POINTS_PER_REQUEST="20", **QUOTA)
    eventually(lambda: (world.value("(SELECT MAX(points_stored) FROM fetch_runs)") or 0) >= 40)
    process.send_signal(signal.SIGKILL)
    process.wait(DEADLINE_SECONDS)
    world.simulator.clear()
    stored = world.newest_run["points_stored"]
    assert world.newest_run["outcome"] == "running"
    assert 0 < stored < POINTS
    assert world.value("(SELECT COUNT(*) FROM weather_data)") == stored
    spent = sum(json.loads(world.newest_run["weight_by_minute"]).values())
    assert stored <= spent <= stored + 20

    assert world.command(**QUOTA).returncode == 0
    died, following = world.rows("SELECT * FROM fetch_runs ORDER BY id")
    assert (died["outcome"], died["finished_at"], died["points_stored"]) == ("died", None, stored)
    assert following["points_stored"] == POINTS - spent
    assert world.value("(SELECT COUNT(*) FROM weather_data WHERE run_id = 1)") == stored
    assert world.command(**QUOTA).returncode == 0
    assert world.value("(SELECT COUNT(*) FROM weather_data)") == POINTS


@pytest.mark.contract("E4", "E5")
def test_sigterm_ends_a_run_after_its_part(world: World) -> None:
    """The part that was begun is stored, the run is partly done, and the exit code is 0."""
    world.simulator.fault("slow", seconds=0.4)
    process = world.start(FETCHER_POINTS_PER_REQUEST="20")
    eventually(lambda: world.value("(SELECT MAX(points_stored) FROM fetch_runs)"))
    process.terminate()
    assert process.wait(DEADLINE_SECONDS) == 0
    run = world.newest_run
    assert (run["outcome"], run["error"]) == ("partial", "stopped by a signal")
    assert 0 < world.value("(SELECT COUNT(*) FROM weather_data)") == run["points_stored"] < POINTS


def test_a_spent_minute_is_waited_for(world: World, database: Database) -> None:
    """The refusal costs one point; everything is stored in the next minute."""
    world.simulator.fault("minutely_limit", count=1)
    shutdown = VirtualShutdown()
    result = once(world, database, task(Limits(600, 5000, 10_000)), shutdown)
    assert (result.outcome, result.stored) == ("done", POINTS)
    assert shutdown.waited == pytest.approx(56, abs=2)
    assert json.loads(world.newest_run["upstream_status"]) == {"200": 2, "429": 1}
    assert sum(json.loads(world.newest_run["weight_by_minute"]).values()) == POINTS + 1


@pytest.mark.contract("E4")
@pytest.mark.parametrize(("kind", "seconds"), [("hourly_limit", 3600), ("daily_limit", 86_400)])
def test_a_spent_hour_or_day_ends_the_run_until_it_clears(world: World, kind: str, seconds: int) -> None:
    """Exit code 75; the next run does not even ask; both are recorded."""
    world.simulator.fault(kind)
    ended = world.command(**QUOTA)
    assert ended.returncode == 75
    assert "The quota is spent" in ended.stderr.splitlines()[-1]
    run = world.newest_run
    assert (run["outcome"], run["points_stored"]) == ("quota", 0)
    until = run["blocked_until"].replace(tzinfo=UTC).timestamp()
    assert until % seconds == 0
    assert time.time() < until <= time.time() + seconds
    world.simulator.clear()
    assert world.command(**QUOTA).returncode == 75
    assert json.loads(world.newest_run["upstream_status"]) == {}


@pytest.mark.parametrize(
    ("kind", "status"),
    [("stream_error", "error"), ("garbage", "error"), ("drop", "error"), ("overloaded", "503"), ("concurrent", "429")],
)
def test_a_passing_fault_is_retried(world: World, database: Database, kind: str, status: str) -> None:
    """Nothing of a broken answer is stored; the part is asked for again and stored whole."""
    world.simulator.fault(kind, count=1)
    result = once(world, database, task(Limits()), VirtualShutdown())
    assert (result.outcome, result.stored) == ("done", POINTS)
    assert json.loads(world.newest_run["upstream_status"]) == {"200": 2, status: 1}


def test_a_lasting_fault_fails_the_run_and_touches_nothing(world: World, database: Database) -> None:
    """What was stored before stays as it was, to the row."""
    shutdown = VirtualShutdown()
    once(world, database, task(Limits()), shutdown)
    before = world.rows("SELECT * FROM weather_data ORDER BY location_id")
    world.simulator.fault("stream_error")
    shutdown.now += 600
    result = once(world, database, task(Limits()), shutdown)
    assert (result.outcome, result.stored) == ("failed", 0)
    assert "broke off" in (result.error or "")
    assert world.rows("SELECT * FROM weather_data ORDER BY location_id") == before


def test_nulls_are_stored_as_nulls(world: World, database: Database) -> None:
    """A value that the model does not have is NULL in the table and null in the series."""
    world.simulator.fault("nulls", fraction=0.2)
    result = once(world, database, task(Limits()), VirtualShutdown())
    assert result.stored + result.failed == POINTS  # a location that lost all its current values is not stored
    assert result.stored > POINTS - 10
    assert 0 < world.value("(SELECT COUNT(*) FROM weather_data WHERE temperature_2m IS NULL)") < POINTS
    forecasts = world.rows("SELECT temperature_2m FROM weather_forecast")
    assert any(None in json.loads(forecast["temperature_2m"]) for forecast in forecasts)


@pytest.mark.contract("E4")
def test_there_is_one_runner_at_a_time(world: World, database: Database) -> None:
    """A second one ends with 75 and a sentence, and leaves no trace; in another database it would have run."""
    with database.runner_lock():
        ended = world.command()
        assert ended.returncode == 75
        assert f"Another fetcher is at work in database '{world.fetcher.database}'" in ended.stderr
        assert world.rows("SELECT id FROM fetch_runs") == []
    assert world.command().returncode == 0
    with (
        database.runner_lock(),
        Database(world.fetcher, Shutdown()) as other,
        pytest.raises(AnotherRunner),
        other.runner_lock(),
    ):
        pass


@pytest.mark.contract("E4")
def test_a_run_waits_for_the_one_at_work(world: World, database: Database) -> None:
    """With FETCHER_RUNNER_WAIT_SECONDS it begins when the other has ended, and is done; asked to end, it ends."""
    waiting = "(SELECT COUNT(*) FROM information_schema.processlist WHERE user = '%s' AND state = 'User lock')"
    with database.runner_lock():
        processes = [world.start(FETCHER_RUNNER_WAIT_SECONDS="300") for _ in range(2)]
        eventually(lambda: world.value(waiting % world.fetcher.user) == len(processes))
        processes[1].terminate()
        assert processes[1].wait(DEADLINE_SECONDS) == 0
        assert world.rows("SELECT id FROM fetch_runs") == []
    assert processes[0].wait(DEADLINE_SECONDS) == 0
    assert [run["outcome"] for run in world.rows("SELECT outcome FROM fetch_runs")] == ["done"]


def test_a_dry_run_prints_the_plan_and_touches_nothing(world: World) -> None:
    """Neither the tables nor Open-Meteo, which here would refuse."""
    world.simulator.fault("daily_limit")
    happened = world.simulator.happened()
    told = world.command("--dry-run", **QUOTA)
    assert told.returncode == 0
    assert told.stdout.splitlines()[0] == "Region global: 162 locations (162 new, 0 come back, 0 leave)"
    assert "Cost: 162; left for later runs: 0 points" in told.stdout
    for table in ("locations", "fetch_runs", "weather_data"):
        assert world.rows(f"SELECT * FROM {table}") == []
    assert world.simulator.happened() == happened


@pytest.mark.contract("S8")
def test_a_missing_schema_is_waited_for(world: World) -> None:
    """The run begins when the migration has been there."""
    world.execute("RENAME TABLE schema_version TO hidden")
    process = world.start()
    try:
        threading.Event().wait(1.5)
        assert process.poll() is None
        assert world.rows("SELECT id FROM fetch_runs") == []
    finally:
        world.execute("RENAME TABLE hidden TO schema_version")
    assert process.wait(DEADLINE_SECONDS) == 0
    assert world.newest_run["outcome"] == "done"


@pytest.mark.contract("S2")
def test_a_location_that_left_comes_back_under_its_id(world: World, tmp_path: Path) -> None:
    """Its latest values go at once, its history stays; nothing is ever renumbered."""
    file = tmp_path / "places.csv"
    places = {"FETCHER_STEP_DEGREES": "", "FETCHER_PLACES_FILE": str(file)}
    file.write_text("name,latitude,longitude\nBerlin,52.52,13.405\nOslo,59.91,10.75\n", encoding="utf-8")
    assert world.command(**places).returncode == 0
    before = world.rows("SELECT id, name FROM locations ORDER BY id")
    file.write_text("name,latitude,longitude\nKristiania,59.91,10.75\n", encoding="utf-8")
    assert world.command(**places).returncode == 0
    berlin = before[0]["id"]
    assert world.rows("SELECT name, active FROM locations ORDER BY id") == [
        {"name": "Berlin", "active": 0},
        {"name": "Kristiania", "active": 1},
    ]
    for table, count in (("weather_data", 0), ("weather_forecast", 0), ("weather_history", 1)):
        assert world.value(f"(SELECT COUNT(*) FROM {table} WHERE location_id = {berlin})") == count
    file.write_text("name,latitude,longitude\nBerlin,52.52,13.405\nOslo,59.91,10.75\n", encoding="utf-8")
    assert world.command(**places).returncode == 0
    assert world.rows("SELECT id, name FROM locations ORDER BY id") == before
    assert world.value(f"(SELECT COUNT(*) FROM weather_data WHERE location_id = {berlin})") == 1


def test_old_rows_are_removed_in_bounded_deletes(world: World, database: Database) -> None:
    """More than fit one statement; what is younger than its retention stays."""
    old = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=40)
    rows = [(1, old + timedelta(minutes=15 * number), old) for number in range(1200)]
    with world.admin.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO weather_history (location_id, valid_at, source, run_id, fetched_at) VALUES (%s, %s, 'simulator', 1, %s)",
            rows,
        )
        cursor.executemany(
            "INSERT INTO fetch_runs (started_at, outcome) VALUES (%s, %s)",
            [(old, "done"), (old + timedelta(days=39), "done")],
        )
    once(world, database, task(Limits()), VirtualShutdown())
    assert world.value("(SELECT COUNT(*) FROM weather_history)") == POINTS
    assert [run["id"] for run in world.rows("SELECT id FROM fetch_runs ORDER BY id")] == [2, 3]


def weather(location_id: int, valid_at: int, temperature: float) -> Weather:
    series: tuple[float | None, ...] = (temperature, None)
    return Weather(
        location_id,
        1.0,
        2.0,
        3.0,
        Current(valid_at, temperature, 1.0, 2.0, None, None, None, 3),
        Hourly((valid_at, valid_at + 3600), series, series, series),
    )


@pytest.mark.contract("S3", "S4", "S5")
@pytest.mark.parametrize(
    ("source", "valid_at", "fetched_at", "replaced"),
    [
        ("open-meteo", 900, 1000.5, True),
        ("open-meteo", 0, 1000.0, True),
        ("open-meteo", 0, 999.999999, False),
        ("open-meteo", -900, 1000.5, False),
        ("open-meteo", 900, 999.0, False),
        ("simulator", -900, 1000.5, True),
    ],
)
def test_newer_weather_is_never_replaced_by_older(
    world: World, database: Database, source: Any, valid_at: int, fetched_at: float, replaced: bool
) -> None:
    """By the model's time or by ours; only simulated weather, whose time may run ahead, yields to what was fetched later."""
    start = 1_795_534_200
    store.synchronise(database, [place(1, 2)])
    (location,) = store.active_locations(database, simulated=True)

    def write(valid: int, fetched: float, temperature: float, who: Any, run_id: int) -> None:
        rows = [weather(location.id, start + valid, temperature)]
        database.transaction(lambda cursor: store.write_weather(cursor, rows, who, start + fetched, run_id))

    write(0, 1000.0, 10.0, source, 1)
    write(valid_at, fetched_at, 20.0, "open-meteo", 2)
    (row,) = world.rows("SELECT * FROM weather_data")
    assert (row["temperature_2m"], row["run_id"]) == ((20.0, 2) if replaced else (10.0, 1))
    assert row["valid_at"].replace(tzinfo=UTC).timestamp() == start + (valid_at if replaced else 0)
    assert row["fetched_at"].replace(tzinfo=UTC).timestamp() == start + (fetched_at if replaced else 1000.0)
    assert row["source"] == ("open-meteo" if replaced else source)
    (forecast,) = world.rows("SELECT * FROM weather_forecast")
    assert forecast["run_id"] == (2 if fetched_at >= 1000 else 1)
    history = {row["valid_at"]: row["run_id"] for row in world.rows("SELECT * FROM weather_history")}
    assert len(history) == (1 if valid_at == 0 else 2)


def test_writing_twice_is_writing_once(world: World, database: Database) -> None:
    """A commit whose answer was lost may be repeated."""
    store.synchronise(database, [place(1, 2), place(3, 4)])
    rows = [weather(location.id, 1_795_534_200, 10.0) for location in store.active_locations(database, simulated=True)]

    def write() -> None:
        database.transaction(lambda cursor: store.write_weather(cursor, rows, "open-meteo", 1_795_534_300.25, 1))

    tables = ("locations", "weather_data", "weather_history", "weather_forecast")
    write()
    before = [world.rows(f"SELECT * FROM {table}") for table in tables]
    write()
    assert [world.rows(f"SELECT * FROM {table}") for table in tables] == before


def test_the_victim_of_a_deadlock_does_its_transaction_again(
    world: World, database: Database, mysql_admin: Callable[[], Connection[Any]]
) -> None:
    """All of it, from its beginning."""
    store.synchronise(database, [place(1, number) for number in range(20)])
    first, second, *others = sorted(location.id for location in store.active_locations(database, simulated=True))
    attempts: list[int] = []
    with contextlib.closing(mysql_admin()) as other:
        other.select_db(world.fetcher.database)
        heavier = other.cursor()
        heavier.execute("UPDATE locations SET name = 'theirs' WHERE id > %s", (first,))

        def finish() -> None:
            heavier.execute("UPDATE locations SET name = 'theirs' WHERE id = %s", (first,))
            other.commit()

        thread = threading.Thread(target=finish)

        def work(cursor: Cursor) -> None:
            attempts.append(1)
            cursor.execute("UPDATE locations SET name = CONCAT(COALESCE(name, ''), ' ours') WHERE id = %s", (first,))
            if len(attempts) == 1:
                thread.start()
                eventually(lambda: world.value("(SELECT COUNT(*) FROM performance_schema.data_lock_waits)"))
            cursor.execute("UPDATE locations SET name = CONCAT(name, ' ours') WHERE id = %s", (second,))

        database.transaction(work)
        thread.join(DEADLINE_SECONDS)
    assert len(attempts) == 2
    names = {row["id"]: row["name"] for row in world.rows("SELECT id, name FROM locations")}
    assert [names[number] for number in (first, second, others[0])] == ["theirs ours", "theirs ours", "theirs"]


def test_a_lost_connection_ends_the_run_and_the_next_one_continues(world: World, database: Database) -> None:
    """The lock goes with the connection, so a run that lost it cannot write any more: exit code 75, nothing half done."""
    world.simulator.fault("slow", seconds=0.3)
    process = world.start(FETCHER_POINTS_PER_REQUEST="20")
    eventually(lambda: world.value("(SELECT MAX(points_stored) FROM fetch_runs)"))
    for row in world.rows("SELECT id, user FROM information_schema.processlist"):
        if row["user"] == world.fetcher.user and row["id"] != database.read("SELECT CONNECTION_ID() AS id")[0]["id"]:
            world.execute(f"KILL {row['id']}")
    assert process.wait(DEADLINE_SECONDS) == 75
    run = world.newest_run
    assert run["outcome"] == "running"
    assert world.value("(SELECT COUNT(*) FROM weather_data)") == run["points_stored"]
    world.simulator.clear()
    assert world.command().returncode == 0
    assert [run["outcome"] for run in world.rows("SELECT outcome FROM fetch_runs ORDER BY id")] == ["died", "done"]


@pytest.mark.contract("E3", "E4")
def test_a_wrong_password_is_a_configuration_mistake(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited out only as long as the users of a first start may take to appear."""
    monkeypatch.setattr("isotherm_fetcher.mysql.USERS_APPEAR_WITHIN_SECONDS", 0.0)
    with pytest.raises(Exception, match=r"MySQL refuses \(1045\)") as caught:
        open_database(replace(world.fetcher, password=Secret("wrong")), Shutdown())
    assert getattr(caught.value, "exit_code", None) == 64


@pytest.mark.contract("S7", "H6")
def test_the_exporter_tells_of_runs_with_its_own_privileges(world: World, tmp_path: Path) -> None:
    """Counters count the runs that end while it is there and never fall; gauges are what the tables say."""
    log = tmp_path / "exporter.log"
    with log.open("wb") as file:
        exporter = subprocess.Popen(
            [sys.executable, "-m", "isotherm_fetcher", "exporter"],
            env=world.environ(world.exporter, **QUOTA),
            stderr=file,
        )
    try:
        port = eventually(lambda: re.search(r'"port": (\d+)', log.read_text(encoding="utf-8")))[1]
        url = f"http://127.0.0.1:{port}"
        eventually(lambda: httpx.get(f"{url}/readyz").is_success)
        assert httpx.get(f"{url}/healthz").is_success

        def samples() -> dict[str, float]:
            lines = (line for line in httpx.get(f"{url}/metrics").text.splitlines() if not line.startswith("#"))
            return {
                name.removeprefix("isotherm_fetcher_"): float(value)
                for name, _, value in (line.rpartition(" ") for line in lines)
            }

        assert samples()["locations_with_data"] == 0
        assert world.command(**QUOTA).returncode == 0
        eventually(lambda: samples()['runs_total{outcome="done"}'] == 1)
        seen = samples()
        assert (seen["points_asked_total"], seen["points_stored_total"], seen["points_failed_total"]) == (162, 162, 0)
        assert (seen["locations_wanted"], seen["locations_with_data"], seen["locations_simulated"]) == (162, 162, 162)
        assert seen['upstream_requests_total{status="200"}'] == 2
        assert seen["upstream_latency_seconds_count"] == 2
        assert seen["quota_spent_points_total"] == POINTS
        assert seen['quota_left_points{window="day"}'] == 10_000 - POINTS
        assert seen["last_success_timestamp_seconds"] == pytest.approx(time.time(), abs=DEADLINE_SECONDS)
        stalest = world.value("(SELECT MIN(fetched_at) FROM weather_data)").replace(tzinfo=UTC).timestamp()
        assert seen["stalest_fetched_timestamp_seconds"] == pytest.approx(stalest)

        world.execute("DELETE FROM fetch_runs")
        world.simulator.fault("hourly_limit")
        assert world.command(**QUOTA).returncode == 75
        eventually(lambda: samples()['runs_total{outcome="quota"}'] == 1)
        after = samples()
        assert after['runs_total{outcome="done"}'] == 1
        assert after["points_stored_total"] == POINTS
        assert after['quota_left_points{window="hour"}'] == 0
        assert after["quota_blocked_until_timestamp_seconds"] > time.time()
    finally:
        exporter.terminate()
        assert exporter.wait(DEADLINE_SECONDS) == 0
