"""A second MySQL server that replicates from the first: another uuid, another server id, other names of binary logs."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from isotherm_local import databases, discovery
from isotherm_local.harness import Mysql

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pymysql.connections import Connection

    from isotherm_local.harness import Servers


class Replica:
    """The second server, running."""

    def __init__(self, server: Mysql, source: Mysql) -> None:
        self.server = server
        self._source = source

    @classmethod
    @contextlib.contextmanager
    def running(cls, servers: Servers, folder: Path, *options: str) -> Iterator[Replica]:
        """Start it on empty data."""
        layout = databases.Layout(data=folder, cache=servers.layout.cache)
        prepared = databases.prepare(layout, replace(discovery.look(), docker=False), lambda _: None)
        command = [part.replace("--log-bin=binlog", "--log-bin=other") for part in prepared.mysql.spec.command]
        spec = replace(
            prepared.mysql.spec,
            command=[*(part.replace("--server-id=1", "--server-id=2") for part in command), *options],
        )
        server = Mysql(replace(prepared.mysql, spec=spec))
        server.start().wait_ready()
        try:
            yield cls(server, servers.mysql)
        finally:
            server.kill()

    def connect(self, database: str | None = None) -> Connection[Any]:
        """Connect to it as root."""
        return self.server.connect(database)

    def sql(self, *statements: str) -> Any:
        """Run statements; return the one value of the last, or None."""
        with contextlib.closing(self.connect()) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            row = cursor.fetchone()
            return row[0] if row else None

    def follow(self) -> None:
        """Forget everything and replicate what the first server commits from now on."""
        with contextlib.closing(self._source.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT @@GLOBAL.gtid_executed")
            executed = cursor.fetchone()[0]
        parameters = self._source.parameters()
        self.sql("STOP REPLICA", "RESET REPLICA ALL")
        with contextlib.closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW DATABASES LIKE 'weather%'")
            names = [row[0] for row in cursor.fetchall()]
        self.sql(
            "SET GLOBAL super_read_only = OFF",
            *(f"DROP DATABASE `{name}`" for name in names),
            "RESET BINARY LOGS AND GTIDS",
            f"SET GLOBAL gtid_purged = '{executed}'",
            f"CHANGE REPLICATION SOURCE TO SOURCE_HOST = '{parameters['host']}', SOURCE_PORT = {parameters['port']}, "
            f"SOURCE_USER = 'root', SOURCE_PASSWORD = '{parameters['password']}', SOURCE_AUTO_POSITION = 1, "
            "GET_SOURCE_PUBLIC_KEY = 1, SOURCE_CONNECT_RETRY = 1",
            "START REPLICA",
        )

    def has(self, gtids: str) -> bool:
        """Whether it has executed these transactions."""
        return bool(self.sql(f"SELECT GTID_SUBSET('{gtids}', @@GLOBAL.gtid_executed)"))

    def promote(self) -> None:
        """Make it a source of its own, with what it has by now."""
        self.sql("STOP REPLICA", "RESET REPLICA ALL")
