"""`isotherm-migrate` against a real MySQL: the schema, the users, and what happens when it is disturbed."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pymysql
import pytest
from pymysql.constants import ER

from isotherm_common.settings import LogSettings, Secret
from isotherm_common.shutdown import Shutdown
from isotherm_setup.errors import AdminRefusedError, LockBusyError, MigrationError
from isotherm_setup.migrate import migrate
from isotherm_setup.migrations import Migration, read, split
from isotherm_setup.mysql import LOCK
from isotherm_setup.script import render
from isotherm_setup.settings import MigrateSettings, SchemaSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pymysql.connections import Connection

NUMBER = r"int unsigned"
BIG = r"bigint unsigned"
VALUES = {
    "temperature_2m": "double",
    "wind_speed_10m": "double",
    "wind_direction_10m": "double",
    "wind_gusts_10m": "double",
    "relative_humidity_2m": "double",
    "pressure_msl": "double",
    "weather_code": "smallint unsigned",
}
SOURCE = "enum('open-meteo','simulator')"


@pytest.fixture
def admin(mysql_admin: Callable[[], Connection[Any]]) -> Iterator[Connection[Any]]:
    """A connection of the administrator."""
    with contextlib.closing(mysql_admin()) as connection:
        connection.autocommit(True)
        yield connection


@pytest.fixture
def settings(admin: Connection[Any]) -> Iterator[MigrateSettings]:
    """Settings of a database and of users that are not there yet, and are gone afterwards."""
    mark = secrets.token_hex(4)
    users = {f"{name}_user": f"{name}_{mark}" for name in ("fetcher", "exporter", "cdc")}
    passwords = {f"{name}_password": Secret(f"{name}'s \\ {mark}") for name in ("fetcher", "exporter", "cdc")}
    schema = SchemaSettings(database=f"setup_{mark}", **users, **passwords)
    yield MigrateSettings(
        schema=schema,
        host=str(admin.host),
        port=admin.port,
        admin_user=_text(admin.user),
        admin_password=Secret(_text(admin.password)),
        wait_seconds=30.0,
        lock_wait_seconds=60,
        log=LogSettings(),
    )
    _run(admin, f"DROP DATABASE IF EXISTS `{schema.database}`")
    for user in users.values():
        _run(admin, f"DROP USER IF EXISTS `{user}`@`%`")


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value or "")


def _run(connection: Connection[Any], statement: str) -> list[Any]:
    with connection.cursor(pymysql.cursors.Cursor) as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def bring(settings: MigrateSettings, steps: list[Migration] | None = None) -> None:
    migrate(settings, read() if steps is None else steps, Shutdown())


def as_user(settings: MigrateSettings, name: str) -> Connection[Any]:
    return pymysql.connect(
        host=settings.host,
        port=settings.port,
        user=getattr(settings.schema, f"{name}_user"),
        password=getattr(settings.schema, f"{name}_password").value,
        database=settings.schema.database,
        autocommit=True,
    )


def columns(admin: Connection[Any], settings: MigrateSettings, table: str) -> dict[str, tuple[str, bool]]:
    """Return name to type and whether it may be null, in the table's order."""
    rows = _run(
        admin,
        "SELECT column_name, column_type, is_nullable FROM information_schema.columns "
        f"WHERE table_schema = '{settings.schema.database}' AND table_name = '{table}' ORDER BY ordinal_position",
    )
    return {name: (kind.decode() if isinstance(kind, bytes) else kind, null == "YES") for name, kind, null in rows}


def keys(admin: Connection[Any], settings: MigrateSettings, table: str) -> set[tuple[bool, str]]:
    """Return whether each key is unique, and its columns."""
    rows = _run(
        admin,
        "SELECT MIN(non_unique) = 0, GROUP_CONCAT(column_name ORDER BY seq_in_index) FROM information_schema.statistics "
        f"WHERE table_schema = '{settings.schema.database}' AND table_name = '{table}' GROUP BY index_name",
    )
    return {(bool(unique), names) for unique, names in rows}


@pytest.mark.contract("S1", "S2", "S3", "S4", "S5", "S6")
@pytest.mark.parametrize(
    ("table", "expected", "nullable", "expected_keys"),
    [
        (
            "schema_version",
            {"version": NUMBER, "name": "varchar(120)", "checksum": "char(64)", "applied_at": "datetime(6)"},
            set(),
            {(True, "version")},
        ),
        (
            "locations",
            {
                "id": NUMBER,
                "latitude": "decimal(8,5)",
                "longitude": "decimal(8,5)",
                "name": "varchar(120)",
                "elevation": "double",
                "active": "tinyint(1)",
            },
            {"name", "elevation"},
            {(True, "id"), (True, "latitude,longitude")},
        ),
        (
            "weather_data",
            {
                "location_id": NUMBER,
                "valid_at": "datetime",
                **VALUES,
                "model_latitude": "double",
                "model_longitude": "double",
                "source": SOURCE,
                "run_id": BIG,
                "fetched_at": "datetime(6)",
            },
            set(VALUES),
            {(True, "location_id")},
        ),
        (
            "weather_history",
            {
                "location_id": NUMBER,
                "valid_at": "datetime",
                **VALUES,
                "source": SOURCE,
                "run_id": BIG,
                "fetched_at": "datetime(6)",
            },
            set(VALUES),
            {(True, "location_id,valid_at"), (False, "valid_at")},
        ),
        (
            "weather_forecast",
            {
                "location_id": NUMBER,
                "issued_at": "datetime(6)",
                "valid_at": "json",
                "temperature_2m": "json",
                "wind_speed_10m": "json",
                "wind_direction_10m": "json",
                "source": SOURCE,
                "run_id": BIG,
            },
            set(),
            {(True, "location_id")},
        ),
        (
            "fetch_runs",
            {
                "id": BIG,
                "started_at": "datetime(6)",
                "finished_at": "datetime(6)",
                "outcome": "enum('running','done','partial','quota','failed','died')",
                "source": SOURCE,
                "points_asked": NUMBER,
                "points_stored": NUMBER,
                "points_failed": NUMBER,
                "upstream_status": "json",
                "upstream_latency_buckets": "json",
                "upstream_latency_sum_seconds": "double",
                "weight_by_minute": "json",
                "blocked_until": "datetime",
                "error": "varchar(1000)",
            },
            {"finished_at", "source", "blocked_until", "error"},
            {(True, "id")},
        ),
    ],
)
def test_a_table_is_as_the_contract_says(
    admin: Connection[Any],
    settings: MigrateSettings,
    table: str,
    expected: dict[str, str],
    nullable: set[str],
    expected_keys: set[tuple[bool, str]],
) -> None:
    """Columns, their order and types, and the keys."""
    bring(settings)
    found = columns(admin, settings, table)
    assert {name: kind for name, (kind, _) in found.items()} == expected
    assert list(found) == list(expected)
    assert {name for name, (_, null) in found.items() if null} == nullable
    assert keys(admin, settings, table) == expected_keys


@pytest.mark.contract("S1")
def test_each_migration_leaves_one_row(admin: Connection[Any], settings: MigrateSettings) -> None:
    """Running again changes nothing, not even the time."""
    bring(settings)
    rows = _run(admin, f"SELECT version, name, checksum, applied_at FROM `{settings.schema.database}`.schema_version")
    assert [row[:3] for row in rows] == [(step.version, step.name, step.checksum) for step in read()]
    bring(settings)
    again = _run(admin, f"SELECT version, name, checksum, applied_at FROM `{settings.schema.database}`.schema_version")
    assert again == rows


@pytest.mark.contract("S2")
def test_the_charset_is_utf8mb4_and_deletes_do_not_cascade(admin: Connection[Any], settings: MigrateSettings) -> None:
    """Every name in the world fits, and every delete is in the binary log."""
    bring(settings)
    database = settings.schema.database
    assert _run(
        admin,
        f"SELECT default_character_set_name FROM information_schema.schemata WHERE schema_name = '{database}'",
    ) == [("utf8mb4",)]
    assert not _run(
        admin,
        "SELECT constraint_name FROM information_schema.referential_constraints "
        f"WHERE constraint_schema = '{database}' AND delete_rule = 'CASCADE'",
    )


def test_several_at_once_apply_everything_once(admin: Connection[Any], settings: MigrateSettings) -> None:
    """The lock lets one of them work while the others wait, and then find it done."""
    start, errors = threading.Barrier(4), []

    def one() -> None:
        start.wait(timeout=30)
        try:
            bring(settings)
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the assertion below
            errors.append(error)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert errors == []
    assert _run(admin, f"SELECT COUNT(*) FROM `{settings.schema.database}`.schema_version") == [(len(read()),)]


def test_a_lock_that_stays_taken_ends_the_run(admin: Connection[Any], settings: MigrateSettings) -> None:
    """Try again later, says the exit code; nothing was changed."""
    assert _run(admin, f"SELECT GET_LOCK('{LOCK}', 30)") == [(1,)]
    with pytest.raises(LockBusyError) as caught:
        bring(replace(settings, lock_wait_seconds=0))
    _run(admin, f"SELECT RELEASE_LOCK('{LOCK}')")
    assert caught.value.exit_code == 75
    assert _run(admin, f"SHOW DATABASES LIKE '{settings.schema.database}'") == []


def test_a_crash_before_the_row_is_written_is_survived(admin: Connection[Any], settings: MigrateSettings) -> None:
    """The statements run again over what they made, and rows that are there already stay."""
    bring(settings)
    database = settings.schema.database
    _run(admin, f"INSERT INTO `{database}`.locations (latitude, longitude) VALUES (50, 10)")
    _run(admin, f"DELETE FROM `{database}`.schema_version")
    _run(admin, f"DROP TABLE `{database}`.fetch_runs")
    bring(settings)
    assert _run(admin, f"SELECT latitude, longitude FROM `{database}`.locations") == [(50, 10)]
    assert _run(admin, f"SELECT COUNT(*) FROM `{database}`.fetch_runs") == [(0,)]
    assert _run(admin, f"SELECT MAX(version) FROM `{database}`.schema_version") == [(len(read()),)]


def test_a_migration_that_failed_half_way_is_finished_by_the_next_run(
    admin: Connection[Any], settings: MigrateSettings
) -> None:
    """No row says that it was applied, and what it had done already counts as done."""
    text = "CREATE TABLE IF NOT EXISTS a (b INT);\nALTER TABLE a ADD COLUMN c INT;\nALTER TABLE a ADD KEY c (c);\n"
    with pytest.raises(MigrationError, match="statement 4 of migration 1"):
        bring(settings, [Migration(1, "half", text + "UPDATE nowhere SET x = 1")])
    database = settings.schema.database
    assert _run(admin, f"SELECT COUNT(*) FROM `{database}`.schema_version") == [(0,)]
    schema = replace(settings.schema, fetcher_password=None, exporter_password=None, cdc_password=None)
    bring(replace(settings, schema=schema), [Migration(1, "half", text)])
    assert _run(admin, f"SELECT version, name FROM `{database}`.schema_version") == [(1, "half")]


def test_an_applied_migration_that_changed_is_a_loud_error(admin: Connection[Any], settings: MigrateSettings) -> None:
    """It is named and nothing is applied."""
    bring(settings)
    first, *rest = read()
    changed = [
        replace(first, text=first.text + "\n-- changed"),
        *rest,
        Migration(len(rest) + 2, "next", "DELETE FROM locations"),
    ]
    _run(admin, f"INSERT INTO `{settings.schema.database}`.locations (latitude, longitude) VALUES (50, 10)")
    with pytest.raises(MigrationError, match="must never be changed"):
        bring(settings, changed)
    assert _run(admin, f"SELECT COUNT(*) FROM `{settings.schema.database}`.locations") == [(1,)]


FORBIDDEN = (
    "CREATE TABLE x (y INT)",
    "DROP TABLE fetch_runs",
    "ALTER TABLE fetch_runs ADD COLUMN x INT",
    "CREATE INDEX x ON fetch_runs (outcome)",
    "TRUNCATE TABLE fetch_runs",
    "RENAME TABLE fetch_runs TO x",
    "CREATE VIEW x AS SELECT 1",
    "CREATE DATABASE {database}_x",
    "DROP DATABASE {database}",
    "INSERT INTO schema_version VALUES (99, 'x', 'x', NOW(6))",
    "UPDATE schema_version SET version = 99",
    "DELETE FROM schema_version",
    "CREATE USER x_{database}",
    "GRANT SELECT ON fetch_runs TO CURRENT_USER()",
    "SELECT * FROM mysql.user",
)
DENIED = {
    ER.TABLEACCESS_DENIED_ERROR,
    ER.DBACCESS_DENIED_ERROR,
    ER.SPECIFIC_ACCESS_DENIED_ERROR,
    ER.ACCESS_DENIED_ERROR,
}


@pytest.mark.contract("S7")
@pytest.mark.parametrize("name", ["fetcher", "exporter", "cdc"])
def test_no_user_may_change_the_schema(settings: MigrateSettings, name: str) -> None:
    """MySQL itself refuses every kind of DDL, other users' affairs, and lies about the version."""
    bring(settings)
    answers = {}
    with contextlib.closing(as_user(settings, name)) as connection:
        for statement in FORBIDDEN:
            try:
                _run(connection, statement.format(database=settings.schema.database))
            except pymysql.MySQLError as error:
                answers[statement] = error.args[0]
            else:
                answers[statement] = "allowed"
    assert {statement: answer for statement, answer in answers.items() if answer not in DENIED} == {}


@pytest.mark.contract("S7")
def test_each_user_can_do_its_work(settings: MigrateSettings) -> None:
    """The fetcher writes its tables, the exporter reads three, the CDC reads everything and the log's position."""
    bring(settings)
    tables = ("locations", "weather_data", "weather_history", "weather_forecast", "fetch_runs")
    with contextlib.closing(as_user(settings, "fetcher")) as fetcher:
        _run(fetcher, "INSERT INTO locations (latitude, longitude) VALUES (50, 10)")
        _run(fetcher, "UPDATE locations SET active = FALSE")
        for table in tables:
            _run(fetcher, f"DELETE FROM {table}")
        assert _run(fetcher, "SELECT MAX(version) FROM schema_version") == [(len(read()),)]
    with contextlib.closing(as_user(settings, "exporter")) as exporter:
        for table in ("fetch_runs", "weather_data", "schema_version"):
            _run(exporter, f"SELECT * FROM {table}")
        for statement in ("SELECT * FROM locations", "DELETE FROM fetch_runs"):
            with pytest.raises(pymysql.MySQLError):
                _run(exporter, statement)
    with contextlib.closing(as_user(settings, "cdc")) as cdc:
        for table in (*tables, "schema_version"):
            _run(cdc, f"SELECT * FROM {table}")
        assert _run(cdc, "SHOW BINARY LOG STATUS")
        with pytest.raises(pymysql.MySQLError):
            _run(cdc, "DELETE FROM locations")


@pytest.mark.contract("S7")
def test_surplus_privileges_are_revoked(admin: Connection[Any], settings: MigrateSettings) -> None:
    """Whatever somebody granted by hand is gone after the next run, and what is needed is there."""
    bring(settings)
    schema = settings.schema
    _run(admin, f"GRANT ALL PRIVILEGES ON *.* TO `{schema.fetcher_user}`@`%` WITH GRANT OPTION")
    _run(admin, f"GRANT ALL PRIVILEGES ON `{schema.database}`.* TO `{schema.cdc_user}`@`%`")
    _run(admin, f"GRANT SELECT (name), DROP ON `{schema.database}`.locations TO `{schema.exporter_user}`@`%`")
    bring(settings)
    shown = {
        name: {line for (line,) in _run(admin, f"SHOW GRANTS FOR `{getattr(schema, f'{name}_user')}`@`%`")}
        for name in ("fetcher", "exporter", "cdc")
    }
    tables = ("locations", "weather_data", "weather_history", "weather_forecast", "fetch_runs")
    at, by = f"`{schema.database}`", {name: f"`{getattr(schema, f'{name}_user')}`@`%`" for name in shown}
    pattern = at.replace("_", r"\_")
    assert shown == {
        "fetcher": {
            f"GRANT USAGE ON *.* TO {by['fetcher']}",
            f"GRANT SELECT ON {at}.`schema_version` TO {by['fetcher']}",
            *(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {at}.`{table}` TO {by['fetcher']}" for table in tables),
        },
        "exporter": {
            f"GRANT USAGE ON *.* TO {by['exporter']}",
            *(
                f"GRANT SELECT ON {at}.`{table}` TO {by['exporter']}"
                for table in ("fetch_runs", "weather_data", "schema_version")
            ),
        },
        "cdc": {
            f"GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO {by['cdc']}",
            f"GRANT SELECT ON {pattern}.* TO {by['cdc']}",
        },
    }


def test_a_new_password_is_the_only_one_that_works(settings: MigrateSettings) -> None:
    """Rotation is a run with another password; a user without one is left alone."""
    bring(settings)
    other = replace(settings, schema=replace(settings.schema, fetcher_password=Secret("new"), cdc_password=None))
    bring(other)
    as_user(other, "fetcher").close()
    as_user(settings, "cdc").close()
    with pytest.raises(pymysql.err.OperationalError) as caught:
        as_user(settings, "fetcher")
    assert caught.value.args[0] == ER.ACCESS_DENIED_ERROR


def test_the_printed_sql_does_the_same(admin: Connection[Any], settings: MigrateSettings) -> None:
    """An administrator runs it, twice if need be; the command then finds nothing left to do."""
    for statement in split(render(settings.schema, read())) * 2:
        _run(admin, statement)
    before = _run(admin, f"SELECT * FROM `{settings.schema.database}`.schema_version")
    bring(settings)
    assert _run(admin, f"SELECT * FROM `{settings.schema.database}`.schema_version") == before
    as_user(settings, "cdc").close()


def test_a_refused_administrator_is_a_configuration_error(settings: MigrateSettings) -> None:
    """It is not tried again, and the sentence holds no password."""
    with pytest.raises(AdminRefusedError, match="Check MYSQL_ADMIN_USER") as caught:
        bring(replace(settings, admin_password=Secret("wrong'word")))
    assert "wrong" not in str(caught.value)


@pytest.mark.contract("E4")
def test_the_command_ends_with_the_code_that_says_why(settings: MigrateSettings) -> None:
    """0 done, 64 wrong settings, 75 when MySQL does not answer in time."""
    command = [str(Path(sys.executable).with_name("isotherm-migrate"))]
    clean = {name: value for name, value in os.environ.items() if not re.match(r"(MYSQL|MIGRATE|MONGODB|LOG)_", name)}
    environment = {
        **clean,
        "MYSQL_HOST": settings.host,
        "MYSQL_PORT": str(settings.port),
        "MYSQL_DATABASE": settings.schema.database,
        "MYSQL_ADMIN_USER": settings.admin_user,
        "MYSQL_ADMIN_PASSWORD": settings.admin_password.value,
        "MIGRATE_WAIT_SECONDS": "0",
    }

    def code(**changed: str) -> int:
        done = subprocess.run(command, env=environment | changed, capture_output=True, timeout=60, check=False)
        assert b"Traceback" not in done.stderr
        return done.returncode

    assert code() == 0
    assert code(MYSQL_ADMIN_PASSWORD="wrong") == 64
    assert code(MYSQL_ADMIN_PASSWORD="") == 64
    assert code(MYSQL_PORT="1") == 75
