"""What the CDC's integration tests share: tables of their own, a running reader, waiting until it has caught up."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pymysql

from oracle.compare import differences

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pymongo
    from pymysql.connections import Connection

    from isotherm_local.harness import Pipeline
    from isotherm_local.process import ManagedProcess

CHECKPOINT = "isotherm"


@dataclass
class Capture:
    """A schema whose tables are all captured."""

    stack: Pipeline
    connection: Connection[Any]
    client: pymongo.MongoClient[dict[str, Any]]
    settings: dict[str, str] = field(default_factory=dict)

    @classmethod
    @contextlib.contextmanager
    def of(cls, stack: Pipeline, **settings: str) -> Iterator[Capture]:
        """Connect to both sides of `stack`."""
        include = {"CDC_TABLE_INCLUDE_LIST": f"{stack.database}.*", **settings}
        with stack.mongodb() as client:
            made = cls(stack, stack.mysql(), client, include)
            try:
                yield made
            finally:
                made.connection.close()

    def reconnect(self) -> None:
        """Connect to MySQL anew, after it was restarted."""
        with contextlib.suppress(pymysql.err.Error):
            self.connection.close()
        self.connection = self.stack.mysql()

    def sql(self, *statements: str) -> None:
        """Run statements, each committed by itself unless BEGIN came before."""
        with self.connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def scalar(self, statement: str) -> Any:
        """Return the one value that a query gives."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()[0]

    def start(self, *, ready: bool = True, **settings: str) -> ManagedProcess:
        """Start the reader."""
        return self.stack.start("cdc", ready=ready, settings={**self.settings, **settings})

    def collection(self, table: str) -> Any:
        """Return a table's collection."""
        return self.client[self.stack.database][table]

    def checkpoint(self) -> dict[str, Any]:
        """Return the checkpoint, empty when there is none."""
        return self.client[self.stack.database]["_cdc_checkpoints"].find_one({"_id": CHECKPOINT}) or {}

    def caught_up(self) -> bool:
        """Whether everything that MySQL has committed is in MongoDB and no table is being read."""
        state = self.checkpoint()
        if not state or state["snapshot"] or state["txn"]:
            return False
        return bool(self.scalar(f"SELECT GTID_SUBSET(@@GLOBAL.gtid_executed, '{state['gtid_set']}')"))

    def wait(self, seconds: float = 120.0) -> None:
        """Wait until caught up."""
        self.stack.until(self.caught_up, seconds=seconds, what="catching up")

    def differences(self, *tables: str) -> list[str]:
        """Compare tables with their collections, row for row."""
        with contextlib.closing(self.stack.mysql()) as connection:
            return differences(connection, self.client, self.stack.database, tables)
