"""`isotherm-cdc`: keeps MongoDB equal to MySQL."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import closing
from dataclasses import replace
from importlib.metadata import version
from logging import CRITICAL, getLogger
from typing import TYPE_CHECKING, Any

import pymysql
from pymongo.errors import PyMongoError

from isotherm_cdc import leader as leadership
from isotherm_cdc import metrics, mongo, mysql
from isotherm_cdc.admin.arguments import parser
from isotherm_cdc.engine.engine import Engine
from isotherm_cdc.leader import Leader
from isotherm_cdc.settings import Settings
from isotherm_cdc.sink.sink import Sink
from isotherm_common import logging
from isotherm_common.garbage import collect_rarely
from isotherm_common.observability import Health, ObservabilityServer
from isotherm_common.process import TryAgainLater, run
from isotherm_common.retry import ShutdownDuringRetry
from isotherm_common.schema_gate import wait_for_schema
from isotherm_common.settings import load
from isotherm_common.shutdown import Shutdown
from isotherm_common.tracing import configure

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

YOUNG_OBJECTS = 50_000
"""So many new objects have garbage looked for: rows form no cycles, and there are many of them."""
SCHEMA_VERSION = 1
"""The version of the weather's schema that this was built for."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = parser().parse_args(arguments)
    return run(serve if options.command is None else lambda: _operate(options))


def _operate(options: argparse.Namespace) -> int:
    """Run an operator's command."""
    settings = load(Settings, os.environ)
    logging.configure(replace(settings.log, level="error"), "cdc")
    getLogger().setLevel(CRITICAL)  # what a person is told is printed
    from isotherm_cdc.admin.commands import COMMANDS  # noqa: PLC0415 - the reader needs none of it

    try:
        return COMMANDS[options.command](settings, options)
    except PyMongoError as error:
        message = f"MongoDB does not answer as it should: {error}"
        raise TryAgainLater(message) from error
    except (pymysql.err.MySQLError, OSError) as error:
        message = f"MySQL does not answer as it should: {error}"
        raise TryAgainLater(message) from error


def serve() -> None:
    """Run the pipeline until SIGTERM or SIGINT."""
    settings = load(Settings, os.environ)
    logging.configure(settings.log, "cdc")
    shutdown = Shutdown.on_signals()
    health = Health()
    sink = Sink(
        mongo.connect(settings.mongodb),
        settings.mongodb.database,
        settings.name,
        shutdown=shutdown,
        tombstone_retention_seconds=settings.tombstone_retention_seconds,
        oversized=settings.oversized_row_policy,
        on_retry=_count_retry,
    )
    tracing = configure(settings.tracing, "cdc", version("isotherm-cdc"))
    engine = Engine(settings, sink, shutdown, health, tracing)
    leader = _leader(settings, shutdown, health)
    pages = {"/status": lambda: _status(engine, leader)}
    if leader is None:
        _work_begins(health)
    with closing(tracing), ObservabilityServer(settings.observability, health, pages=pages):
        if leader is None:
            _work(settings, engine, shutdown, health)
        elif leader.acquire():
            leader.start(engine.abandon)
            try:
                _work_begins(health)
                _work(settings, engine, shutdown, health)
            finally:
                leader.release()


def _leader(settings: Settings, shutdown: Shutdown, health: Health) -> Leader | None:
    lease = settings.lease
    if lease.name is None:
        return None
    health.not_ready(leadership.CONDITION, "starting")
    timing = leadership.Timing(lease.duration_seconds, lease.renew_deadline_seconds, lease.retry_seconds)
    from isotherm_cdc.leases import KubernetesLeases  # noqa: PLC0415 - its client takes a second and 50 MB to import

    leases = KubernetesLeases(lease.name, lease.namespace, lease.renew_deadline_seconds / 2)
    return Leader(leases, lease.identity or socket.gethostname(), timing, shutdown, health)


def _work_begins(health: Health) -> None:
    """From now on what a working reader needs decides whether it is ready."""
    metrics.leader.set(1)
    for condition in ("schema", "mysql", "mongodb"):
        health.not_ready(condition, "starting")


def _work(settings: Settings, engine: Engine, shutdown: Shutdown, health: Health) -> None:
    try:
        _wait_for_schema(settings, shutdown, health)
    except ShutdownDuringRetry:
        engine.raise_failure()
        return
    health.ready("schema")
    collect_rarely(YOUNG_OBJECTS)
    engine.run()


def _status(engine: Engine, leader: Leader | None) -> dict[str, Any]:
    role = "reader" if leader is None or leader.leading else "standby"
    lease = None if leader is None else {"identity": leader.identity, "holder": leader.holder}
    return {"role": role, "lease": lease, **engine.status()}


def _count_retry(reason: str) -> None:
    metrics.retries_total.labels(reason).inc()
    metrics.reconnects_total.labels("mongodb").inc()


def _wait_for_schema(settings: Settings, shutdown: Shutdown, health: Health) -> None:
    if not settings.captures_weather:
        return

    def read_version() -> int | None:
        health.beat()
        connection = mysql.connect(settings.mysql, database=settings.mysql.database)
        try:
            found = mysql.query(connection, "SELECT MAX(version) FROM schema_version")[0][0]
            return None if found is None else int(found)
        except pymysql.err.MySQLError as error:
            if error.args and error.args[0] in mysql.SCHEMA_NOT_READY_CODES:
                return None
            raise
        finally:
            connection.close()

    wait_for_schema(read_version, SCHEMA_VERSION, transient=mysql.is_transient, shutdown=shutdown)


if __name__ == "__main__":
    sys.exit(main())
