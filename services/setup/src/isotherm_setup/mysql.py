"""MySQL as the migration sees it: a connection of the administrator, a lock, rows as mappings."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import pymysql
import pymysql.cursors
from pymysql.constants import CR, ER
from pymysql.err import MySQLError

from isotherm_setup.errors import AdminRefusedError, LockBusyError, MigrationError, ServerUnreachableError
from isotherm_setup.prerequisites import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isotherm_setup.settings import MigrateSettings

LOCK = "isotherm-migrate"
_CONNECT_SECONDS = 10
_STATEMENT_SECONDS = 3600
"""An ALTER of a large table takes its time."""
_UNREACHABLE = frozenset(
    {
        CR.CR_CONNECTION_ERROR,
        CR.CR_CONN_HOST_ERROR,
        CR.CR_UNKNOWN_HOST,
        CR.CR_SERVER_GONE_ERROR,
        CR.CR_SERVER_LOST,
        ER.CON_COUNT_ERROR,
        ER.SERVER_SHUTDOWN,
    }
)
_REFUSED = frozenset(
    {
        ER.ACCESS_DENIED_ERROR,
        ER.DBACCESS_DENIED_ERROR,
        ER.TABLEACCESS_DENIED_ERROR,
        ER.SPECIFIC_ACCESS_DENIED_ERROR,
        ER.HOST_NOT_PRIVILEGED,
    }
)
_DONE_ALREADY = frozenset({ER.DUP_FIELDNAME, ER.DUP_KEYNAME, ER.CANT_DROP_FIELD_OR_KEY})


class Admin:
    """The administrator's connection; errors of the driver become this package's."""

    def __init__(self, settings: MigrateSettings) -> None:
        """Connect.

        Raises:
            ServerUnreachableError: the server does not answer.
            AdminRefusedError: it does not let this administrator in.
        """
        self._user = settings.admin_user
        tls: dict[str, Any] = (
            {"ssl_ca": str(settings.ssl_ca), "ssl_verify_cert": True, "ssl_verify_identity": True}
            if settings.ssl_ca
            else {}
        )
        with self._translated("connecting"):
            self._connection = pymysql.connect(
                host=settings.host,
                port=settings.port,
                user=settings.admin_user,
                password=settings.admin_password.value,
                charset="utf8mb4",
                autocommit=True,
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=_STATEMENT_SECONDS,
                write_timeout=_CONNECT_SECONDS,
                init_command="SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE', time_zone = '+00:00'",
                cursorclass=pymysql.cursors.DictCursor,
                **tls,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def execute(self, statement: str, *, doing: str, parameters: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        """Run a statement and return its rows.

        Args:
            statement: the SQL, which no error shows: it may hold a password.
            doing: what it is for, for the error.
            parameters: values for its `%s`.
        """
        with self._translated(doing), self._connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return list(cursor.fetchall())

    def apply(self, statement: str, *, doing: str) -> bool:
        """Run a migration's statement; answer False when its effect was there already."""
        with self._translated(doing), self._connection.cursor() as cursor:
            try:
                cursor.execute(statement)
            except MySQLError as error:
                if _code(error) in _DONE_ALREADY:
                    return False
                raise
            return cursor.warning_count == 0

    def variables(self) -> dict[str, str]:
        """Read the global variables that the prerequisites are about."""
        rows = self.execute(
            f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({', '.join(['%s'] * len(VARIABLES))})",
            doing="reading the server's settings",
            parameters=VARIABLES,
        )
        return {row["Variable_name"]: row["Value"] for row in rows}

    def shown_grants(self, account: str) -> list[str]:
        """Return the lines of SHOW GRANTS for a user."""
        rows = self.execute(f"SHOW GRANTS FOR {account}", doing=f"reading the privileges of {account}")
        return [str(value) for row in rows for value in row.values()]

    @contextmanager
    def locked(self, wait_seconds: int) -> Iterator[None]:
        """Hold the lock of migrations, which ends with the connection at the latest.

        Raises:
            LockBusyError: another one has held it all the time.
        """
        (row,) = self.execute(
            "SELECT GET_LOCK(%s, %s) AS taken", doing="taking the lock", parameters=(LOCK, wait_seconds)
        )
        if row["taken"] != 1:
            message = (
                f"Another migration has held the lock {LOCK!r} for {wait_seconds} s: try again when it has ended, "
                "or raise MIGRATE_LOCK_WAIT_SECONDS."
            )
            raise LockBusyError(message)
        yield
        self.execute("SELECT RELEASE_LOCK(%s)", doing="releasing the lock", parameters=(LOCK,))

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except MySQLError as error:
            code, text = _code(error), str(error.args[-1]) if error.args else str(error)
            if code in _UNREACHABLE:
                message = f"MySQL does not answer while {doing}: {text}."
                raise ServerUnreachableError(message) from error
            if code in _REFUSED:
                message = f"MySQL refuses {self._user!r} while {doing}: {text}. Check MYSQL_ADMIN_USER and MYSQL_ADMIN_PASSWORD."
                raise AdminRefusedError(message) from error
            message = f"MySQL answers with error {code} while {doing}: {text}."
            raise MigrationError(message) from error


def _code(error: MySQLError) -> int | None:
    return error.args[0] if error.args and isinstance(error.args[0], int) else None
