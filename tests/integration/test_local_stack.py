"""The stack that `make up` runs: from nothing to a whole map, and no process left at the end."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from isotherm_local.process import ManagedProcess, ProcessSpec
from web_support import fake_cdc

if TYPE_CHECKING:
    from pathlib import Path

    from isotherm_local.harness import Mongodb, Mysql, Pipeline, Servers


def test_every_cell_gets_data_and_changes_by_itself(pipeline: Pipeline) -> None:
    """The path of a datum works from the simulator to the page, again and again."""
    first = pipeline.get("/api/v1/grid")
    assert len(first["geometry"]["ids"]) == 176
    pipeline.until(lambda: min(pipeline.get("/api/v1/grid")["fetched_at"]) > max(first["fetched_at"]), what="a new map")


def test_a_map_that_does_not_have_its_locations_yet_is_not_whole(stack: Pipeline) -> None:
    """The page shows the locations that have arrived, each with its data: MySQL knows how many there are."""
    with contextlib.closing(stack.mysql()) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO locations (latitude, longitude, active) VALUES (1, 2, 1), (3, 4, 1), (5, 6, 0)")
        with stack.mongodb() as client:
            fake_cdc.FakeCdc(client, stack.database).create().commit(
                {"locations": [fake_cdc.location(1, 1, 2)], "weather_data": [fake_cdc.weather(1)]}
            )
        stack.start("web")
        stack.until(
            lambda: len(stack.get("/api/v1/grid")["geometry"]["ids"]) == 1, what="the page showing one location"
        )
        assert None not in stack.get("/api/v1/grid")["layers"]["temperature_2m"]
        assert not stack.filled()
        cursor.execute("UPDATE locations SET active = 0 WHERE id = 2")
        assert stack.filled()


@pytest.mark.contract("E5")
def test_every_service_ends_with_0_on_sigterm(pipeline: Pipeline) -> None:
    """In any order: here the last started first, as `make up` does."""
    codes = {name: process.stop() for name, process in reversed(pipeline.processes.items())}
    assert codes == dict.fromkeys(codes, 0)


def test_mysql_keeps_what_it_acknowledged_when_it_is_killed(mysql: Mysql, stack: Pipeline) -> None:
    """A killed server comes back with every committed row."""
    with contextlib.closing(stack.mysql()) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO locations (latitude, longitude, active) VALUES (1, 2, TRUE)")
    mysql.kill()
    mysql.start().wait_ready()
    with contextlib.closing(stack.mysql()) as connection, connection.cursor() as cursor:
        assert cursor.execute("SELECT id FROM locations") == 1


def test_mongodb_keeps_what_it_acknowledged_when_it_is_killed(mongodb: Mongodb, stack: Pipeline) -> None:
    """A killed server comes back with every committed document."""
    with stack.mongodb() as client:
        client[stack.database]["kept"].insert_many([{"_id": number} for number in range(100)])
    mongodb.kill()
    mongodb.start().wait_ready()
    with stack.mongodb() as client:
        assert client[stack.database]["kept"].count_documents({}) == 100


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux alone ends a process with its parent")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_no_process_is_left_when_the_databases_are_stopped(
    number: signal.Signals, servers: Servers, tmp_path: Path
) -> None:
    """Ctrl-C, SIGTERM, a terminal that goes away, and a supervisor that is killed."""
    command = [sys.executable, "-m", "isotherm_local", "--data", str(tmp_path / "data")]
    command += ["--cache", str(servers.layout.cache), "databases"]
    log = tmp_path / "local.log"
    environment = {**os.environ, "PATH": "/usr/bin:/bin"}
    spec = ProcessSpec("local", command, tmp_path, environment, ready=lambda: "MongoDB: mongodb" in log.read_text())
    supervisor = ManagedProcess(spec).start().wait_ready(120)
    children = [os.pidfd_open(pid) for pid in _children(supervisor.pid)]
    assert len(children) == 2
    supervisor.signal(number)
    assert supervisor.wait(60) == (-signal.SIGKILL if number == signal.SIGKILL else 0)
    for child in children:
        assert select.select([child], [], [], 10)[0], "a database goes on"
        os.close(child)


def _children(pid: int) -> list[int]:
    """Return the processes that `pid` has started."""
    return [int(child) for task in os.listdir(f"/proc/{pid}/task") for child in _read(pid, task).split()]  # noqa: PTH208 - names are wanted


def _read(pid: int, task: str) -> str:
    with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:  # noqa: PTH123 - a file of the kernel
        return file.read()
