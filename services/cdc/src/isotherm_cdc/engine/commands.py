"""The thread that does what operators ask: it looks for their requests and hands the answers to the next batch."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pymysql
import structlog
from pymongo.errors import PyMongoError

from isotherm_cdc import mongo, mysql
from isotherm_cdc.checkpoint import TableSnapshot
from isotherm_cdc.engine.requeue import plan
from isotherm_cdc.errors import Declined
from isotherm_cdc.snapshot.conditions import problem_of
from isotherm_cdc.snapshot.identity import identified, overridden
from isotherm_cdc.snapshot.queries import chunk_query
from isotherm_cdc.snapshot.tables import read_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from isotherm_cdc.engine.shared import Shared
    from isotherm_cdc.values.columns import Table

LOOK_EVERY_SECONDS = 1.0
FORGET_EVERY_SECONDS = 3600.0
LETTERS_AT_ONCE = 500
TRY_MS = 2000


class Busy(Exception):  # noqa: N818 - it names the state
    """It cannot be done yet: the request waits."""


@dataclass(frozen=True)
class Outcome:
    """What a request leads to.

    Attributes:
        answer: what is told.
        tables: what is to be read.
        paused: whether everything, and whether the reading of tables, is to pause from now on.
    """

    answer: Any
    tables: Sequence[TableSnapshot] = ()
    paused: tuple[bool, bool] | None = None


class Commander:
    """Carries out requests until a shutdown is requested."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._handed: set[Any] = set()
        self._forget_at = 0.0
        self._handlers: dict[str, Callable[[dict[str, Any]], Outcome]] = {
            "pause": self._pause,
            "resume": self._resume,
            "snapshot": self._snapshot,
            "requeue": self._requeue,
        }

    def run(self) -> None:
        """Look for requests."""
        shared = self._shared
        while not shared.shutdown.wait(LOOK_EVERY_SECONDS):
            try:
                requests = shared.sink.requests()
                if time.monotonic() >= self._forget_at:
                    shared.sink.forget_requests()
                    self._forget_at = time.monotonic() + FORGET_EVERY_SECONDS
            except PyMongoError as error:
                if not mongo.is_transient(error):
                    raise
                continue
            self._handed &= {request["_id"] for request in requests}
            for request in requests:
                if request["_id"] not in self._handed:
                    self._carry_out(request)

    def _carry_out(self, request: dict[str, Any]) -> None:
        log = structlog.get_logger().bind(command=request.get("command"), arguments=request.get("arguments"))
        try:
            outcome = self._handler(request)(dict(request.get("arguments") or {}))
            self._hand_over(request, "done", outcome)
        except Declined as declined:
            self._hand_over(request, "refused", Outcome(str(declined)))
            log.warning("request_refused", reason=str(declined))
        except Busy as busy:
            log.info("request_waits", reason=str(busy))
        except (pymysql.err.MySQLError, PyMongoError, OSError) as error:
            log.warning("request_waits", reason=str(error))
        else:
            log.info("request_done", answer=outcome.answer)

    def _handler(self, request: dict[str, Any]) -> Callable[[dict[str, Any]], Outcome]:
        command = request.get("command")
        if command not in self._handlers:
            message = f"This reader knows the commands {', '.join(self._handlers)}, not {command!r}."
            raise Declined(message)
        return self._handlers[command]

    def _hand_over(self, request: dict[str, Any], state: str, outcome: Outcome) -> None:
        """Have the next batch do what was asked and answer it: both or neither."""
        shared = self._shared
        with shared.changed:
            running = {table.table for table in shared.pipeline.snapshot}
            if busy := running & {table.table for table in outcome.tables if table.where is not None}:
                message = f"{min(busy)} is being read already"
                raise Busy(message)
            shared.pipeline.request_snapshot(
                [
                    replace(table, request=request["_id"]) if table.where is not None and not table.letters else table
                    for table in outcome.tables
                ]
            )
            if outcome.paused is not None:
                shared.paused, shared.snapshot_paused = outcome.paused
                shared.also.update(paused=shared.paused, snapshot_paused=shared.snapshot_paused)
            self._handed.add(request["_id"])
            shared.answers.append({**request, "state": state, "answer": outcome.answer})
            shared.changed.notify_all()

    def _pause(self, arguments: dict[str, Any]) -> Outcome:
        only_snapshot = bool(arguments.get("snapshot"))
        shared = self._shared
        return _paused(everything=shared.paused or not only_snapshot, snapshot=shared.snapshot_paused or only_snapshot)

    def _resume(self, arguments: dict[str, Any]) -> Outcome:
        return _paused(everything=self._shared.paused and bool(arguments.get("snapshot")), snapshot=False)

    def _snapshot(self, arguments: dict[str, Any]) -> Outcome:
        shared = self._shared
        table, where = str(arguments.get("table")), arguments.get("where")
        if not shared.captured(table):
            message = f"{table} is not captured: look at CDC_TABLE_INCLUDE_LIST and CDC_TABLE_EXCLUDE_LIST."
            raise Declined(message)
        if where is not None and (problem := problem_of(where)):
            raise Declined(problem)
        connection = mysql.connect(shared.settings.mysql)
        try:
            found = self._look_up(connection, table)
            if found is None:
                message = f"There is no table {table} in MySQL."
                raise Declined(message)
            if where is not None and found.counted:
                message = f"{table} has no key: it can only be read whole."
                raise Declined(message)
            if where is not None:
                _try(connection, chunk_query(found, None, 1, where))
        finally:
            connection.close()
        ghosts = shared.sink.checkpoint.seq if where is None else None
        return Outcome({"table": table, "where": where}, [TableSnapshot(table, ghosts_before=ghosts, where=where)])

    def _requeue(self, arguments: dict[str, Any]) -> Outcome:
        shared = self._shared
        query: dict[str, Any] = {}
        if arguments.get("ids"):
            query["_id"] = {"$in": list(arguments["ids"])}
        if arguments.get("table"):
            query["table"] = str(arguments["table"])
        letters = shared.sink.letters(query, LETTERS_AT_ONCE)
        if missing := set(arguments.get("ids") or ()) - {letter["_id"] for letter in letters}:
            message = f"There is no dead letter {min(missing)}."
            raise Declined(message)
        if not letters and "table" in query and not shared.captured(query["table"]):
            message = f"There is no dead letter of {query['table']}, which is not captured: name it as schema.table."
            raise Declined(message)
        connection = mysql.connect(shared.settings.mysql)
        try:
            states, keys, impossible = plan(letters, shared.captured, lambda table: self._look_up(connection, table))
        finally:
            connection.close()
        handed = [letter for state in states for letter in state.letters]
        rows = [{"table": state.table, "key": keys[letter]} for state in states for letter in state.letters]
        more = len(letters) == LETTERS_AT_ONCE and bool(handed)
        return Outcome({"letters": handed, "rows": rows, "impossible": impossible, "more": more}, states)

    def _look_up(self, connection: pymysql.Connection[Any], name: str) -> Table | None:
        """Return a table as it is now, with what tells its rows apart."""
        settings = self._shared.settings
        found = read_table(connection, *name.split(".", 1))
        return found and overridden(identified(connection, found, settings.keyless), settings.overrides)


def _paused(*, everything: bool, snapshot: bool) -> Outcome:
    return Outcome({"paused": everything, "snapshot_paused": snapshot}, paused=(everything, snapshot))


def _try(connection: pymysql.Connection[Any], sql: str) -> None:
    """Look for the first row, for some mistakes show only there; not for long."""
    mysql.query(connection, f"SET SESSION max_execution_time = {TRY_MS}")
    try:
        mysql.query(connection, sql)
    except pymysql.err.MySQLError as error:
        if error.args[0] == mysql.TOO_LONG_CODE:
            return
        if mysql.is_transient(error):
            raise
        message = f"MySQL does not take the condition: {mysql.reason(error)}"
        raise Declined(message) from error
