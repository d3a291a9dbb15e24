"""What docs/operations.md says of losses is done here: a database is gone, or a password known, and all goes on.

The commands are those of the page, without the `kubectl exec` around them.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pymysql
import pytest

from isotherm_local import debian_packages, ports
from isotherm_local.backends import mysql_native
from isotherm_local.harness import Mysql, Pipeline
from isotherm_local.secrets import secret_file
from oracle.compare import differences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isotherm_local.harness import Servers

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "ci/observability"))

import programs  # noqa: E402 - found only now

TABLES = ("locations", "weather_data", "weather_forecast", "weather_history")
REGION = "46,2,49,6"
PAGE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")


def client(program: programs.Program, cache: Path) -> list[str]:
    """Return the command of a client of MySQL."""
    try:
        found = programs.find(program)
    except programs.Unavailable as error:
        pytest.skip(str(error))
    if str(programs.CACHE) not in found:
        return [found]
    return [*debian_packages.loader(cache / "mysql"), found]


@pytest.fixture
def weather(servers: Servers) -> Iterator[Pipeline]:
    """Every service, running on a small region, and the map full."""
    with servers.weather(region=REGION) as prepared:
        yield prepared.start_all()


@pytest.fixture
def empty_mysql(servers: Servers, tmp_path: Path) -> Iterator[Mysql]:
    """A server as a new volume makes it: nothing on it but root."""
    if servers.layout.mysql_packages.exists():
        program = mysql_native.program_from_packages(servers.layout.mysql_packages)
    else:
        pytest.skip("a second MySQL needs the packages that `make up` unpacks")
    server = mysql_native.prepare(
        program, tmp_path / "mysql", ports.free(), secrets=tmp_path / "secrets", logs=tmp_path / "logs"
    )
    running = Mysql(server)
    running.start().wait_ready()
    yield running
    running.kill()


def equal(pipeline: Pipeline) -> bool:
    with contextlib.closing(pipeline.mysql()) as connection, pipeline.mongodb() as found:
        return differences(connection, found, pipeline.database, TABLES) == []


def count(pipeline: Pipeline, table: str) -> int:
    with contextlib.closing(pipeline.mysql()) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM {table}")
        return int(cursor.fetchone()[0])


def say(what: str, began: float) -> None:
    """Print how long something took, for the table of the page."""
    sys.stderr.write(f"\n{what}: {time.monotonic() - began:.1f} s\n")


def documented(start: str) -> list[str]:
    """Return the words of a command of the page, from the word `start` to the end of its quotation."""
    found = re.search(rf"{start} [^']*?(?=' [<>])", PAGE.replace("\\\n", ""))
    assert found is not None
    return shlex.split(found[0])


def test_mysql_is_restored_from_its_dump(
    weather: Pipeline, empty_mysql: Mysql, servers: Servers, tmp_path: Path
) -> None:
    """What came after the dump is gone, the CDC says so, and with `resnapshot` MongoDB is what MySQL is."""
    dump = tmp_path / "weather.sql"
    options = [word.replace("weather", weather.database) for word in documented("mysqldump")[2:]]
    mysqldump = client(programs.MYSQLDUMP, servers.layout.cache)
    began = time.monotonic()
    with dump.open("wb") as file:
        subprocess.run([*mysqldump, *login(servers.mysql), *options], stdout=file, check=True)
    say("dump", began)
    runs_then = count(weather, "fetch_runs")
    weather.until(lambda: count(weather, "fetch_runs") > runs_then + 1, seconds=60, what="runs after the dump")
    weather.processes["fetcher"].stop()
    weather.until(lambda: equal(weather), what="all of it in MongoDB")
    for name in ("exporter", "cdc"):
        weather.processes.pop(name).stop()

    began = time.monotonic()
    with contextlib.closing(empty_mysql.connect()) as connection:
        connection.cursor().execute("RESET BINARY LOGS AND GTIDS")
    with dump.open("rb") as file:
        mysql = client(programs.MYSQL, servers.layout.cache)
        subprocess.run([*mysql, *login(empty_mysql)], stdin=file, check=True)
    lost = replace(servers, databases=replace(servers.databases, mysql=empty_mysql.server), mysql=empty_mysql)
    restored = Pipeline(lost, replace(weather.stack, databases=lost.databases), weather.processes)
    restored.run(restored.stack.setup()[0])
    runs = count(restored, "fetch_runs")
    assert 0 < runs <= runs_then
    cdc = restored.start("cdc", ready=False)
    assert cdc.wait(60) == 70
    assert "resnapshot" in cdc.tail(5)
    restored.start("cdc", settings={"CDC_BINLOG_PURGED_POLICY": "resnapshot"}, ready=False)
    again_until_ready(restored)
    restored.until(lambda: equal(restored), seconds=90, what="MongoDB being what the restored MySQL is")
    say("restored and read again", began)
    restored.start("fetcher")
    restored.until(lambda: count(restored, "fetch_runs") > runs, seconds=60, what="a run on the restored server")
    restored.until(lambda: equal(restored), seconds=60, what="its rows in MongoDB")


def again_until_ready(pipeline: Pipeline) -> None:
    """Start the CDC again when it ends, as Kubernetes does."""
    cdc = pipeline.processes["cdc"]

    def ready() -> bool:
        if not cdc.running:
            cdc.start()
        return cdc.is_ready

    pipeline.until(ready, seconds=90, what="the CDC being ready")


def login(server: Mysql) -> list[str]:
    """Return the arguments by which a client logs in as root."""
    parameters = server.parameters()
    return [
        "--no-defaults",
        f"--host={parameters['host']}",
        f"--port={parameters['port']}",
        f"--user={parameters['user']}",
        f"--password={parameters['password']}",
    ]


def test_mongodb_is_built_anew_from_mysql(weather: Pipeline) -> None:
    """Its database is gone; the CDC reads all tables, and a web server that was there shows all of it again."""
    weather.processes["cdc"].stop()
    began = time.monotonic()
    with weather.mongodb() as found:
        found.drop_database(weather.database)
    weather.run(weather.stack.setup()[1])
    weather.processes["cdc"].start().wait_ready()
    weather.until(lambda: equal(weather), seconds=90, what="MongoDB being what MySQL is")
    weather.until(weather.filled, seconds=60, what="the whole map")
    say("MongoDB built anew", began)


def test_passwords_are_changed_while_it_runs(weather: Pipeline) -> None:
    """The job gives the users new passwords; who is connected stays, and who starts anew takes the new one."""
    runs = count(weather, "fetch_runs")
    old = {}
    for user in ("fetcher", "exporter", "cdc"):
        file = secret_file(weather.stack.layout.secrets, f"mysql-{user}")
        old[user] = file.read_text(encoding="ascii")
        file.write_text(f"{old[user]}X", encoding="ascii")
    began = time.monotonic()
    try:
        weather.run(weather.stack.setup()[0])
        assert weather.processes["cdc"].running
        for name in ("cdc", "exporter", "fetcher"):
            weather.processes[name].restart()
        weather.until(lambda: count(weather, "fetch_runs") > runs + 1, seconds=60, what="runs with the new password")
        weather.until(lambda: equal(weather), seconds=60, what="MongoDB being what MySQL is")
        say("passwords changed", began)
        parameters = {**weather.servers.mysql.parameters(), "user": "isotherm_cdc", "password": old["cdc"]}
        with pytest.raises(pymysql.err.OperationalError, match="denied"):
            pymysql.connect(**parameters)
    finally:
        for user, password in old.items():
            secret_file(weather.stack.layout.secrets, f"mysql-{user}").write_text(password, encoding="ascii")
        weather.run(weather.stack.setup()[0])
