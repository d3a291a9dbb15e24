"""From events to transactions: the order of the binary log, checked.

`Assembler.feed` takes one event after another and returns what they mean. Whatever it does not know ends in
`UnsupportedEvent` with the GTID: an event that is skipped is a change that is lost. If so configured, tables whose
changes cannot be told are read again instead.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Literal

import structlog

from isotherm_cdc.binlog import ddl, events, kinds
from isotherm_cdc.binlog.compiled import CompiledDecoder
from isotherm_cdc.binlog.ddl import TableChange
from isotherm_cdc.binlog.decode import NotWhole
from isotherm_cdc.binlog.messages import End, Message, Prepared, Rows, Schema, Start
from isotherm_cdc.binlog.partial import PartialRows
from isotherm_cdc.binlog.prepared import PreparedTransactions
from isotherm_cdc.binlog.tables import TableMaps, refuse_keyless
from isotherm_cdc.binlog.usual import UsualTransactions
from isotherm_cdc.errors import SourceUnusable, UnsupportedEvent
from isotherm_common.process import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from isotherm_cdc.binlog.catalogue import Catalogue
    from isotherm_cdc.binlog.decode import BadRow, PartialRow, Row, RowDecoder
    from isotherm_cdc.binlog.events import Event, Gtid
    from isotherm_cdc.values.columns import Table

__all__ = ["Assembler", "End", "Message", "Prepared", "Rows", "Schema", "Start", "Unreadable"]

Unreadable = Literal["fail", "resnapshot"]


class Assembler:
    """Follows one stream of events; a new connection needs a new one."""

    def __init__(
        self,
        catalogue: Catalogue,
        charsets: Mapping[int, str],
        *,
        unreadable: Unreadable = "fail",
        prepared: PreparedTransactions | None = None,
        decoder: Callable[[Table], RowDecoder] = CompiledDecoder,
        identify: Callable[[Table], Table] = refuse_keyless,
        has_primary_key: Callable[[str], bool] = lambda _: True,
    ) -> None:
        """Start between two transactions.

        Args:
            catalogue: the captured tables.
            charsets: the character set of each collation's id.
            unreadable: what to do with changes that cannot be told: stop, or have their tables read again.
            prepared: where XA transactions wait; None: with the usual limit.
            decoder: makes what reads a table's rows.
            identify: gives a table without a primary key another key, or refuses it.
            has_primary_key: whether a table has one now, or is not there any more.
        """
        self._tables = TableMaps(catalogue, charsets, decoder, identify, tolerant=unreadable != "fail")
        self._usual = UsualTransactions(self._tables.known)
        self._catalogue = catalogue
        self._charsets = charsets
        self._policy = unreadable
        self._has_primary_key = has_primary_key
        self._prepared = prepared or PreparedTransactions()
        self._gtid: Gtid | None = None
        self._started = False
        self._event_idx = 0
        self._has_rows = False
        self._savepoints: dict[str, int] = {}
        self._partial = PartialRows()

    def read(self, chunk: Sequence[Event]) -> Iterator[Message]:
        """Take events, and yield what they say; usual transactions that are in it whole as one message each.

        Raises:
            UnsupportedEvent: one cannot be understood.
        """
        at, size = 0, len(chunk)
        while at < size:
            event = chunk[at]
            if event.kind == events.GTID and self._gtid is None:
                found = self._usual.read(chunk, at)
                if found is not None:
                    message, at = found
                    yield message
                    continue
            at += 1
            for part in self.unpacked(event):
                yield from self.feed(part)

    def unpacked(self, event: Event) -> Iterable[Event]:
        """Yield the event, or those in a compressed transaction one by one: together they may be far too large.

        Raises:
            UnsupportedEvent: it cannot be unpacked.
        """
        if event.kind != events.TRANSACTION_PAYLOAD:
            return (event,)
        return self._payload(event)

    def _payload(self, event: Event) -> Iterable[Event]:
        try:
            yield from events.unpack_transaction(event.body)
        except (UnsupportedEvent, ValueError, IndexError, KeyError) as error:
            message = f"The compressed transaction GTID {self._gtid or 'none'} cannot be unpacked: {error}"
            raise UnsupportedEvent(message) from error

    def feed(self, event: Event) -> list[Message]:
        """Take the next event.

        Raises:
            UnsupportedEvent: it cannot be understood.
        """
        try:
            messages = self._feed(event)
        except (UnsupportedEvent, SourceUnusable) as error:
            if "GTID" in str(error):
                raise
            message = f"{error} (event type {event.kind} in transaction GTID {self._gtid or 'none'})"
            raise type(error)(message) from error
        except ServiceError:
            raise
        except Exception as error:
            message = (
                f"An event of type {event.kind} in transaction GTID {self._gtid or 'none'} cannot be read: {error!r}"
            )
            raise UnsupportedEvent(message) from error
        if messages and self._prepared.is_open:
            self._prepared.hold(messages)
            return []
        return messages

    def _feed(self, event: Event) -> list[Message]:  # noqa: PLR0911 - one return for each kind of event
        kind = event.kind
        if kind in kinds.OPERATIONS:
            return self._rows(event)
        if kind == events.TABLE_MAP:
            self._tables.note(event.body)
            return []
        if kind == events.GTID:
            return self._begin(events.parse_gtid(event.body))
        if kind == events.XID:
            return self._end()
        if kind == events.QUERY:
            return self._start() if events.is_begin(event.body) else self._query(event)
        if kind in kinds.SILENT:
            return []
        return self._rare(event)

    def _rare(self, event: Event) -> list[Message]:
        kind = event.kind
        if kind == events.GTID_TAGGED:
            return self._begin(events.parse_tagged_gtid(event.body))
        if kind == events.TRANSACTION_PAYLOAD:
            return [message for inner in self.unpacked(event) for message in self.feed(inner)]
        if kind == events.XA_PREPARE:
            return self._xa_prepare(one_phase=bool(event.body[0]))
        if kind == events.PARTIAL_UPDATE_ROWS:
            return self._rows(event)
        if event.flags & events.IGNORABLE_FLAG and kind not in kinds.REASONS:
            return []
        return self._not_told(kind)

    def _not_told(self, kind: int) -> list[Message]:
        reason = kinds.REASONS.get(kind, "an event that is not known")
        message = f"Transaction GTID {self._gtid or 'none'} holds {reason} (event type {kind})."
        if kind not in kinds.READ_AGAIN or self._gtid is None:
            raise UnsupportedEvent(message)
        # An incident is a transaction of its own, or stands in one that has begun.
        alone = kind == events.INCIDENT and not self._started
        reread = self._unreadable(message, None)
        return [*self._start(), *reread, *(self._end() if alone else ())]

    def _begin(self, gtid: Gtid) -> list[Message]:
        if self._gtid is not None:
            message = f"Transaction GTID {self._gtid} did not end before GTID {gtid} began."
            raise UnsupportedEvent(message)
        self._gtid = gtid
        self._started = self._has_rows = False
        self._event_idx = 0
        return []

    def _start(self) -> list[Message]:
        """Return the transaction's beginning, once it is known to be one whose rows count when it ends."""
        if self._started or self._gtid is None or self._prepared.is_open:
            return []
        self._started = True
        return [Start(self._gtid)]

    def _end(self, prepared: Gtid | None = None) -> list[Message]:
        if self._gtid is None:
            message = "A transaction ended that has no GTID: gtid_mode must be ON."
            raise SourceUnusable(message)
        start = self._start()
        self._close()
        return [*start, End(prepared)]

    def _close(self) -> None:
        self._gtid = None
        self._tables.forget()
        self._savepoints.clear()

    def _query(self, event: Event) -> list[Message]:
        query = events.parse_query(event.body, self._charsets)
        statement = ddl.parse(query.sql, query.schema, query.sql_mode)
        kind = statement.kind
        if kind == "begin":
            return self._start()
        if kind == "commit" or (kind == "rollback" and not self._has_rows):
            return self._end()
        if kind == "ddl":
            return self._schema(statement, temporary=bool(event.flags & events.THREAD_SPECIFIC_FLAG))
        if kind.startswith("xa_"):
            return self._xa(kind, statement.name)
        if self._is_without_effect(statement):
            return []
        reason = (
            f"Transaction GTID {self._gtid or 'none'} holds a statement in place of rows ({query.sql[:120]!r}): "
            "binlog_format must be ROW in every session that writes."
        )
        reread = self._unreadable(reason, None)
        return [*self._start(), *reread, *(self._end() if kind == "rollback" else ())]

    def _is_without_effect(self, statement: ddl.Statement) -> bool:
        """Whether it is a savepoint, or goes back to one after which there were no rows."""
        if statement.kind == "savepoint":
            self._savepoints[statement.name] = self._event_idx
        elif statement.kind == "rollback_to":
            return self._savepoints.get(statement.name, 0) == self._event_idx
        return statement.kind in ("savepoint", "control")

    def _schema(self, statement: ddl.Statement, *, temporary: bool) -> list[Message]:
        if statement.name:
            dropped = self._catalogue.drop_schema(statement.name)
            changes = tuple(TableChange("drop", table) for table in dropped)
        else:
            changes = tuple(self._settled(self._catalogue.follow(statement)))
        if temporary:
            # It may mean a temporary table of the same name: what is read again is right in either case.
            changes = tuple(
                TableChange("reread", change.table) if change.effect == "truncate" else change for change in changes
            )
        in_transaction = self._started
        return [*self._start(), Schema(changes), *([] if statement.rows_follow or in_transaction else self._end())]

    def _settled(self, changes: Iterable[TableChange]) -> Iterator[TableChange]:
        """Decide what a key that comes or goes means.

        The table as it is now will do: a primary key that has come or gone since is a statement further on in the log.
        """
        for change in changes:
            if change.effect != "rekey":
                yield change
            elif not self._has_primary_key(change.table):
                yield TableChange("reread", change.table)

    def _xa(self, kind: ddl.StatementKind, name: str) -> list[Message]:
        if kind == "xa_start":
            if self._gtid is None:
                message = "An XA transaction has no GTID: gtid_mode must be ON."
                raise SourceUnusable(message)
            self._prepared.begin(name, self._gtid)
        if kind in ("xa_start", "xa_end"):
            return []
        branch = self._prepared.take(name)
        if kind == "xa_rollback":
            return self._end(branch.gtid if branch else None)
        if branch is None:
            reason = (
                f"Transaction GTID {self._gtid or 'none'} commits an XA transaction that was prepared before the position "
                "at which reading began: all captured tables are read again."
            )
            structlog.get_logger().warning("xa_commit_of_unknown_rows", reason=reason)
            return [*self._start(), self._reread_all(), *self._end()]
        return [*self._start(), *branch.messages, *self._end(branch.gtid)]

    def _xa_prepare(self, *, one_phase: bool) -> list[Message]:
        if not self._prepared.is_open:
            message = f"Transaction GTID {self._gtid or 'none'} is prepared and was not begun."
            raise UnsupportedEvent(message)
        if one_phase:
            held = self._prepared.commit_open()
            return [*self._start(), *held, *self._end()]
        self._prepared.prepare()
        gtid = self._gtid
        assert gtid is not None
        self._close()
        return [Prepared(gtid)]

    def _unreadable(self, reason: str, table: str | None) -> list[Message]:
        """Stop, or have the table (None: all of them) read again.

        Raises:
            UnsupportedEvent: it is to stop.
        """
        if self._policy == "fail":
            message = f"{reason} CDC_UNREADABLE_CHANGES_POLICY=resnapshot reads what it concerns again instead."
            raise UnsupportedEvent(message)
        structlog.get_logger().warning(
            "read_again", reason=reason, table=table or "all", gtid=str(self._gtid or "none")
        )
        return [self._reread_all() if table is None else Schema((TableChange("reread", table),))]

    def _reread_all(self) -> Schema:
        return Schema(tuple(TableChange("reread", table) for table in sorted(self._catalogue.tables)))

    def _rows(self, event: Event) -> list[Message]:
        event_idx, decoder = self._decoder_of(event.body)
        if decoder is None:
            return []
        self._has_rows = True
        if isinstance(decoder, str):
            return [*self._start(), *self._unreadable(f"Rows of {decoder} cannot be read.", decoder)]
        table = decoder.full_name
        try:
            rows, partial = self._decoded(event, decoder)
        except UnsupportedEvent as error:
            reason = f"{error} (transaction GTID {self._gtid})"
            return [*self._start(), *self._unreadable(reason, table)]
        return [*self._start(), Rows(table, event_idx, rows, len(event.body), decoder.table.counted, partial)]

    def _decoded(self, event: Event, decoder: RowDecoder) -> tuple[Sequence[Row | PartialRow | BadRow], bool]:
        """Return an event's rows, or at least their keys, and whether it leaves something out.

        Raises:
            UnsupportedEvent: it cannot be read.
        """
        operation, version = kinds.OPERATIONS.get(event.kind, kinds.DIFFERENCES)
        if event.kind in kinds.OPERATIONS:
            with contextlib.suppress(NotWhole):
                return decoder.rows(operation, event.body, version=version), False
        return self._partial.of(decoder, operation, version, event, self._gtid), True

    def _decoder_of(self, body: bytes) -> tuple[int, RowDecoder | str | None]:
        """Return a row event's number and what reads it."""
        if self._gtid is None:
            message = "Rows came outside of a transaction."
            raise UnsupportedEvent(message)
        event_idx = self._event_idx
        self._event_idx += 1
        return event_idx, self._tables.find(body, self._gtid)
