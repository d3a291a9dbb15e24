"""The settings of `isotherm-migrate` and `isotherm-mongo-init`; the only reader of the environment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - the loader resolves the annotations

from isotherm_common.settings import LogSettings, Secret, group, setting
from isotherm_setup import sql


@dataclass(frozen=True)
class SchemaSettings:
    """What is made in MySQL: enough to print it as SQL."""

    database: str = setting(
        "MYSQL_DATABASE",
        default="weather",
        check=sql.wrong_with_database,
        help="The schema that holds the weather's tables; made when it is not there.",
    )
    fetcher_user: str = setting(
        "MIGRATE_FETCHER_USER",
        default="isotherm_fetcher",
        check=sql.wrong_with_user,
        help="Name of the fetcher's MySQL user.",
    )
    fetcher_password: Secret | None = setting(
        "MIGRATE_FETCHER_PASSWORD",
        default=None,
        help="Its password from now on; without one the user is left as it is.",
    )
    exporter_user: str = setting(
        "MIGRATE_EXPORTER_USER",
        default="isotherm_exporter",
        check=sql.wrong_with_user,
        help="Name of the MySQL user of the fetcher's exporter.",
    )
    exporter_password: Secret | None = setting(
        "MIGRATE_EXPORTER_PASSWORD",
        default=None,
        help="Its password from now on; without one the user is left as it is.",
    )
    cdc_user: str = setting(
        "MIGRATE_CDC_USER", default="isotherm_cdc", check=sql.wrong_with_user, help="Name of the CDC's MySQL user."
    )
    cdc_password: Secret | None = setting(
        "MIGRATE_CDC_PASSWORD",
        default=None,
        help="Its password from now on; without one the user is left as it is.",
    )
    monitor_user: str = setting(
        "MIGRATE_MONITOR_USER",
        default="isotherm_monitor",
        check=sql.wrong_with_user,
        help="Name of the MySQL user of mysqld_exporter, which reads the server's counters and no row.",
    )
    monitor_password: Secret | None = setting(
        "MIGRATE_MONITOR_PASSWORD",
        default=None,
        help="Its password from now on; without one the user is left as it is, or not made.",
    )

    def __post_init__(self) -> None:
        names = (self.fetcher_user, self.exporter_user, self.cdc_user, self.monitor_user)
        if len(set(names)) < len(names):
            message = (
                "MIGRATE_FETCHER_USER, MIGRATE_EXPORTER_USER, MIGRATE_CDC_USER and MIGRATE_MONITOR_USER must be "
                "different names: each has its own privileges."
            )
            raise ValueError(message)


@dataclass(frozen=True)
class MigrateSettings:
    """Everything that `isotherm-migrate` needs to run."""

    schema: SchemaSettings = group(SchemaSettings)
    host: str = setting("MYSQL_HOST", default="127.0.0.1", help="Host name or address of the MySQL server.")
    port: int = setting("MYSQL_PORT", default=3306, minimum=1, maximum=65535, help="TCP port of the MySQL server.")
    ssl_ca: Path | None = setting(
        "MYSQL_SSL_CA",
        default=None,
        help="A file of certificates to trust; given one, the connection must be encrypted and the server's name match.",
    )
    admin_user: str = setting(
        "MYSQL_ADMIN_USER",
        default="root",
        help="A MySQL user that may create databases, tables and users and grant privileges.",
    )
    admin_password: Secret = setting("MYSQL_ADMIN_PASSWORD", help="the password of MYSQL_ADMIN_USER.")
    wait_seconds: float = setting(
        "MIGRATE_WAIT_SECONDS",
        default=120.0,
        minimum=0,
        help="How long to wait for a server that is still starting; a first start initialises its files.",
    )
    lock_wait_seconds: int = setting(
        "MIGRATE_LOCK_WAIT_SECONDS", default=60, minimum=0, help="How long to wait for another migration to end."
    )
    log: LogSettings = group(LogSettings)


def _wrong_with_members(members: tuple[str, ...]) -> str | None:
    if len(set(members)) < len(members):
        return "names a member twice"
    wrong = [member for member in members if not member.rpartition(":")[0] or not member.rpartition(":")[2].isdigit()]
    return f"must list host:port, which {wrong[0]!r} is not" if wrong else None


@dataclass(frozen=True)
class MongoInitSettings:
    """Everything that `isotherm-mongo-init` needs to run."""

    uri: Secret = setting(
        "MONGODB_ADMIN_URI",
        help="the connection string of the first member as an administrator, mongodb://user:password@host/?directConnection=true.",
    )
    members: tuple[str, ...] = setting(
        "MONGODB_ADMIN_MEMBERS",
        default=(),
        check=_wrong_with_members,
        help="The replica set's members as host:port, the first one first; empty: a set that somebody else keeps.",
    )
    replica_set: str = setting("MONGODB_ADMIN_REPLICA_SET", default="rs0", help="The replica set's name.")
    wait_seconds: float = setting(
        "MONGODB_ADMIN_WAIT_SECONDS",
        default=300.0,
        minimum=0,
        help="How long to wait for servers that are still starting, and for a new member's first copy.",
    )
    database: str = setting(
        "MONGODB_DATABASE",
        default="weather",
        check=sql.wrong_with_database,
        help="The database of the CDC's state and of the weather's collections.",
    )
    cdc_user: str = setting("MONGODB_ADMIN_CDC_USER", default="isotherm_cdc", help="Name of the CDC's MongoDB user.")
    cdc_password: Secret | None = setting(
        "MONGODB_ADMIN_CDC_PASSWORD",
        default=None,
        help="Its password from now on; without one the user is left as it is.",
    )
    cdc_databases: tuple[str, ...] = setting(
        "MONGODB_ADMIN_CDC_DATABASES",
        default=(),
        help="Further databases that the CDC writes: those of other captured MySQL schemas.",
    )
    web_user: str = setting("MONGODB_ADMIN_WEB_USER", default="isotherm_web", help="Name of the web's MongoDB user.")
    web_password: Secret | None = setting(
        "MONGODB_ADMIN_WEB_PASSWORD",
        default=None,
        help="Its password from now on; without one the user is left as it is.",
    )
    monitor_user: str = setting(
        "MONGODB_ADMIN_MONITOR_USER",
        default="isotherm_monitor",
        help="Name of the MongoDB user of mongodb_exporter, which reads the servers' counters and no document.",
    )
    monitor_password: Secret | None = setting(
        "MONGODB_ADMIN_MONITOR_PASSWORD",
        default=None,
        help="Its password from now on; without one the user is left as it is, or not made.",
    )
    log: LogSettings = group(LogSettings)
