"""Which processes make Isotherm, and with which settings."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from isotherm_local import ports, web_probe
from isotherm_local.options import DEFAULT_INTERVAL_SECONDS, PAGE_PORT, Source
from isotherm_local.ports import HOST
from isotherm_local.process import ProcessSpec
from isotherm_local.secrets import secret_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from isotherm_local.backends.server import MongodbServer
    from isotherm_local.databases import Databases, Layout
    from isotherm_local.options import Options

_OURS = ("MYSQL_", "MONGODB_", "MIGRATE_", "METRICS_")
"""Settings that this module gives: what the person's own environment has of them would point elsewhere."""

_MODEL_STEP_SECONDS = 900
_MAXIMUM_SPEED = 60.0
_MYSQL_USERS = ("fetcher", "exporter", "cdc")


@dataclass(frozen=True)
class Ports:
    """Where everything listens on 127.0.0.1 (contract E6)."""

    page: int = PAGE_PORT
    exporter: int = 9101
    cdc: int = 9102
    web: int = 9103
    simulator: int = 8090
    simulator_metrics: int = 9104

    @classmethod
    def any_free(cls) -> Ports:
        """Return ports that nobody listens on."""
        return cls(*ports.free_ports(6))

    def purposes(self, source: Source) -> dict[str, int]:
        """Return what each port that is used is for."""
        used = {
            "the page": self.page,
            "the exporter's metrics": self.exporter,
            "the CDC's metrics": self.cdc,
            "the web's metrics": self.web,
        }
        if source == "simulator":
            used |= {"the simulator": self.simulator, "the simulator's metrics": self.simulator_metrics}
        return used


@dataclass(frozen=True)
class Stack:
    """Isotherm on given databases.

    Attributes:
        layout: where its files are.
        databases: what it runs on.
        source: where the weather comes from.
        options: what the person decided.
        ports: where it listens.
        database: the name of the MySQL schema and of the MongoDB database.
        extra: further settings of all processes.
    """

    layout: Layout
    databases: Databases
    source: Source
    options: Options
    ports: Ports
    database: str = "weather"
    extra: Mapping[str, str] | None = None

    @property
    def interval_seconds(self) -> int:
        """From one fetch to the next."""
        return self.options.interval_seconds or DEFAULT_INTERVAL_SECONDS[self.source]

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://localhost:{self.ports.page}"

    def setup(self) -> list[ProcessSpec]:
        """Return what has to end well before anything else starts."""
        migrate = self._spec("migrate", "isotherm-migrate", self._migrate_settings())
        mongo_init = self._spec("mongo-init", "isotherm-mongo-init", self._mongo_init_settings())
        return [replace(migrate, ready_seconds=180.0), replace(mongo_init, ready_seconds=180.0)]

    def services(self) -> list[ProcessSpec]:
        """Return the processes that stay, in the order of their start."""
        simulator = [self.simulator()] if self.source == "simulator" else []
        return [*simulator, self.cdc(), self.web(), self.fetcher(), self.exporter()]

    def simulator(self) -> ProcessSpec:
        """Return the simulator: no quota, and so fast that each fetch finds another model time."""
        speed = min(max(_MODEL_STEP_SECONDS / self.interval_seconds, 1.0), _MAXIMUM_SPEED)
        settings = {
            "SIMULATOR_HOST": HOST,
            "SIMULATOR_PORT": str(self.ports.simulator),
            "SIMULATOR_QUOTA": "false",
            "SIMULATOR_SPEED": f"{speed:g}",
        }
        return self._spec("simulator", "isotherm-simulator", settings, metrics_port=self.ports.simulator_metrics)

    def fetcher(self) -> ProcessSpec:
        """Return the fetcher, run again and again."""
        return self._spec("fetcher", "isotherm-fetcher --watch", self._fetcher_settings("fetcher"))

    def exporter(self) -> ProcessSpec:
        """Return the exporter of the fetcher's metrics."""
        settings = self._fetcher_settings("exporter")
        return self._spec("exporter", "isotherm-fetcher exporter", settings, metrics_port=self.ports.exporter)

    def cdc(self) -> ProcessSpec:
        """Return the CDC."""
        settings = {**self._mysql_settings("cdc"), **self._mongodb_settings()}
        return self._spec("cdc", "isotherm-cdc", settings, metrics_port=self.ports.cdc)

    def web(self) -> ProcessSpec:
        """Return the web server."""
        settings = {
            **self._mongodb_settings(),
            "WEB_HOST": HOST,
            "WEB_PORT": str(self.ports.page),
            "WEB_DRAIN_SECONDS": "2",
            "WEB_STALE_AFTER_SECONDS": str(max(10_800, 3 * self.interval_seconds)),
        }
        return self._spec("web", "isotherm-web", settings, metrics_port=self.ports.web)

    def _migrate_settings(self) -> dict[str, str]:
        users = {
            f"MIGRATE_{name.upper()}_PASSWORD_FILE": str(secret_file(self.layout.secrets, f"mysql-{name}"))
            for name in _MYSQL_USERS
        }
        return {
            **users,
            "MYSQL_HOST": HOST,
            "MYSQL_PORT": str(self.databases.mysql.port),
            "MYSQL_DATABASE": self.database,
            "MYSQL_ADMIN_PASSWORD_FILE": str(self.databases.mysql.password_file),
        }

    def _mongo_init_settings(self) -> dict[str, str]:
        mongodb: MongodbServer = self.databases.mongodb
        return {
            "MONGODB_ADMIN_URI": mongodb.admin_uri,
            "MONGODB_ADMIN_MEMBERS": mongodb.member,
            "MONGODB_DATABASE": self.database,
        }

    def _mysql_settings(self, user: str) -> dict[str, str]:
        return {
            "MYSQL_HOST": HOST,
            "MYSQL_PORT": str(self.databases.mysql.port),
            "MYSQL_USER": f"isotherm_{user}",
            "MYSQL_PASSWORD_FILE": str(secret_file(self.layout.secrets, f"mysql-{user}")),
            "MYSQL_DATABASE": self.database,
        }

    def _mongodb_settings(self) -> dict[str, str]:
        return {"MONGODB_URI": self.databases.mongodb.uri, "MONGODB_DATABASE": self.database}

    def _fetcher_settings(self, user: str) -> dict[str, str]:
        simulator = {"OPEN_METEO_URL": f"http://{HOST}:{self.ports.simulator}"} if self.source == "simulator" else {}
        return {
            **self._mysql_settings(user),
            **self.options.region_settings,
            **simulator,
            "FETCHER_INTERVAL_SECONDS": str(self.interval_seconds),
        }

    def _spec(
        self, name: str, command: str, settings: Mapping[str, str], metrics_port: int | None = None
    ) -> ProcessSpec:
        program, *arguments = command.split()
        observability = {"METRICS_HOST": HOST, "METRICS_PORT": str(metrics_port or 0)}
        return ProcessSpec(
            name=name,
            # Beside the interpreter that runs this: the virtual environment need not be active.
            command=[str(Path(sys.executable).with_name(program)), *arguments],
            log_folder=self.layout.logs,
            environment={
                **inherited(os.environ),
                "LOG_FORMAT": "console",
                "PYTHONUNBUFFERED": "1",
                **observability,
                **settings,
                **(self.extra or {}),
            },
            ready=None if metrics_port is None else lambda: web_probe.is_ready(metrics_port),
        )


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what of the person's environment the processes get."""
    return {name: value for name, value in environment.items() if not name.startswith(_OURS)}
