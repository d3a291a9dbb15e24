"""What is checked of the source before anything is read."""

from __future__ import annotations

from typing import Any

import pymysql
import pytest

from isotherm_cdc import preflight
from isotherm_cdc.errors import PositionLost, SourceUnusable
from isotherm_cdc.gtid import GtidSet
from isotherm_cdc.preflight import SourceState

UUID = "a65333b1-e821-11f1-8912-02fc00000001"
RIGHT = {
    "log_bin": "ON", "gtid_mode": "ON", "binlog_format": "ROW", "binlog_row_image": "FULL", "binlog_row_metadata": "FULL",
    "binlog_row_value_options": "", "log_replica_updates": "ON", "innodb_native_foreign_keys": "OFF",
}  # fmt: skip


class Connection:
    """Answers queries by the first text that they hold."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {
            "SHOW GLOBAL VARIABLES": list(RIGHT.items()),
            "SHOW REPLICAS": [],
            "CURRENT_USER": [("cdc@%",)],
            "gtid_purged": [("", f"{UUID}:1-5", UUID, "9.7.0", 0)],
            "REFERENTIAL_CONSTRAINTS": [("d", "child", "fk"), ("other", "t", "fk2")],
            **answers,
        }

    def cursor(self) -> Any:
        return self

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, sql: str, _: object = None) -> None:
        self.found = next(answer for text, answer in self.answers.items() if text in sql)
        if isinstance(self.found, Exception):
            raise self.found

    def fetchall(self) -> Any:
        return self.found


def state(executed: str, purged: str = "", *, logs_cascades: bool = True) -> SourceState:
    return SourceState(GtidSet.parse(executed), GtidSet.parse(purged), UUID, "9.7.0", logs_cascades=logs_cascades)


def test_a_source_as_it_should_be() -> None:
    """What it has is returned."""
    found = preflight.check(Connection())  # type: ignore[arg-type]
    assert str(found.executed) == f"{UUID}:1-5"
    assert (found.lower_case, found.logs_cascades) == (False, True)


def test_every_wrong_variable_is_named() -> None:
    """One sentence each, with what to set and why."""
    wrong = {**RIGHT, "binlog_row_image": "MINIMAL", "gtid_mode": "OFF_PERMISSIVE"}
    with pytest.raises(SourceUnusable) as caught:
        preflight.check(Connection(**{"SHOW GLOBAL VARIABLES": list(wrong.items())}))  # type: ignore[arg-type]
    assert [line.split()[1] for line in str(caught.value).splitlines()] == ["gtid_mode=ON", "binlog_row_image=FULL"]


def test_a_missing_privilege_is_one_sentence() -> None:
    """It names the user and the grant."""
    denied = pymysql.err.OperationalError(1227, "Access denied")
    with pytest.raises(SourceUnusable, match=r"cdc@% may not read the binary log: GRANT REPLICATION SLAVE"):
        preflight.check(Connection(**{"SHOW REPLICAS": denied}))  # type: ignore[arg-type]
    old = pymysql.err.ProgrammingError(1064, "You have an error in your SQL syntax")
    preflight.check(Connection(**{"SHOW REPLICAS": old}))  # type: ignore[arg-type]
    lost = pymysql.err.OperationalError(2013, "Lost connection")
    with pytest.raises(pymysql.err.OperationalError):
        preflight.check(Connection(**{"SHOW REPLICAS": lost}))  # type: ignore[arg-type]


def test_positions_that_the_source_does_not_have() -> None:
    """Purged ones and ones that it never had are named; a hole that is still in its logs is none."""
    preflight.check_position(GtidSet.parse(f"{UUID}:1-3:5"), state(f"{UUID}:1-9", f"{UUID}:1-3"))
    with pytest.raises(PositionLost, match=f"purged.*{UUID}:4"):
        preflight.check_position(GtidSet.parse(f"{UUID}:1-3:5"), state(f"{UUID}:1-9", f"{UUID}:1-4"))
    with pytest.raises(PositionLost, match=f"does not have.*{UUID}:10-12"):
        preflight.check_position(GtidSet.parse(f"{UUID}:1-12"), state(f"{UUID}:1-9"))


def test_cascades_that_are_not_logged() -> None:
    """Foreign keys of captured tables are refused, or warned of; where MySQL logs them they are no matter."""
    connection: Any = Connection()
    silent = state(f"{UUID}:1", logs_cascades=False)

    def captured(table: str) -> bool:
        return table.startswith("d.")

    with pytest.raises(SourceUnusable, match=r"d\.child \(fk\) change rows"):
        preflight.check_cascades(connection, silent, captured, refuse=True)
    preflight.check_cascades(connection, silent, captured, refuse=False)
    preflight.check_cascades(connection, silent, lambda _: False, refuse=True)
    preflight.check_cascades(connection, state(f"{UUID}:1"), captured, refuse=True)


@pytest.mark.parametrize("value", ["ON", None])
def test_who_does_not_log_cascades(value: str | None) -> None:
    """Servers before 9.6, which have no such variable, and those that leave foreign keys to InnoDB."""
    variables = {**RIGHT, "innodb_native_foreign_keys": value}
    answer = [item for item in variables.items() if item[1] is not None]
    found = preflight.check(Connection(**{"SHOW GLOBAL VARIABLES": answer}))  # type: ignore[arg-type]
    assert not found.logs_cascades
