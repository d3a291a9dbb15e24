"""What the binary log says, as the pipeline is told it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from isotherm_cdc.binlog.ddl import TableChange
    from isotherm_cdc.binlog.decode import BadRow, PartialRow, Row
    from isotherm_cdc.binlog.events import Gtid


class Start(NamedTuple):
    """A transaction begins."""

    gtid: Gtid


class Rows(NamedTuple):
    """Rows of one event.

    Attributes:
        table: `schema.table`.
        event_idx: the event's number among the transaction's row events, filtered ones counted.
        rows: what it holds.
        size_bytes: the event's size.
        counted: whether the table has no key, so that its equal rows are counted.
        partial: whether the event leaves something out: rows of it may have to be read again.
    """

    table: str
    event_idx: int
    rows: Sequence[Row | PartialRow | BadRow]
    size_bytes: int
    counted: bool = False
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Schema:
    """A statement changed the schema, or rows changed in a way that the binary log does not tell.

    Attributes:
        changes: what it does to captured tables; empty for others.
    """

    changes: tuple[TableChange, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """An XA transaction is prepared: the source has given it a GTID, but nobody sees its rows yet.

    The GTID counts as applied only when the outcome is known, with the transaction that tells it: a reader that starts
    in between is sent the rows again.
    """

    gtid: Gtid


class End(NamedTuple):
    """The transaction is whole.

    Attributes:
        prepared: the GTID of the prepared XA transaction whose outcome this one told.
    """

    prepared: Gtid | None = None


class Whole(NamedTuple):
    """A usual transaction, whole: what `Start`, `Rows` and `End` say one after the other.

    Attributes:
        gtid: which it is.
        rows: its rows, event by event.
    """

    gtid: Gtid
    rows: list[Rows]


Message = Whole | Start | Rows | Schema | Prepared | End
