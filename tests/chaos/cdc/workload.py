"""Random changes of the source, by seed. The balances of `account` and `vault` have one sum at every commit.

Now and then a transaction is an XA transaction, or its session logs rows in part (MINIMAL, NOBLOB, PARTIAL_JSON).

Tables: `account` (integer key), `vault` (composite key of a string by collation and bytes), `note` (whose columns change
and which is truncated), `item` (composite key, many types), `swapped` (replaced by rename as schema-change tools do),
`fleeting` (created and dropped), `poison` (rows that no document can hold; they become dead letters), and `tally`, which
is not captured and counts the poisoned rows in their own transaction.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from typing import TYPE_CHECKING, Any

import pymysql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pymysql.connections import Connection

ACCOUNTS, VAULTS = 60, 40
TOTAL = (ACCOUNTS + VAULTS) * 100
MONEY = ("account", "vault")
LASTING = ("account", "vault", "note", "item", "swapped", "poison")
"""Tables that are there at every quiet point."""
NOT_CAPTURED = ("tally",)
LARGE_ROWS = 60
"""Rows of a large transaction's statements; the readers' batches are smaller."""
_REGIONS = ("north", "North", "süd", "Süd", "ost", "west ", "west")
_IN_PART = (
    ("binlog_row_image", "MINIMAL", "FULL"),
    ("binlog_row_image", "NOBLOB", "FULL"),
    ("binlog_row_value_options", "PARTIAL_JSON", ""),
)
"""Ways in which a session logs less than whole rows: the variable, its value, and the one it has otherwise."""
_PERMITTED = {
    1614,  # XA_RBDEADLOCK
    1205,  # lock wait timeout
    1213,  # deadlock
    1062,  # duplicate key
    3572,  # lock not available
}

SCHEMA = (
    "CREATE TABLE account (id INT PRIMARY KEY, owner VARCHAR(40) NOT NULL, balance BIGINT NOT NULL)",
    """CREATE TABLE vault (region VARCHAR(20) COLLATE utf8mb4_0900_ai_ci, code VARBINARY(8), balance BIGINT NOT NULL,
    PRIMARY KEY (region, code))""",
    "CREATE TABLE note (id BIGINT UNSIGNED PRIMARY KEY, body TEXT, n INT)",
    """CREATE TABLE item (a INT, b VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_bin, price DECIMAL(12,4),
    at DATETIME(6), data JSON, kind ENUM('x','y','z'), raw VARBINARY(30), ratio DOUBLE, PRIMARY KEY (b, a))""",
    "CREATE TABLE swapped (id INT PRIMARY KEY, v INT)",
    "CREATE TABLE poison (id INT PRIMARY KEY, j JSON)",
    "CREATE TABLE tally (id INT PRIMARY KEY, poisoned INT NOT NULL)",
    "INSERT INTO tally VALUES (1, 0)",
    "INSERT INTO account VALUES " + ", ".join(f"({n}, 'owner {n}', 100)" for n in range(ACCOUNTS)),
    "INSERT INTO vault VALUES " + ", ".join(f"('{_REGIONS[0]}', '{n}', 100)" for n in range(VAULTS)),
    "INSERT INTO note VALUES " + ", ".join(f"({n}, 'first {n}', {n})" for n in range(50)),
    "INSERT INTO swapped VALUES " + ", ".join(f"({n}, {n})" for n in range(50)),
)


class RollBack(Exception):  # noqa: N818 - it is no error
    """The transaction is not to be committed."""


class Workload:
    """Threads that change the source until told to stop; an error that is not foreseen stops all and is raised."""

    def __init__(self, connect: Callable[[], Connection[Any]], seed: str, workers: int = 2) -> None:
        """Make the tables.

        Args:
            connect: returns a connection that commits each statement.
            seed: decides what is done.
            workers: how many change rows at once.

        `may_poison` is whether rows may be written that no document can hold, `pause_seconds` how long a worker waits
        between two transactions on average.
        """
        self._connect = connect
        self._seed = seed
        self.failure: BaseException | None = None
        self.transactions = 0
        self.ddl_statements = 0
        self.may_poison = False
        self.pause_seconds = 0.0
        self._stop = threading.Event()
        self._go = threading.Event()
        self._idle = threading.Semaphore(0)
        self._wanted: list[str] = []
        self._lock = threading.Lock()
        with contextlib.closing(connect()) as connection, connection.cursor() as cursor:
            for statement in SCHEMA:
                cursor.execute(statement)
        bodies = [*(("rows", number) for number in range(workers)), ("ddl", 0)]
        self._threads = [
            threading.Thread(target=self._run, args=(kind, f"{seed}/{kind}/{number}"), name=f"{kind} {number}")
            for kind, number in bodies
        ]

    def start(self) -> None:
        """Begin."""
        self._go.set()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End every thread.

        Raises:
            BaseException: what a thread has failed with.
        """
        self._stop.set()
        self._go.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()
        if self.failure is not None:
            raise self.failure

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Keep the source unchanged."""
        self._go.clear()
        for _ in self._threads:
            while not self._idle.acquire(timeout=1.0):
                if self.failure is not None:
                    raise self.failure
        try:
            yield
        finally:
            self._go.set()

    def want(self, action: str) -> None:
        """Have `large`, `reread` or `truncate` done soon; anything else is done all the while."""
        if action in ("large", "reread", "truncate"):
            with self._lock:
                self._wanted.append(action)

    def _run(self, kind: str, seed: str) -> None:
        chance = random.Random(seed)
        try:
            while not self._stop.is_set():
                with (
                    contextlib.suppress(pymysql.err.OperationalError, pymysql.err.InterfaceError, OSError),
                    contextlib.closing(self._connect()) as connection,
                    connection.cursor() as cursor,
                ):
                    worker = Rows(self, cursor, chance, seed) if kind == "rows" else Ddl(self, cursor, chance)
                    while not self._stop.is_set():
                        if not self._go.is_set():
                            self._idle.release()
                            self._go.wait()
                            continue
                        worker.step()
                        self._stop.wait(chance.uniform(0.0, 2 * self.pause_seconds))
                self._stop.wait(0.05)
        except BaseException as error:  # noqa: BLE001 - raised by whoever waits
            self.failure = error
            self._stop.set()

    def take_wanted(self, *actions: str) -> str | None:
        """Return one of these actions that was asked for."""
        with self._lock:
            for action in actions:
                if action in self._wanted:
                    self._wanted.remove(action)
                    return action
        return None

    def count(self, *, transactions: int = 0, ddl: int = 0) -> None:
        """Count what has been committed."""
        with self._lock:
            self.transactions += transactions
            self.ddl_statements += ddl


class Rows:
    """Changes rows."""

    def __init__(self, workload: Workload, cursor: Any, chance: random.Random, name: str) -> None:
        """Begin on a new connection.

        Args:
            workload: what this is a part of.
            cursor: of the connection.
            chance: decides.
            name: of the XA transactions, which outlive connections; no other thread's.
        """
        self._workload = workload
        self._cursor = cursor
        self._chance = chance
        self._xid = name
        self._settle_prepared()

    def step(self) -> None:
        """Run one transaction."""
        chance = self._chance
        if chance.random() > 0.08:
            self._transaction(may_poison=self._workload.may_poison)
            return
        variable, value, usual = chance.choice(_IN_PART)
        self._cursor.execute(f"SET SESSION {variable} = '{value}'")
        # A poisoned row that is gone when it is read again is no dead letter.
        self._transaction(may_poison=False)
        self._cursor.execute(f"SET SESSION {variable} = '{usual}'")

    def _transaction(self, *, may_poison: bool) -> None:
        chance = self._chance
        distributed = chance.random() < 0.06
        self._cursor.execute(f"XA START '{self._xid}'" if distributed else "BEGIN")
        try:
            self._changes(may_poison=may_poison)
            if distributed:
                self._cursor.execute(f"XA END '{self._xid}'")
                self._cursor.execute(f"XA PREPARE '{self._xid}'")
                self._settle_prepared()
            else:
                self._cursor.execute("COMMIT")
        except RollBack:
            self._undo(distributed=distributed)
        except pymysql.err.MySQLError as error:
            if error.args[0] not in _PERMITTED:
                raise
            self._undo(distributed=distributed)
        else:
            self._workload.count(transactions=1)

    def _undo(self, *, distributed: bool) -> None:
        if not distributed:
            self._cursor.execute("ROLLBACK")
            return
        with contextlib.suppress(pymysql.err.OperationalError):
            self._cursor.execute(f"XA END '{self._xid}'")  # It may have ended by an error.
        self._cursor.execute(f"XA ROLLBACK '{self._xid}'")

    def _settle_prepared(self) -> None:
        """Decide about the transaction that is prepared, if there is one: a connection before may have left it."""
        self._cursor.execute("XA RECOVER")
        if self._xid in {xid for *_, xid in self._cursor.fetchall()}:
            verdict = "ROLLBACK" if self._chance.random() < 0.2 else "COMMIT"
            self._cursor.execute(f"XA {verdict} '{self._xid}'")

    def _changes(self, *, may_poison: bool) -> None:
        chance = self._chance
        wanted = self._workload.take_wanted("large")
        kinds = [self._transfer, self._transfer, self._rename, self._move, self._reopen, self._notes, self._items]
        actions = [self._large] if wanted else chance.choices(kinds, k=chance.randint(1, 3))
        if not wanted and chance.random() < 0.02:
            actions.append(self._large)
        for action in actions:
            if chance.random() < 0.1:
                self._undone(action)
            action()
        if may_poison and chance.random() < 0.03:
            self._poison()
        if chance.random() < 0.03:
            raise RollBack

    def _change(self, statement: str, wanted: int | None = 1) -> int:
        changed: int = self._cursor.execute(statement)
        if wanted is not None and changed != wanted:
            raise RollBack
        return changed

    def _undone(self, action: Callable[[], None]) -> None:
        self._cursor.execute("SAVEPOINT undone")
        action()
        self._cursor.execute("ROLLBACK TO SAVEPOINT undone")

    def _some(self, table: str, columns: str) -> tuple[Any, ...]:
        # A random place by key, not ORDER BY RAND(): two that begin with the same rows are what makes deadlocks.
        key = "id" if table == "account" else "region, code"
        offset = self._chance.randrange(30)
        self._cursor.execute(f"SELECT {columns} FROM {table} ORDER BY {key} LIMIT 1 OFFSET {offset} FOR UPDATE")
        row: tuple[Any, ...] | None = self._cursor.fetchone()
        if row is None:
            raise RollBack
        return row

    def _transfer(self) -> None:
        amount = self._chance.randint(1, 9)
        (source,) = self._some("account", "id")
        self._change(f"UPDATE account SET balance = balance - {amount} WHERE id = {source}")
        if self._chance.random() < 0.5:
            (target,) = self._some("account", "id")
            self._change(f"UPDATE account SET balance = balance + {amount} WHERE id = {target}")
        else:
            region, code = self._some("vault", "HEX(region), HEX(code)")
            self._change(f"UPDATE vault SET balance = balance + {amount} WHERE {_vault(region, code)}")

    def _rename(self) -> None:
        """Change a key that is compared by collation, now and then only in its bytes."""
        region, code = self._some("vault", "HEX(region), HEX(code)")
        new = self._chance.choice(_REGIONS)
        self._change(f"UPDATE vault SET region = '{new}' WHERE {_vault(region, code)}", None)

    def _move(self) -> None:
        (source,) = self._some("account", "id")
        target = self._chance.randint(-5, ACCOUNTS + 20)
        self._change(f"UPDATE account SET id = {target} WHERE id = {source}", None)

    def _reopen(self) -> None:
        """Delete an account; open it again with its balance, or give that to another."""
        number, balance = self._some("account", "id, balance")
        self._change(f"DELETE FROM account WHERE id = {number}")
        if self._chance.random() < 0.5:
            self._change(f"INSERT INTO account (id, owner, balance) VALUES ({number}, 'again', {balance})")
            return
        (heir,) = self._some("account", "id")
        self._change(f"UPDATE account SET balance = balance + {balance} WHERE id = {heir}", 1 if balance else None)
        new = self._chance.randint(-5, ACCOUNTS + 20)
        self._change(f"INSERT INTO account (id, owner, balance) VALUES ({new}, 'new', 0)")

    def _notes(self) -> None:
        chance = self._chance
        start = chance.randrange(100)
        kind = chance.randrange(4)
        if kind == 0:
            self._change(f"DELETE FROM note WHERE id BETWEEN {start} AND {start + 3}", None)
        elif kind == 1:
            self._change(f"UPDATE note SET n = {chance.randrange(1000)} WHERE id BETWEEN {start} AND {start + 5}", None)
        else:
            rows = ", ".join(f"({start + n}, '{'x' * chance.randrange(60)}', {n})" for n in range(4))
            self._change(f"REPLACE INTO note (id, body, n) VALUES {rows}", None)

    def _items(self) -> None:
        chance = self._chance
        a, b = chance.randrange(20), chance.choice(("x", "X", "é", "a b"))
        if chance.random() < 0.3:
            self._change(f"DELETE FROM item WHERE a = {a} AND b = '{b}'", None)
            return
        if chance.random() < 0.3:
            path, new = chance.choice((("$.n", "7"), ("$.list[1]", "'é'"), ("$.x", "0.5"), ("$.new", "'{}'")))
            self._change(f"UPDATE item SET data = JSON_SET(data, '{path}', {new}) WHERE a = {a}", None)
            return
        price = "NULL" if chance.random() < 0.1 else f"{chance.uniform(-1e6, 1e6):.4f}"
        data = f'{{"n": {chance.randrange(10**9)}, "list": [1, null, "é"], "x": {chance.random()!r}}}'
        self._change(
            f"REPLACE INTO item VALUES ({a}, '{b}', {price}, '2026-11-24 10:11:12.{chance.randrange(10**6):06}', '{data}', "
            f"{chance.randint(1, 3)}, X'{chance.randbytes(chance.randrange(9)).hex()}', {chance.random()!r})",
            None,
        )

    def _large(self) -> None:
        """More rows than a batch holds; between its parts the sum is wrong."""
        rows = self._chance.randint(LARGE_ROWS // 2, LARGE_ROWS)
        for _ in range(self._chance.randint(2, 4)):
            taken = self._change(f"UPDATE account SET balance = balance - 1 ORDER BY id LIMIT {rows}", None)
            given = self._change(f"UPDATE vault SET balance = balance + 1 ORDER BY region, code LIMIT {rows}", None)
            (number,) = self._some("account", "id")
            if taken != given:
                self._change(f"UPDATE account SET balance = balance + {taken - given} WHERE id = {number}")
        rows_text = ", ".join(f"({200 + n}, 'large', {n})" for n in range(rows))
        self._change(f"REPLACE INTO note (id, body, n) VALUES {rows_text}", None)
        if self._chance.random() < 0.5:
            self._change("DELETE FROM note WHERE id >= 200", None)

    def _poison(self) -> None:
        number = self._chance.randrange(1 << 30)
        self._change(
            f"""INSERT INTO poison VALUES ({number}, '{{"a": 1}}'), ({number + 1}, '{{"a\\\\u0000": 1}}')""", 2
        )
        self._change(f"DELETE FROM poison WHERE id IN ({number}, {number + 1})", 2)
        self._change("UPDATE tally SET poisoned = poisoned + 1 WHERE id = 1")


def _vault(region: str, code: str) -> str:
    return f"region = CONVERT(X'{region}' USING utf8mb4) COLLATE utf8mb4_0900_ai_ci AND code = X'{code}'"


class Ddl:
    """Changes the schema, and has tables read again by that."""

    def __init__(self, workload: Workload, cursor: Any, chance: random.Random) -> None:
        self._workload = workload
        self._cursor = cursor
        self._chance = chance
        self._next = 0.0
        self._swaps = 0
        cursor.execute("SET SESSION lock_wait_timeout = 5")

    def step(self) -> None:
        """Change something when it is time, or when it was asked for."""
        wanted = self._workload.take_wanted("truncate", "reread")
        if wanted == "truncate":
            self._do(self._truncate)
        elif wanted == "reread":
            self._do(self._reread)
        elif time.monotonic() >= self._next:
            self._next = time.monotonic() + self._chance.uniform(1.0, 6.0)
            choices = (self._truncate, self._reread, self._column, self._column, self._swap, self._fleeting, self._type)
            self._do(self._chance.choice(choices))

    def _do(self, action: Callable[[], None]) -> None:
        try:
            action()
        except pymysql.err.MySQLError as error:
            if error.args[0] not in _PERMITTED:
                raise

    def _run(self, *statements: str) -> None:
        for statement in statements:
            self._cursor.execute(statement)
            self._workload.count(ddl=1)

    def _truncate(self) -> None:
        self._run("TRUNCATE TABLE note")
        with_rows = ", ".join(f"({n}, 'after', {n})" for n in range(0, 50, 2))
        self._cursor.execute(f"REPLACE INTO note (id, body, n) VALUES {with_rows}")

    def _reread(self) -> None:
        table = self._chance.choice(("account", "vault", "note", "swapped"))
        self._run(f"ALTER TABLE {table} COMMENT = '{self._chance.randrange(10**6)}'")

    def _columns(self, table: str) -> list[str]:
        self._cursor.execute(
            "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s",
            (table,),
        )
        return [name for (name,) in self._cursor.fetchall()]

    def _column(self) -> None:
        """Add, rename or drop a column."""
        table = self._chance.choice(("note", "account"))
        extra = [name for name in self._columns(table) if name.startswith("extra")]
        number = self._chance.randrange(3)
        if f"extra{number}" not in extra:
            place = self._chance.choice(("", " FIRST"))
            self._run(f"ALTER TABLE {table} ADD COLUMN extra{number} INT NOT NULL DEFAULT {number}{place}")
        elif self._chance.random() < 0.5 and f"extra{number}x" not in extra:
            self._run(f"ALTER TABLE {table} RENAME COLUMN extra{number} TO extra{number}x")
        else:
            self._run(f"ALTER TABLE {table} DROP COLUMN {self._chance.choice(extra)}")

    def _type(self) -> None:
        self._run(f"ALTER TABLE note MODIFY COLUMN n {self._chance.choice(('INT', 'BIGINT', 'DOUBLE'))}")

    def _swap(self) -> None:
        """Replace a table as online schema changes do."""
        self._cursor.execute("DROP TABLE IF EXISTS _swapped_new, _swapped_old")
        self._run("CREATE TABLE _swapped_new LIKE swapped")
        self._swaps += 1
        step = self._chance.randint(1, 9)
        self._cursor.execute(f"INSERT INTO _swapped_new SELECT id, v + {step} FROM swapped")
        self._cursor.execute(f"DELETE FROM _swapped_new WHERE id % 7 = {self._chance.randrange(7)}")
        self._cursor.execute(f"REPLACE INTO _swapped_new VALUES ({self._chance.randrange(100)}, -1)")
        self._run("RENAME TABLE swapped TO _swapped_old, _swapped_new TO swapped", "DROP TABLE _swapped_old")

    def _fleeting(self) -> None:
        self._run("CREATE TABLE IF NOT EXISTS fleeting (id INT PRIMARY KEY, v INT)")
        values = ", ".join(f"({n}, {self._chance.randrange(100)})" for n in range(30))
        self._cursor.execute(f"REPLACE INTO fleeting VALUES {values}")
        if self._chance.random() < 0.7:
            self._run("DROP TABLE fleeting")
