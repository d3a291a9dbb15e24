"""The two databases of a data folder: chosen, prepared and ready to be started."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isotherm_local import ports
from isotherm_local.backends import choice, docker, mongodb_native, mysql_native, secantus
from isotherm_local.errors import BackendUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from isotherm_local.backends.server import MongodbServer, MysqlServer
    from isotherm_local.discovery import Machine


@dataclass(frozen=True)
class Layout:
    """Where things are.

    Attributes:
        data: everything of this stack: databases, logs, secrets.
        cache: what can be downloaded again; several stacks may share it.
    """

    data: Path
    cache: Path

    @property
    def logs(self) -> Path:
        """The logs of the processes."""
        return self.data / "logs"

    @property
    def secrets(self) -> Path:
        """The passwords."""
        return self.data / "secrets"

    @property
    def mysql_packages(self) -> Path:
        """MySQL unpacked from packages."""
        return self.cache / "mysql"


@dataclass(frozen=True)
class Databases:
    """Both, prepared."""

    mysql: MysqlServer
    mongodb: MongodbServer


def prepare(layout: Layout, machine: Machine, say: Callable[[str], None]) -> Databases:
    """Choose how to have each database and prepare it; both at a time, for MySQL may have to be downloaded.

    Raises:
        BackendUnavailable: one of them cannot be had.
    """
    with ThreadPoolExecutor(max_workers=2) as pool:
        mysql = pool.submit(_prepare_mysql, layout, machine, say)
        mongodb = pool.submit(_prepare_mongodb, layout, machine, say)
        return Databases(mysql.result(), mongodb.result())


def _prepare_mysql(layout: Layout, machine: Machine, say: Callable[[str], None]) -> MysqlServer:
    if machine.mysqld_refused:
        say(f"The mysqld on PATH is not used: {machine.mysqld_refused}.")
    port = ports.kept(layout.data / "mysql" / "ports.json", "mysql")

    def by(way: str) -> MysqlServer:
        folder = layout.data / "mysql" / way
        if way == "docker":
            return docker.prepare_mysql(folder, port, secrets=layout.secrets, logs=layout.logs)
        if way == "mysqld":
            assert machine.mysqld is not None
            program = mysql_native.program_on_path(machine.mysqld)
        else:
            program = mysql_native.program_from_packages(layout.mysql_packages)
        return mysql_native.prepare(program, folder, port, secrets=layout.secrets, logs=layout.logs)

    previous = _previous(layout.data / "mysql")
    server: MysqlServer = _first(choice.mysql_ways(machine, previous), by, layout.data / "mysql", say)
    return server


def _prepare_mongodb(layout: Layout, machine: Machine, say: Callable[[str], None]) -> MongodbServer:
    port = ports.kept(layout.data / "mongodb" / "ports.json", "mongodb")

    def by(way: str) -> MongodbServer:
        folder = layout.data / "mongodb" / way
        if way == "docker":
            return docker.prepare_mongodb(folder, port, logs=layout.logs)
        if way == "mongod":
            assert machine.mongod is not None
            return mongodb_native.prepare(machine.mongod, folder, port, logs=layout.logs)
        return secantus.prepare(folder, port, logs=layout.logs)

    previous = _previous(layout.data / "mongodb")
    server: MongodbServer = _first(choice.mongodb_ways(machine, previous), by, layout.data / "mongodb", say)
    return server


def _first(ways: Sequence[str], by: Callable[[str], Any], folder: Path, say: Callable[[str], None]) -> Any:
    """Take the first way that works; one that has data is not passed over."""
    reasons: list[str] = []
    for way in ways:
        try:
            server = by(way)
        except BackendUnavailable as error:
            if (folder / way / "data").exists():
                raise
            say(str(error))
            reasons.append(str(error))
            continue
        (folder / "way.json").write_text(json.dumps(way), encoding="ascii")
        return server
    what = "MySQL" if folder.name == "mysql" else "MongoDB"
    message = f"There is no way to have {what} here: install Docker, or {what} itself. {' '.join(reasons)}"
    raise BackendUnavailable(message)


def _previous(folder: Path) -> str | None:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "way.json"
    return str(json.loads(file.read_text(encoding="ascii"))) if file.exists() else None
