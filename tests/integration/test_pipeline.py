"""The path of a datum through every service, and what a restart in the middle of it leaves behind: nothing."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from isotherm_web.client import connect
from oracle.compare import differences

if TYPE_CHECKING:
    from isotherm_local.harness import Mongodb, Pipeline

TABLES = ("locations", "weather_data", "weather_forecast", "weather_history")


def one(pipeline: Pipeline, statement: str) -> Any:
    """Execute a statement and return the first value of its first row, if it has rows."""
    with contextlib.closing(pipeline.mysql()) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
        return row[0] if row else None


def equal(pipeline: Pipeline) -> bool:
    """Whether MySQL and MongoDB hold the same rows."""
    with contextlib.closing(pipeline.mysql()) as connection, pipeline.mongodb() as client:
        return differences(connection, client, pipeline.database, TABLES) == []


def log_of(pipeline: Pipeline, name: str) -> str:
    return pipeline.processes[name].spec.log.read_text(encoding="utf-8")


@pytest.mark.contract("D1", "D2", "D3", "D4", "E7")
def test_what_the_fetcher_stores_is_in_mongodb_row_for_row(pipeline: Pipeline) -> None:
    """Every row of every table, and all of it called simulated."""
    pipeline.processes["fetcher"].stop()
    pipeline.until(lambda: equal(pipeline), what="both databases being equal")
    assert one(pipeline, "SELECT COUNT(*) FROM weather_data WHERE source <> 'simulator'") == 0
    assert set(pipeline.get("/api/v1/grid")["source"]) == {2}


@pytest.mark.contract("K2", "W6")
def test_batches_leave_whole_and_without_reloading(pipeline: Pipeline) -> None:
    """In a batch's transaction the checkpoint comes last, so the web server never has to load the state anew."""
    pipeline.processes["fetcher"].stop()
    with pipeline.mongodb() as client:
        database = client[pipeline.database]
        with database.watch(max_await_time_ms=200) as stream:
            one(pipeline, "UPDATE weather_data SET temperature_2m = 1.5")
            events: list[tuple[int, str]] = []
            deadline = time.monotonic() + 30
            while not any(name == "weather_data" for _, name in events) and time.monotonic() < deadline:
                while (event := stream.try_next()) is not None:
                    fields = event.get("fullDocument") or event.get("updateDescription", {}).get("updatedFields", {})
                    seq = fields.get("seq") or fields.get("_cdc", {}).get("seq")
                    events.append((int(seq), event["ns"]["coll"]))
    seqs = {seq for seq, name in events if name == "weather_data"}
    assert seqs
    for seq in seqs:
        assert [name for number, name in events if number == seq][-1] == "_cdc_checkpoints"
    pipeline.until(lambda: set(pipeline.get("/api/v1/grid")["layers"]["temperature_2m"]) == {1.5})
    assert "came after seq" not in log_of(pipeline, "web")


@pytest.mark.contract("W3")
async def test_a_row_in_mysql_reaches_a_websocket(pipeline: Pipeline) -> None:
    """As a delta of its cell."""
    pipeline.processes["fetcher"].stop()
    location = one(pipeline, "SELECT MIN(location_id) FROM weather_data")
    async with asyncio.timeout(60), connect(pipeline.websocket_url) as client:
        mirror = await client.until(1)
        before = mirror.seq
        one(pipeline, f"UPDATE weather_data SET temperature_2m = -33.3 WHERE location_id = {location}")
        while mirror.by_id()[location].values[0] != -333:
            await client.receive()
        assert mirror.seq > before


@pytest.mark.contract("E5")
@pytest.mark.parametrize("name", ["simulator", "fetcher", "cdc", "web"])
def test_a_service_killed_in_the_middle_loses_nothing(pipeline: Pipeline, name: str) -> None:
    """While the fetcher goes on fetching, kill -9 and start again: in the end both databases are equal."""
    run = one(pipeline, "SELECT MAX(id) FROM fetch_runs")
    pipeline.until(lambda: one(pipeline, "SELECT MAX(id) FROM fetch_runs") > run, what="a run going on")
    pipeline.processes[name].kill()
    pipeline.processes[name].start().wait_ready()
    last = one(pipeline, "SELECT MAX(id) FROM fetch_runs")
    pipeline.until(
        lambda: one(pipeline, f"SELECT COUNT(*) FROM fetch_runs WHERE id > {last} AND outcome = 'done'") >= 1,
        seconds=60,
        what="a whole run after the restart",
    )
    pipeline.processes["fetcher"].stop()
    pipeline.until(lambda: equal(pipeline), seconds=60, what="both databases being equal")
    pipeline.until(pipeline.filled, what="the map being whole")


@pytest.mark.contract("E5")
def test_the_web_server_ends_though_mongodb_does_not_answer(mongodb: Mongodb, stack: Pipeline) -> None:
    """A MongoDB that hangs (it is stopped, its connections stay open) keeps no process from ending in order."""
    web = stack.start("web")
    mongodb.signal(signal.SIGSTOP)
    try:
        assert web.stop() == 0
    finally:
        mongodb.signal(signal.SIGCONT)
