"""The command `isotherm-migrate`: the only one that changes the schema and the users of MySQL.

It can be run at any time and any number of times, also by several at once: what is there already stays as it is.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

import structlog

from isotherm_common import logging
from isotherm_common.process import run
from isotherm_common.retry import RetryPolicy, ShutdownDuringRetry, retry
from isotherm_common.settings import load
from isotherm_common.shutdown import Shutdown
from isotherm_setup import migrations, prerequisites, script, users
from isotherm_setup.errors import MigrationError, PrerequisiteError, ServerUnreachableError
from isotherm_setup.mysql import Admin
from isotherm_setup.script import SCHEMA_VERSION, create_database
from isotherm_setup.settings import MigrateSettings, SchemaSettings
from isotherm_setup.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from isotherm_setup.migrations import Migration


def migrate(settings: MigrateSettings, steps: Sequence[Migration], shutdown: Shutdown) -> None:
    """Bring the database to the newest version and the users to their passwords and privileges.

    Args:
        settings: of this run.
        steps: all migrations.
        shutdown: ends the waiting for a server that is still starting, and is heeded between two migrations.
    """
    log = structlog.get_logger()
    admin = retry(
        lambda: Admin(settings),
        transient=lambda error: isinstance(error, ServerUnreachableError),
        shutdown=shutdown,
        doing="connecting to MySQL",
        policy=RetryPolicy(initial_seconds=0.5, maximum_seconds=5, give_up_after_seconds=settings.wait_seconds),
    )
    with admin:
        variables = admin.variables()
        if problems := prerequisites.problems(variables):
            raise PrerequisiteError("\n".join(problems))
        with admin.locked(settings.lock_wait_seconds):
            admin.execute(create_database(settings.schema.database), doing="making the database")
            admin.execute(f"USE {identifier(settings.schema.database)}", doing="choosing the database")
            admin.execute(SCHEMA_VERSION, doing="making schema_version")
            apply(admin, steps, shutdown)
            if not shutdown.requested:
                bring_users(admin, settings.schema, wildcards=variables.get("partial_revokes", "OFF") != "ON")
    log.info("migrated", version=len(steps), database=settings.schema.database, stopped_early=shutdown.requested)


def apply(admin: Admin, steps: Sequence[Migration], shutdown: Shutdown) -> None:
    """Apply what is pending; a row of `schema_version` is written only when all of its migration is done."""
    log = structlog.get_logger()
    rows = admin.execute("SELECT version, name, checksum FROM schema_version", doing="reading schema_version")
    for step in migrations.pending(steps, [migrations.Applied(**row) for row in rows]):
        if shutdown.requested:
            return
        for number, statement in enumerate(step.statements, start=1):
            doing = f"applying statement {number} of migration {step.version} ({step.name})"
            if not admin.apply(statement, doing=doing):
                log.warning("statement_was_done_already", migration=step.version, statement=number)
        admin.execute(
            "INSERT INTO schema_version (version, name, checksum, applied_at) VALUES (%s, %s, %s, UTC_TIMESTAMP(6))",
            doing=f"recording migration {step.version}",
            parameters=(step.version, step.name, step.checksum),
        )
        log.info("migration_applied", version=step.version, name=step.name)


def bring_users(admin: Admin, schema: SchemaSettings, *, wildcards: bool) -> None:
    """Make the users whose passwords are given and leave them exactly the privileges that they need.

    Raises:
        MigrationError: a privilege is missing although it was granted.
    """
    log = structlog.get_logger()
    for user, password in script.wanted_users(schema, wildcards=wildcards):
        if password is None:
            log.info("user_left_alone", user=user.name, reason="no password is given")
            continue
        for statement in users.password_statements(user, password.value):
            admin.execute(statement, doing=f"giving {user.name} its password")
        surplus = users.revoke_statements(user, admin.shown_grants(user.account))
        for statement in (*surplus, *users.grant_statements(user)):
            admin.execute(statement, doing=f"setting the privileges of {user.name}")
        shown = admin.shown_grants(user.account)
        missing, left = users.missing(user, shown), users.revoke_statements(user, shown)
        if missing or left:
            message = f"The privileges of {user.name} are not as they should be: missing {missing}, still to do {left}."
            raise MigrationError(message)
        log.info("user_ready", user=user.name, surplus_revoked=len(surplus))


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="isotherm-migrate", description=__doc__)
    parser.add_argument("--version", action="version", version=version("isotherm-setup"))
    parser.add_argument(
        "--print-sql",
        action="store_true",
        help="print the SQL for the administrator of a database that this command cannot reach; it holds the passwords that are set",
    )
    arguments = parser.parse_args()

    def print_sql() -> None:
        sys.stdout.write(script.render(load(SchemaSettings, os.environ), migrations.read()))

    def work() -> None:
        settings = load(MigrateSettings, os.environ)
        logging.configure(settings.log, "migrate")
        shutdown = Shutdown.on_signals()
        try:
            migrate(settings, migrations.read(), shutdown)
        except ShutdownDuringRetry:
            structlog.get_logger().info("stopped_before_mysql_answered")

    return run(print_sql if arguments.print_sql else work)
