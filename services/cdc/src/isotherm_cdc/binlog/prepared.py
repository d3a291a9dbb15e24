"""XA transactions between PREPARE and their outcome.

Their rows come with PREPARE, before anyone knows whether they count. They are held, up to a number of bytes; of what is
larger only the tables are remembered, and those are read again if it is committed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from isotherm_cdc.binlog.ddl import TableChange
from isotherm_cdc.binlog.messages import Rows, Schema

if TYPE_CHECKING:
    from isotherm_cdc.binlog.events import Gtid
    from isotherm_cdc.binlog.messages import Message

HELD_BYTES = 16 << 20


@dataclass(slots=True)
class Branch:
    """The rows of one XA transaction, or of one that is too large the order to read its tables again."""

    gtid: Gtid
    messages: list[Message] = field(default_factory=list)
    size_bytes: int = 0
    too_large: bool = False
    tables: set[str] = field(default_factory=set)


class PreparedTransactions:
    """What is held of all of them; of one connection, for a new one is sent again what is not applied."""

    def __init__(self, limit_bytes: int = HELD_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._size_bytes = 0
        self._branches: dict[str, Branch] = {}
        self._open: tuple[str, Branch] | None = None

    @property
    def is_open(self) -> bool:
        """Whether the transaction that is being read is an XA transaction."""
        return self._open is not None

    def begin(self, name: str, gtid: Gtid) -> None:
        """XA START."""
        self._open = (name, Branch(gtid))

    def hold(self, messages: list[Message]) -> None:
        """Keep what the open one holds."""
        assert self._open is not None
        branch = self._open[1]
        for message in messages:
            if isinstance(message, Rows):
                branch.tables.add(message.table)
                branch.size_bytes += message.size_bytes
                self._size_bytes += message.size_bytes
            elif isinstance(message, Schema):
                branch.tables.update(change.table for change in message.changes)
        if branch.too_large or self._size_bytes > self._limit_bytes:
            self._size_bytes -= branch.size_bytes
            branch.size_bytes, branch.too_large = 0, True
            branch.messages = [Schema(tuple(TableChange("reread", table) for table in sorted(branch.tables)))]
        else:
            branch.messages.extend(messages)

    def prepare(self) -> None:
        """XA PREPARE: the open one waits for its outcome."""
        assert self._open is not None
        name, branch = self._open
        self._branches[name] = branch
        self._open = None

    def commit_open(self) -> list[Message]:
        """XA COMMIT … ONE PHASE: return what the open one holds."""
        assert self._open is not None
        _, branch = self._open
        self._open = None
        self._size_bytes -= branch.size_bytes
        return branch.messages

    def take(self, name: str) -> Branch | None:
        """Return what was prepared under a name; None when this connection has not seen it."""
        branch = self._branches.pop(name, None)
        if branch is not None:
            self._size_bytes -= branch.size_bytes
        return branch
