"""The command `isotherm-mongo-init`: MongoDB's replica set, users and indexes.

It can be run at any time and any number of times: what is there already stays as it is.
"""

from __future__ import annotations

import argparse
import os
from importlib.metadata import version
from typing import TYPE_CHECKING

import structlog

from isotherm_common import logging
from isotherm_common.process import run
from isotherm_common.retry import RetryPolicy, ShutdownDuringRetry, retry
from isotherm_common.settings import load
from isotherm_common.shutdown import Shutdown
from isotherm_setup.errors import ServerUnreachableError
from isotherm_setup.mongo import Cluster, Login, bring_index, bring_user
from isotherm_setup.replica_set import Add, Done, Initiate, Wait, next_step
from isotherm_setup.settings import MongoInitSettings

if TYPE_CHECKING:
    from collections.abc import Callable

INDEXES = (
    ("_cdc_tombstones", ("seq",)),
    ("locations", ("_cdc.seq",)),
    ("weather_data", ("_cdc.seq",)),
    ("weather_history", ("_cdc.seq",)),
    ("weather_history", ("location_id", "valid_at")),
    ("weather_forecast", ("_cdc.seq",)),
)
"""Collection and keys: what resuming a browser (contracts K4 and K7) and a location's series read by."""


def logins(settings: MongoInitSettings) -> list[Login]:
    """Return the users whose passwords are given."""
    found = []
    if settings.cdc_password is not None:
        databases = (settings.database, *settings.cdc_databases)
        found.append(Login(settings.cdc_user, settings.cdc_password.value, "readWrite", databases))
    if settings.web_password is not None:
        found.append(Login(settings.web_user, settings.web_password.value, "read", (settings.database,)))
    if settings.monitor_password is not None:
        found.append(Login(settings.monitor_user, settings.monitor_password.value, "clusterMonitor", ("admin",)))
    return found


def take_step(cluster: Cluster, settings: MongoInitSettings) -> None:
    """Look, and bring the set one step further.

    Raises:
        ServerUnreachableError: it is not there yet; take another step after a while.
    """
    log = structlog.get_logger()
    step = next_step(cluster.look(settings.members), settings.replica_set, settings.members)
    match step:
        case Done(surplus):
            if surplus:
                log.warning("members_not_asked_for", members=surplus, action="left in the replica set")
            return
        case Initiate(host):
            cluster.initiate(step)
            log.info("replica_set_initiated", host=host)
            message = f"the replica set of {host} is being initiated"
        case Add(host):
            cluster.add(step)
            log.info("member_added", host=host)
            message = f"{host} is being added"
        case Wait(reason):
            message = reason
    raise ServerUnreachableError(message)


def prepare(settings: MongoInitSettings, shutdown: Shutdown) -> None:
    """Bring the replica set, the users and the indexes to what the settings say."""
    log = structlog.get_logger()
    cluster = Cluster(settings.uri.value, settings.replica_set)

    def until_it_answers(call: Callable[[], None], doing: str) -> None:
        retry(
            call,
            transient=lambda error: isinstance(error, ServerUnreachableError),
            shutdown=shutdown,
            doing=doing,
            policy=RetryPolicy(initial_seconds=0.5, maximum_seconds=5, give_up_after_seconds=settings.wait_seconds),
        )

    def bring_all() -> None:
        with cluster.primary() as client:
            for login in logins(settings):
                bring_user(client, login)
                log.info("user_ready", user=login.name, role=login.role, databases=login.databases)
            for collection, keys in INDEXES:
                bring_index(client, settings.database, collection, keys)

    until_it_answers(lambda: take_step(cluster, settings), "bringing up the replica set")
    until_it_answers(bring_all, "preparing users and indexes")
    log.info("prepared", replica_set=settings.replica_set, database=settings.database)


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="isotherm-mongo-init", description=__doc__)
    parser.add_argument("--version", action="version", version=version("isotherm-setup"))
    parser.parse_args()

    def work() -> None:
        settings = load(MongoInitSettings, os.environ)
        logging.configure(settings.log, "mongo-init")
        try:
            prepare(settings, Shutdown.on_signals())
        except ShutdownDuringRetry:
            structlog.get_logger().info("stopped_before_mongodb_was_ready")

    return run(work)
