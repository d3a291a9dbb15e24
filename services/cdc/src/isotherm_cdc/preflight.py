"""What is checked of the source at every connect, before anything is read (and why changes would be missed otherwise)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isotherm_cdc.errors import PositionLost, SourceUnusable
from isotherm_cdc.gtid import GtidSet
from isotherm_cdc.mysql import query

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pymysql

_NEEDED = {
    "log_bin": ("ON", "ON", "changes are only found in the binary log"),
    "gtid_mode": ("ON", "ON", "the position is a set of GTIDs"),
    "binlog_format": ("ROW", "ROW", "statements do not tell which rows they change"),
    "binlog_row_image": ("FULL", "FULL", "partial images cannot be written without reading first"),
    "binlog_row_metadata": ("FULL", "FULL", "the columns' names, signs and labels come from the binary log"),
    "binlog_row_value_options": ("", "empty", "JSON differences cannot be written without reading first"),
}


@dataclass(frozen=True)
class SourceState:
    """What the source has.

    Attributes:
        executed: all its transactions.
        purged: those that are in no binary log any more.
        uuid: which server it is.
        version: its version.
        lower_case: whether it keeps the names of tables in lower case.
    """

    executed: GtidSet
    purged: GtidSet
    uuid: str
    version: str
    lower_case: bool = False


def check(connection: pymysql.Connection[Any]) -> SourceState:
    """Check everything that does not depend on the position; return what the source has.

    Raises:
        SourceUnusable: changes would be missed.
    """
    check_variables(read_variables(connection))
    return read_state(connection)


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


def read_state(connection: pymysql.Connection[Any]) -> SourceState:
    """Ask the source."""
    row = query(
        connection,
        "SELECT @@GLOBAL.gtid_purged, @@GLOBAL.gtid_executed, @@GLOBAL.server_uuid, VERSION(), "
        "@@GLOBAL.lower_case_table_names",
    )[0]
    return SourceState(GtidSet.parse(row[1]), GtidSet.parse(row[0]), row[2], row[3], int(row[4]) == 1)


def read_variables(connection: pymysql.Connection[Any]) -> dict[str, str]:
    """Ask the source for the variables that are checked."""
    names = ", ".join(f"'{name}'" for name in _NEEDED)
    rows = query(connection, f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({names})")
    return {name: str(value) for name, value in rows}
