"""Parts of the stack to be started, stopped and killed one by one: for tests, benchmarks and experiments."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import time
import urllib.request
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import pymongo
import pymysql

from isotherm_local import databases, debian_packages, discovery, filling
from isotherm_local.errors import ProcessFailed
from isotherm_local.options import Options
from isotherm_local.ports import HOST
from isotherm_local.process import ManagedProcess, ProcessSpec
from isotherm_local.stack import Ports, Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from isotherm_local.backends.server import MongodbServer, MysqlServer
    from isotherm_local.databases import Databases, Layout

SMALL_REGION = "40,0,50,15"
"""With the preset's own step of a degree in a box: 176 locations."""

_POLL_SECONDS = 0.05
_numbers = itertools.count(1)


class Mysql(ManagedProcess):
    """The private MySQL, running."""

    def __init__(self, server: MysqlServer) -> None:
        super().__init__(server.spec)
        self.server = server

    def parameters(self, database: str | None = None) -> dict[str, Any]:
        """Return the arguments of `pymysql.connect` for root."""
        return {**self.server.parameters(), **({"database": database} if database else {})}

    def connect(self, database: str | None = None, **options: Any) -> pymysql.Connection[Any]:
        """Return a connection of root that commits each statement unless told otherwise."""
        return pymysql.connect(**{**self.parameters(database), "autocommit": True, **options})


class Mongodb(ManagedProcess):
    """The private MongoDB, running."""

    def __init__(self, server: MongodbServer) -> None:
        super().__init__(server.spec)
        self.server = server

    @property
    def uri(self) -> str:
        """How it is reached."""
        return self.server.uri

    def connect(self, **options: Any) -> pymongo.MongoClient[dict[str, Any]]:
        """Return a client."""
        return pymongo.MongoClient(self.uri, **{"serverSelectionTimeoutMS": 15_000, **options})


@dataclass
class Servers:
    """Both databases, running."""

    layout: Layout
    databases: Databases
    mysql: Mysql
    mongodb: Mongodb

    @classmethod
    @contextlib.contextmanager
    def running(cls, layout: Layout, say: Callable[[str], None] = lambda _: None) -> Iterator[Self]:
        """Start both on the data of `layout`, and stop them at the end.

        Not in Docker where it can be helped: a killed process is to be a killed server.
        """
        machine = discovery.look()
        if machine.secantus and debian_packages.supported() is None:
            machine = replace(machine, docker=False)
        prepared = databases.prepare(layout, machine, say)
        mysql, mongodb = Mysql(prepared.mysql), Mongodb(prepared.mongodb)
        try:
            mysql.start()
            mongodb.start()
            mysql.wait_ready()
            mongodb.wait_ready()
            yield cls(layout, prepared, mysql, mongodb)
        finally:
            mongodb.stop()
            mysql.stop()

    def ensure_running(self) -> None:
        """Start what has been stopped or killed."""
        for server in (self.mysql, self.mongodb):
            if not server.running:
                server.start()
        self.mysql.wait_ready()
        self.mongodb.wait_ready()

    @contextlib.contextmanager
    def weather(
        self,
        *,
        region: str = SMALL_REGION,
        interval_seconds: int = 5,
        settings: Mapping[str, str] | None = None,
    ) -> Iterator[Pipeline]:
        """Make a migrated MySQL schema and a MongoDB database of their own.

        They stay until the servers' data go: dropping one could wait for a transaction that a killed service left open.

        Args:
            region: which locations the fetcher asks for.
            interval_seconds: from one fetch to the next.
            settings: further settings of every process.
        """
        self.ensure_running()
        name = f"weather_{os.getpid()}_{next(_numbers)}"
        stack = Stack(
            layout=self.layout,
            databases=self.databases,
            source="simulator",
            options=Options(source="simulator", region=region, interval_seconds=interval_seconds),
            ports=Ports.any_free(),
            database=name,
            extra={"LOG_LEVEL": "debug", "FETCHER_STEP_DEGREES": "", **(settings or {})},
        )
        pipeline = Pipeline(self, stack)
        try:
            for spec in stack.setup():
                pipeline.run(spec)
            yield pipeline
        finally:
            pipeline.close()


@dataclass
class Pipeline:
    """The services on a schema and database of their own; none is started until asked for."""

    servers: Servers
    stack: Stack
    processes: dict[str, ManagedProcess] = field(default_factory=dict)

    @property
    def database(self) -> str:
        """The name of the MySQL schema and of the MongoDB database."""
        return self.stack.database

    @property
    def url(self) -> str:
        """The page's address, without a slash at its end."""
        return f"http://{HOST}:{self.stack.ports.page}"

    @property
    def websocket_url(self) -> str:
        """The websocket's address."""
        return f"ws://{HOST}:{self.stack.ports.page}/ws"

    @property
    def metrics_ports(self) -> dict[str, int]:
        """Where each service serves metrics and health."""
        ports = self.stack.ports
        return {
            "exporter": ports.exporter,
            "cdc": ports.cdc,
            "web": ports.web,
            "simulator": ports.simulator_metrics,
        }

    def mysql(self, **options: Any) -> pymysql.Connection[Any]:
        """Return a connection of root on the schema."""
        return self.servers.mysql.connect(self.database, **options)

    def mongodb(self, **options: Any) -> pymongo.MongoClient[dict[str, Any]]:
        """Return a client of MongoDB."""
        return self.servers.mongodb.connect(**options)

    def spec(self, name: str, settings: Mapping[str, str] | None = None) -> ProcessSpec:
        """Return how the service `name` is started.

        Args:
            name: simulator, cdc, web, fetcher or exporter.
            settings: settings that replace those of the stack.
        """
        spec = next(spec for spec in self.stack.services() if spec.name == name)
        environment = {**(spec.environment or {}), **(settings or {})}
        return replace(spec, environment=environment, log_folder=self.stack.layout.logs / self.database)

    def start(self, *names: str, ready: bool = True, settings: Mapping[str, str] | None = None) -> ManagedProcess:
        """Start the services, wait until they are ready unless told otherwise, and return the last of them."""
        for name in names:
            self.processes[name] = ManagedProcess(self.spec(name, settings)).start()
        if ready:
            for name in names:
                self.processes[name].wait_ready()
        return self.processes[names[-1]]

    def start_all(self) -> Self:
        """Start every service and wait until the whole map has data."""
        self.start(*(spec.name for spec in self.stack.services()))
        self.until(self.filled, seconds=150, what="the whole map")
        return self

    def run(self, spec: ProcessSpec) -> None:
        """Run a process to its end.

        Raises:
            ProcessFailed: its exit code is not 0.
        """
        process = ManagedProcess(spec).start()
        try:
            if process.wait(spec.ready_seconds):
                message = f"{spec.name} ended with exit code {process.exit_code}:\n{process.tail(30)}"
                raise ProcessFailed(message)
        finally:
            process.kill()

    def get(self, path: str, port: int | None = None) -> Any:
        """Return the JSON at `path` of the page's port or of another."""
        with urllib.request.urlopen(f"http://{HOST}:{port or self.stack.ports.page}{path}", timeout=10) as answer:
            return json.load(answer)

    def filled(self) -> bool:
        """Whether every cell of the map has data."""
        grid = filling.read_grid(self.stack)
        return grid is not None and 0 < grid.total == grid.shown

    def until(self, condition: Callable[[], bool], seconds: float = 30.0, what: str = "the condition") -> None:
        """Wait until `condition` holds; a connection refused meanwhile counts as not yet.

        Raises:
            ProcessFailed: it did not in time; the message has the end of every log.
        """
        deadline = time.monotonic() + seconds
        while True:
            with contextlib.suppress(OSError):
                if condition():
                    return
            if time.monotonic() > deadline:
                logs = "\n".join(f"--- {name}\n{process.tail(15)}" for name, process in self.processes.items())
                message = f"{what} did not come true within {seconds:.0f} s.\n{logs}"
                raise ProcessFailed(message)
            time.sleep(_POLL_SECONDS)

    def close(self) -> None:
        """End every service, the last started first."""
        for process in reversed(self.processes.values()):
            process.stop(seconds=5.0)
        self.processes.clear()
