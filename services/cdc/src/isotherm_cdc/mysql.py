"""Plain connections to MySQL, and which of its errors pass by themselves."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import pymysql

from isotherm_cdc.gtid import GtidSet
from isotherm_common.certificates import is_refused, of_mysql
from isotherm_common.process import ConfigurationError

if TYPE_CHECKING:
    from isotherm_common.settings import MysqlSettings

CONNECT_TIMEOUT_SECONDS = 10
READ_TIMEOUT_SECONDS = 60
_REFUSED_CODES = frozenset(
    {
        1044,  # access denied to the schema: grants are on their way
        1045,  # access denied: the user is created, or its password rotated, just now
        1130,  # the host is not allowed: the user is created just now
        1227,  # privilege missing: grants are on their way
        1820, 1862,  # the password has expired
        3118,  # the account is locked
    }
)  # fmt: skip
_TRANSIENT_CODES = _REFUSED_CODES | {
    1021,  # disk full on the source
    1037, 1038, 1041, 1135,  # the source is out of memory or threads
    1040, 1203, 1226,  # too many connections: of all, of the user, in the hour
    1049,  # unknown database: not created yet
    1053,  # server shutdown in progress
    1077,  # normal shutdown
    1129,  # the host is blocked after too many broken connections
    1152, 1184,  # aborted connection
    1158, 1159, 1160, 1161,  # network errors
    1205,  # lock wait timeout
    1213,  # deadlock
    1290,  # read-only or starting
    1317,  # query interrupted
    1412,  # the table's definition has changed: read it again
    2002, 2003, 2005, 2006, 2012, 2013, 2014, 2026, 2055,  # connection refused, lost, gone
    3024,  # query execution interrupted
    3032,  # the server is in offline mode
    3169,  # session was killed
    4031,  # disconnected for inactivity
}  # fmt: skip
_SESSION = (
    "SET SESSION time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES', transaction_isolation = 'REPEATABLE-READ', "
    "completion_type = 'NO_CHAIN', sql_select_limit = 18446744073709551615, sql_big_selects = ON, max_execution_time = 0"
)
"""What a server may have other defaults for that would falsify, cut short or refuse what is asked here."""
TOO_LONG_CODE = 3024
"""A SELECT has taken longer than `max_execution_time`."""
SCHEMA_NOT_READY_CODES = frozenset({1142, 1146})
"""Table missing or not yet granted: what a schema gate waits for."""


def connection_arguments(settings: MysqlSettings) -> dict[str, Any]:
    """Return what every connection is made with.

    Raises:
        ConfigurationError: there are no certificates where the settings say.
    """
    arguments: dict[str, Any] = {
        "host": settings.host,
        "port": settings.port,
        "user": settings.user,
        "password": settings.password.value,
        "charset": "utf8mb4",
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "read_timeout": READ_TIMEOUT_SECONDS,
        "write_timeout": CONNECT_TIMEOUT_SECONDS,
        "autocommit": True,
    }
    if settings.ssl_ca is not None:
        try:
            arguments["ssl"] = ssl.create_default_context(cafile=str(settings.ssl_ca))
        except OSError as error:
            message = f"MYSQL_SSL_CA names {str(settings.ssl_ca)!r}, which is no file of certificates: {error}."
            raise ConfigurationError(message) from error
    return arguments


def connect(settings: MysqlSettings, **more: Any) -> pymysql.Connection[Any]:
    """Open a connection whose session is what this code expects, whatever the server's defaults are.

    Raises:
        ConfigurationError: the server's certificate is not accepted.
    """
    try:
        connection = pymysql.connect(**{**connection_arguments(settings), **more})
    except pymysql.err.OperationalError as error:
        if is_refused(error):
            raise of_mysql(error) from error
        raise
    with connection.cursor() as cursor:
        cursor.execute(_SESSION)
        # From 8.0.30 on a key that MySQL has generated can be hidden; row events have it all the same.
        cursor.execute("/*!80030 SET SESSION show_gipk_in_create_table_and_information_schema = ON */")
    return connection


def is_transient(error: BaseException) -> bool:
    """Whether an error may pass by itself."""
    if isinstance(error, pymysql.err.InterfaceError):
        return True
    if isinstance(error, pymysql.err.MySQLError):
        return bool(error.args) and error.args[0] in _TRANSIENT_CODES
    return isinstance(error, (OSError, EOFError))


def is_refusal(error: BaseException) -> bool:
    """Whether the server refuses the user."""
    return isinstance(error, pymysql.err.MySQLError) and bool(error.args) and error.args[0] in _REFUSED_CODES


def reason(error: pymysql.err.MySQLError) -> str:
    """Return what MySQL said, in one line: what is wrong with a statement is quoted with its line breaks."""
    return " ".join(str(error.args[-1]).split())


def query(connection: pymysql.Connection[Any], sql: str, arguments: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return all rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments or None)
        return list(cursor.fetchall())


def gtid_executed(connection: pymysql.Connection[Any]) -> GtidSet:
    """Return the transactions that the server has committed."""
    text = query(connection, "SELECT @@GLOBAL.gtid_executed")[0][0]
    return GtidSet.parse(text.decode() if isinstance(text, bytes) else text)


def charsets(connection: pymysql.Connection[Any]) -> dict[int, str]:
    """Return the character set of each collation's id."""
    rows = query(connection, "SELECT ID, CHARACTER_SET_NAME FROM information_schema.COLLATIONS")
    return {int(number): name for number, name in rows}
