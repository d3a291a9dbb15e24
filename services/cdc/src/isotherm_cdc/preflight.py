"""What is checked of the source at every connect, before anything is read (and why changes would be missed otherwise)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pymysql
import structlog

from isotherm_cdc.errors import PositionLost, SourceUnusable
from isotherm_cdc.gtid import GtidSet
from isotherm_cdc.mysql import gtid_executed, query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NEEDED = {
    "log_bin": ("ON", "ON", "changes are only found in the binary log"),
    "gtid_mode": ("ON", "ON", "the position is a set of GTIDs"),
    "binlog_format": ("ROW", "ROW", "statements do not tell which rows they change"),
    "binlog_row_image": ("FULL", "FULL", "rows of partial images have to be read again from their tables"),
    "binlog_row_metadata": ("FULL", "FULL", "the columns' names, signs and labels come from the binary log"),
    "binlog_row_value_options": ("", "empty", "rows of JSON differences may have to be read again from their tables"),
    "log_replica_updates": ("ON", "ON", "a replica logs what it replicates only then"),
}
_NATIVE_FOREIGN_KEYS = "innodb_native_foreign_keys"
_PRIVILEGE_MISSING, _SYNTAX = 1227, 1064
_CASCADING = ("CASCADE", "SET NULL", "SET DEFAULT")


@dataclass(frozen=True)
class SourceState:
    """What the source has.

    Attributes:
        executed: all its transactions.
        purged: those that are in no binary log any more.
        uuid: which server it is.
        version: its version.
        lower_case: whether it keeps the names of tables in lower case.
        logs_cascades: whether rows that a foreign key changes are in the binary log (MySQL 9.6 and later).
    """

    executed: GtidSet
    purged: GtidSet
    uuid: str
    version: str
    lower_case: bool = False
    logs_cascades: bool = True


def check(connection: pymysql.Connection[Any]) -> SourceState:
    """Check everything that depends on nothing but the server and the user; return what the source has.

    Raises:
        SourceUnusable: changes would be missed.
    """
    variables = read_variables(connection)
    check_variables(variables)
    check_privileges(connection)
    return read_state(connection, logs_cascades=variables.get(_NATIVE_FOREIGN_KEYS) == "OFF")


def check_variables(variables: Mapping[str, str]) -> None:
    """Compare the source's variables with what capturing needs; a variable that it does not have counts as right.

    Raises:
        SourceUnusable: with every one that is wrong.
    """
    problems = [
        f"Set {name}={advice} on the MySQL server (it is {variables[name] or 'empty'}): {reason}."
        for name, (wanted, advice, reason) in _NEEDED.items()
        if name in variables and variables[name].upper() != wanted
    ]
    if problems:
        raise SourceUnusable("\n".join(problems))


def check_privileges(connection: pymysql.Connection[Any]) -> None:
    """Check that the user may read the binary log, by something else that needs the same privilege.

    Raises:
        SourceUnusable: it may not.
    """
    try:
        query(connection, "SHOW REPLICAS")
    except pymysql.err.MySQLError as error:
        code = error.args[0] if error.args else None
        if code == _PRIVILEGE_MISSING:
            user = query(connection, "SELECT CURRENT_USER()")[0][0]
            message = f"The MySQL user {user} may not read the binary log: GRANT REPLICATION SLAVE ON *.* to it."
            raise SourceUnusable(message) from error
        if code != _SYNTAX:  # before 8.0.22 the statement has another name
            raise


def check_position(checkpoint: GtidSet, state: SourceState) -> None:
    """Check that the source has what the checkpoint needs, and nothing less than it has seen.

    Raises:
        PositionLost: it does not.
    """
    missing = state.purged - checkpoint
    if missing:
        message = (
            f"The source has purged transactions that the checkpoint has not seen: {missing}. Set "
            "CDC_BINLOG_PURGED_POLICY=resnapshot to read the tables again, and keep binary logs for longer."
        )
        raise PositionLost(message)
    unknown = checkpoint - state.executed
    if unknown:
        message = (
            f"The source does not have transactions that the checkpoint has seen: {unknown}. It has lost them, or is another "
            "server. Set CDC_BINLOG_PURGED_POLICY=resnapshot to read the tables again."
        )
        raise PositionLost(message)


def check_memory(connection: pymysql.Connection[Any], executed: GtidSet) -> GtidSet:
    """Check that the source still knows what it had executed before, and return what it has now.

    RESET BINARY LOGS AND GTIDS makes it forget. It does not always end the streams that are open, and counts its new
    transactions from 1 again: a reader would take them for some that it has.

    Args:
        connection: to the source.
        executed: what it had executed before.

    Raises:
        PositionLost: it has forgotten some of that.
    """
    now = gtid_executed(connection)
    forgotten = executed - now
    if forgotten:
        message = (
            f"The source has forgotten transactions while it was read: {forgotten}. Its binary logs were reset, or it is another "
            "server. Set CDC_BINLOG_PURGED_POLICY=resnapshot to read the tables again."
        )
        raise PositionLost(message)
    return now


def check_cascades(
    connection: pymysql.Connection[Any], state: SourceState, captured: Callable[[str], bool], *, refuse: bool
) -> None:
    """Look for foreign keys that change captured rows without a trace in the binary log.

    Args:
        connection: to the source.
        state: what it has.
        captured: whether a `schema.table` is captured.
        refuse: whether such a key is a reason to stop; otherwise it is a warning.

    Raises:
        SourceUnusable: it is, and there is one.
    """
    if state.logs_cascades:
        return
    rules = ", ".join(f"'{rule}'" for rule in _CASCADING)
    rows = query(
        connection,
        "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS "  # noqa: S608
        f"WHERE DELETE_RULE IN ({rules}) OR UPDATE_RULE IN ({rules}) ORDER BY 1, 2, 3",
    )
    found = [f"{schema}.{table} ({name})" for schema, table, name in rows if captured(f"{schema}.{table}")]
    if not found:
        return
    message = (
        f"Foreign keys of {', '.join(found)} change rows by ON DELETE or ON UPDATE, and this MySQL server does not write "
        "such changes to its binary log: documents would stay that have no row. Make them RESTRICT, use MySQL 9.6 or "
        "later with innodb_native_foreign_keys=OFF, or set CDC_UNLOGGED_CASCADES_POLICY=warn to live with it."
    )
    if refuse:
        raise SourceUnusable(message)
    structlog.get_logger().warning("unlogged_cascades", consequence=message, keys=found)


def read_state(connection: pymysql.Connection[Any], *, logs_cascades: bool = True) -> SourceState:
    """Ask the source."""
    purged, executed, uuid, version, case = query(
        connection,
        "SELECT @@GLOBAL.gtid_purged, @@GLOBAL.gtid_executed, @@GLOBAL.server_uuid, VERSION(), "
        "@@GLOBAL.lower_case_table_names",
    )[0]
    return SourceState(GtidSet.parse(executed), GtidSet.parse(purged), uuid, version, int(case) == 1, logs_cascades)


def read_variables(connection: pymysql.Connection[Any]) -> dict[str, str]:
    """Ask the source for the variables that are checked."""
    names = ", ".join(f"'{name}'" for name in (*_NEEDED, _NATIVE_FOREIGN_KEYS))
    rows = query(connection, f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({names})")
    return {name: str(value) for name, value in rows}
