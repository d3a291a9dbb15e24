"""MySQL: one connection, which holds the lock of the one runner and does all its work.

Because the same connection holds the lock and writes, a runner that has lost the lock cannot write any more: there is
no reconnecting within a run.
"""

from __future__ import annotations

import hashlib
import math
import ssl
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self, TypeVar

import pymysql
import structlog

from isotherm_common.certificates import is_refused, of_mysql
from isotherm_common.retry import RetryPolicy, ShutdownDuringRetry, retry
from isotherm_common.schema_gate import wait_for_schema
from isotherm_fetcher.errors import AnotherRunner, DatabaseRefused, DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pymysql.cursors import Cursor

    from isotherm_common.settings import MysqlSettings
    from isotherm_common.shutdown import Shutdown

T = TypeVar("T")

SCHEMA_VERSION = 1
"""The version of the schema that this service was built for."""

_ACCESS_DENIED = frozenset({1044, 1045, 1049, 1142, 1143})
_REFUSED = _ACCESS_DENIED | {1054, 1064, 1146, 1227, 1364, 3118}
_NO_SUCH_TABLE = 1146
_DEADLOCKS = frozenset({1205, 1213})
_IDLE_SECONDS = 300
_LOCK_WAIT_SECONDS = 20
_CONNECT_SECONDS = 10
_ANSWER_SECONDS = 60
_DEADLOCK_POLICY = RetryPolicy(initial_seconds=0.05, maximum_seconds=2.0, give_up_after_seconds=30.0)
USERS_APPEAR_WITHIN_SECONDS = 120.0

log = structlog.get_logger()


class Database:
    """An open connection.

    Args:
        settings: how MySQL is reached.
        shutdown: ends the waiting between two attempts.
    """

    def __init__(self, settings: MysqlSettings, shutdown: Shutdown) -> None:
        self._shutdown = shutdown
        self.name = settings.database
        with _translated():
            self._connection = _connect(settings)

    def close(self) -> None:
        """Close the connection, which gives back the lock."""
        if self._connection.open:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, statement: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Return the rows of a query."""
        with _translated(), self._connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())

    def write(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        """Execute one statement in a transaction of its own; return how many rows it changed."""
        return self.transaction(lambda cursor: int(cursor.execute(statement, parameters)))

    def insert(self, statement: str, parameters: Sequence[Any]) -> int:
        """Execute one INSERT in a transaction of its own; return the key that it was given."""

        def execute(cursor: Cursor) -> int:
            cursor.execute(statement, parameters)
            return int(cursor.lastrowid or 0)

        return self.transaction(execute)

    def transaction(self, work: Callable[[Cursor], T]) -> T:
        """Do `work` in one transaction: all of it or nothing. A deadlock's victim does it again, so it must be repeatable."""
        with _translated():
            return retry(
                lambda: self._attempt(work),
                transient=lambda error: _code(error) in _DEADLOCKS,
                shutdown=self._shutdown,
                doing="a transaction",
                policy=_DEADLOCK_POLICY,
            )

    def _attempt(self, work: Callable[[Cursor], T]) -> T:
        self._connection.begin()
        try:
            with self._connection.cursor() as cursor:
                result = work(cursor)
            self._connection.commit()
        except BaseException:
            self._roll_back()
            raise
        return result

    def _roll_back(self) -> None:
        try:
            self._connection.rollback()
        except pymysql.MySQLError as error:
            log.debug("rollback_failed", error=str(error))  # the server rolls back what a lost connection began

    @contextmanager
    def runner_lock(self, wait_seconds: float = 2.0) -> Iterator[None]:
        """Hold the lock that only one process has in this database.

        Args:
            wait_seconds: how long to wait for it. A process that was killed a moment ago may hold it until the server sees
                that its connection is gone.

        Raises:
            ShutdownDuringRetry: the process was asked to end while it waited.
            AnotherRunner: another process has it. That is exit code 75, not 0: the run that was asked for did not take
                place, and two schedules on one database should be noticed.
        """
        name = "isotherm-fetcher-" + hashlib.sha256(self.name.encode()).hexdigest()[:32]
        until = time.monotonic() + wait_seconds
        while not self._locked(name, until - time.monotonic()):
            if self._shutdown.requested:
                message = "Asked to end while waiting for another fetcher."
                raise ShutdownDuringRetry(message)
            if time.monotonic() >= until:
                message = f"Another fetcher is at work in database {self.name!r}: this run leaves it alone."
                raise AnotherRunner(message)
        try:
            yield
        finally:
            try:
                self.read("SELECT RELEASE_LOCK(%s)", (name,))
            except DatabaseUnavailable:
                log.debug("lock_went_with_its_connection")

    def _locked(self, name: str, remaining_seconds: float) -> bool:
        """Take the lock if it can be had within a second: the end of the process must be noticed meanwhile."""
        (row,) = self.read("SELECT GET_LOCK(%s, %s) AS got", (name, int(remaining_seconds > 0)))
        return bool(row["got"] == 1)


def open_database(
    settings: MysqlSettings,
    shutdown: Shutdown,
    *,
    give_up_after_seconds: float = math.inf,
    beat: Callable[[], None] = lambda: None,
) -> Database:
    """Connect, and wait until the schema is there.

    At first start the users may appear a little later than this process: being refused is waited out for two minutes.

    Args:
        settings: how MySQL is reached.
        shutdown: ends the waiting.
        give_up_after_seconds: how long to wait for a server or a schema that is not there.
        beat: called at every attempt.

    Raises:
        ConfigurationError: MySQL refuses the user or the database, or the schema is too new.
        DatabaseUnavailable: it was given up.
        ShutdownDuringRetry: the process was asked to end.
    """
    opened: list[Database] = []
    began = time.monotonic()

    def read_version() -> int | None:
        beat()
        if not opened:
            opened.append(Database(settings, shutdown))
        try:
            version = _schema_version(opened[0])
        except DatabaseUnavailable:
            opened.pop().close()
            raise
        if (version or 0) < SCHEMA_VERSION and given_up():
            message = (
                f"The database schema is at version {version or 0}, {SCHEMA_VERSION} is needed: run isotherm-migrate."
            )
            raise DatabaseUnavailable(message)
        return version

    def given_up() -> bool:
        return time.monotonic() - began > give_up_after_seconds

    def transient(error: BaseException) -> bool:
        if isinstance(error, DatabaseRefused):
            still_early = time.monotonic() - began < USERS_APPEAR_WITHIN_SECONDS
            return _code(error.__cause__) in _ACCESS_DENIED and still_early
        return isinstance(error, DatabaseUnavailable) and not given_up()

    try:
        wait_for_schema(read_version, SCHEMA_VERSION, transient=transient, shutdown=shutdown)
    except BaseException:
        for database in opened:
            database.close()
        raise
    return opened[0]


def _schema_version(database: Database) -> int | None:
    """Return the version of the schema, None while there is no such table."""
    try:
        (row,) = database.read("SELECT MAX(version) AS version FROM schema_version")
    except DatabaseRefused as error:
        if _code(error.__cause__) == _NO_SUCH_TABLE:
            return None
        raise
    return None if row["version"] is None else int(row["version"])


def _connect(settings: MysqlSettings) -> pymysql.Connection[pymysql.cursors.DictCursor]:
    context = None
    if settings.ssl_ca is not None:
        try:
            context = ssl.create_default_context(cafile=str(settings.ssl_ca))
        except OSError as error:
            message = f"MYSQL_SSL_CA names {str(settings.ssl_ca)!r}, which is no file of certificates: {error}."
            raise DatabaseRefused(message) from error
    return pymysql.connect(
        host=settings.host,
        port=settings.port,
        user=settings.user,
        password=settings.password.value,
        database=settings.database,
        ssl=context,
        charset="utf8mb4",
        cursorclass=pymysql.cursors.DictCursor,
        autocommit=True,
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_ANSWER_SECONDS,
        write_timeout=_ANSWER_SECONDS,
        # A dead peer's lock must not outlive it for long, hence wait_timeout.
        init_command=(
            f"SET SESSION time_zone = '+00:00', sql_mode = 'TRADITIONAL', wait_timeout = {_IDLE_SECONDS}, "
            f"innodb_lock_wait_timeout = {_LOCK_WAIT_SECONDS}, transaction_isolation = 'READ-COMMITTED'"
        ),
    )


def _code(error: BaseException | None) -> int | None:
    code = error.args[0] if isinstance(error, pymysql.MySQLError) and error.args else None
    return code if isinstance(code, int) else None


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the driver's errors into this service's."""
    try:
        yield
    except pymysql.MySQLError as error:
        code = _code(error)
        what = error.args[1] if len(error.args) > 1 else str(error)
        if is_refused(error):
            raise of_mysql(error) from error
        if code in _REFUSED:
            message = f"MySQL refuses ({code}): {what}. Check MYSQL_USER, MYSQL_PASSWORD and MYSQL_DATABASE."
            raise DatabaseRefused(message) from error
        if isinstance(error, pymysql.OperationalError | pymysql.InterfaceError | pymysql.InternalError):
            message = f"MySQL cannot be used just now ({code}): {what}."
            raise DatabaseUnavailable(message) from error
        raise
