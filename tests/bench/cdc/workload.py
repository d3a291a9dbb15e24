"""What is done in MySQL to be read again: rows of ten columns, changed many in a transaction or one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pymysql

SCHEMA = "cdc_bench"
ROWS = 20_000
_TABLE = """
CREATE TABLE readings (
  id INT UNSIGNED NOT NULL PRIMARY KEY, sensor BIGINT NOT NULL, value DOUBLE NOT NULL, quality TINYINT NOT NULL,
  amount DECIMAL(10,2) NOT NULL, taken_at DATETIME(6) NOT NULL, name VARCHAR(40) NOT NULL, note VARCHAR(120) NULL,
  state INT NOT NULL, version BIGINT UNSIGNED NOT NULL)
"""
_PROCEDURES = (
    """
CREATE PROCEDURE change_rows(count INT, size INT)
BEGIN
  DECLARE done INT DEFAULT 0;
  DECLARE first INT;
  WHILE done < count DO
    SET first = (done * size) MOD 20000;
    UPDATE readings SET value = value + 0.25, amount = amount + 0.01, taken_at = NOW(6), version = version + 1
      WHERE id >= first AND id < first + size;
    SET done = done + 1;
  END WHILE;
END
""",
    """
CREATE PROCEDURE change_all(count INT)
BEGIN
  DECLARE done INT DEFAULT 0;
  START TRANSACTION;
  WHILE done < count DO
    UPDATE readings SET value = value + 0.25, amount = amount + 0.01, taken_at = NOW(6), version = version + 1;
    SET done = done + 1;
  END WHILE;
  COMMIT;
END
""",
)

_HASTE = ("SET GLOBAL sync_binlog = 0", "SET GLOBAL innodb_flush_log_at_trx_commit = 0")
_CARE = ("SET GLOBAL sync_binlog = 1", "SET GLOBAL innodb_flush_log_at_trx_commit = 1")


def remove(connection: pymysql.Connection[Any]) -> None:
    """Take the schema away."""
    with connection.cursor() as cursor:
        for statement in (*_CARE, f"DROP DATABASE {SCHEMA}", "DROP USER cdc_bench"):
            cursor.execute(statement)


def prepare(connection: pymysql.Connection[Any]) -> None:
    """Make the schema and its rows anew; nothing has to be on disk meanwhile."""
    with connection.cursor() as cursor:
        for statement in (
            *_HASTE,
            f"DROP DATABASE IF EXISTS {SCHEMA}",
            f"CREATE DATABASE {SCHEMA}",
            f"USE {SCHEMA}",
            _TABLE,
            *_PROCEDURES,
        ):
            cursor.execute(statement)
        for first in range(0, ROWS, 1000):
            values = ", ".join(
                f"({n}, {n * 1_000_003}, {n / 7}, {n % 100}, {n % 1000}.25, NOW(6), 'sensor number {n}', "
                f"'a note that says a little more about number {n}', {n % 5}, 1)"
                for n in range(first, first + 1000)
            )
            cursor.execute(f"INSERT INTO readings VALUES {values}")


def change(connection: pymysql.Connection[Any], rows: int, rows_in_transaction: int) -> None:
    """Change `rows` rows, so many in each transaction."""
    with connection.cursor() as cursor:
        cursor.execute(f"USE {SCHEMA}")
        cursor.execute(f"CALL change_rows({rows // rows_in_transaction}, {rows_in_transaction})")


def change_in_one_transaction(connection: pymysql.Connection[Any], rows: int) -> None:
    """Change `rows` rows, a multiple of the table's, in one transaction."""
    with connection.cursor() as cursor:
        cursor.execute(f"USE {SCHEMA}")
        cursor.execute(f"CALL change_all({rows // ROWS})")


def change_at_a_rate(connection: pymysql.Connection[Any], per_second: int, seconds: float) -> int:
    """Commit single rows evenly; return how many."""
    count = int(per_second * seconds)
    start = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(f"USE {SCHEMA}")
        for number in range(count):
            time.sleep(max(0.0, start + number / per_second - time.monotonic()))
            cursor.execute(f"UPDATE readings SET version = version + 1 WHERE id = {number % ROWS}")
    return count


def executed(connection: pymysql.Connection[Any]) -> str:
    """Return the transactions that the server has committed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@GLOBAL.gtid_executed")
        return str(cursor.fetchone()[0]).replace("\n", "")
