"""The schema and the users as SQL: the statements around the migrations, and all of it as one script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isotherm_setup import prerequisites, sql, users

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from isotherm_common.settings import Secret
    from isotherm_setup.migrations import Migration
    from isotherm_setup.settings import SchemaSettings
    from isotherm_setup.users import User

SCHEMA_VERSION = """CREATE TABLE IF NOT EXISTS `schema_version` (
  `version` INT UNSIGNED NOT NULL,
  `name` VARCHAR(120) NOT NULL,
  `checksum` CHAR(64) NOT NULL,
  `applied_at` DATETIME(6) NOT NULL,
  PRIMARY KEY (`version`)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_0900_ai_ci"""


def create_database(name: str) -> str:
    """Return the statement that makes the database when it is not there."""
    return f"CREATE DATABASE IF NOT EXISTS {sql.identifier(name)} CHARACTER SET = utf8mb4 COLLATE = utf8mb4_0900_ai_ci"


def wanted_users(schema: SchemaSettings, *, wildcards: bool) -> list[tuple[User, Secret | None]]:
    """Return every user with the password that it should have."""
    return [
        (users.fetcher(schema.fetcher_user, schema.database), schema.fetcher_password),
        (users.exporter(schema.exporter_user, schema.database), schema.exporter_password),
        (users.cdc(schema.cdc_user, schema.database, wildcards=wildcards), schema.cdc_password),
        # Most servers have no exporter: its user is only made where it is asked for.
        *([(users.monitor(schema.monitor_user), schema.monitor_password)] if schema.monitor_password else []),
    ]


def render(schema: SchemaSettings, steps: Sequence[Migration]) -> str:
    """Return everything as a script for the `mysql` client."""
    return "".join(f"{line}\n" for line in _lines(schema, steps))


def _lines(schema: SchemaSettings, steps: Sequence[Migration]) -> Iterator[str]:
    yield "-- Prepares MySQL for Isotherm. It may be run again: what is there stays."
    yield "-- The server needs: " + ", ".join(prerequisites.described()) + "."
    yield "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE', time_zone = '+00:00';"
    yield create_database(schema.database) + ";"
    yield f"USE {sql.identifier(schema.database)};"
    yield SCHEMA_VERSION + ";"
    for step in steps:
        yield f"\n-- Migration {step.version}: {step.name}"
        yield from (f"{statement};" for statement in step.statements)
        yield (
            "INSERT IGNORE INTO `schema_version` (`version`, `name`, `checksum`, `applied_at`) VALUES "  # noqa: S608 - quoted
            f"({step.version}, {sql.string(step.name)}, {sql.string(step.checksum)}, UTC_TIMESTAMP(6));"
        )
    for user, password in wanted_users(schema, wildcards=True):
        yield f"\n-- {user.name}"
        if password is None:
            yield "-- Replace the placeholder by the user's password, twice."
        secret = f"<password of {user.name}>" if password is None else password.value
        yield from (f"{statement};" for statement in users.password_statements(user, secret))
        yield from (f"{statement};" for statement in users.grant_statements(user))
