"""From events to transactions: the order of the binary log, checked.

`Assembler.feed` takes one event after another and returns what they mean. Whatever it does not know ends in
`UnsupportedEvent` with the GTID: an event that is skipped is a change that is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from isotherm_cdc.binlog import ddl, events, table_map
from isotherm_cdc.binlog.decode import BadRow, Operation, Row, RowDecoder
from isotherm_cdc.errors import SourceUnusable, UnsupportedEvent
from isotherm_common.process import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from isotherm_cdc.binlog.events import Event, Gtid


@dataclass(frozen=True, slots=True)
class Start:
    """A transaction begins."""

    gtid: Gtid


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one event.

    Attributes:
        table: `schema.table`.
        event_idx: the event's number among the transaction's row events, filtered ones counted.
        rows: what it holds.
        size_bytes: the event's size.
    """

    table: str
    event_idx: int
    rows: list[Row | BadRow]
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Schema:
    """A statement changed the schema.

    Attributes:
        changes: what it does to captured tables; empty for others.
    """

    changes: tuple[ddl.TableChange, ...]


@dataclass(frozen=True, slots=True)
class End:
    """The transaction is whole."""


Message = Start | Rows | Schema | End

_SILENT = frozenset(
    {
        events.STOP,
        events.ROTATE,
        events.INTVAR,
        events.RAND,
        events.USER_VAR,
        events.FORMAT_DESCRIPTION,
        events.HEARTBEAT,
        events.HEARTBEAT_V2,
        events.IGNORABLE,
        events.ROWS_QUERY,
        events.PREVIOUS_GTIDS,
        events.TRANSACTION_CONTEXT,
        events.VIEW_CHANGE,
    }
)
_OPERATIONS: dict[int, tuple[Operation, int]] = {
    **{kind: ("insert", version) for version, kind in enumerate(events.WRITE_ROWS, 1)},
    **{kind: ("update", version) for version, kind in enumerate(events.UPDATE_ROWS, 1)},
    **{kind: ("delete", version) for version, kind in enumerate(events.DELETE_ROWS, 1)},
}


class Assembler:
    """Follows one stream of events; a new connection needs a new one."""

    def __init__(
        self,
        captured: Callable[[str], bool],
        captured_in_schema: Callable[[str], list[str]],
        charsets: Mapping[int, str],
    ) -> None:
        """Start between two transactions.

        Args:
            captured: whether a `schema.table` is captured.
            captured_in_schema: the captured tables of a schema that are known so far.
            charsets: the character set of each collation's id.
        """
        self._captured = captured
        self._captured_in_schema = captured_in_schema
        self._charsets = charsets
        self._decoders: dict[int, RowDecoder | None] = {}
        self._maps: dict[bytes, RowDecoder | None] = {}
        self._gtid: Gtid | None = None
        self._event_idx = 0
        self._has_rows = False

    def feed(self, event: Event) -> list[Message]:
        """Take the next event.

        Raises:
            UnsupportedEvent: it cannot be understood.
        """
        try:
            return self._feed(event)
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

    def _feed(self, event: Event) -> list[Message]:  # noqa: PLR0911 - one return for each kind of event
        kind = event.kind
        if kind in _OPERATIONS:
            return self._rows(event)
        if kind == events.TABLE_MAP:
            self._table_map(event.body)
            return []
        if kind in (events.GTID, events.GTID_TAGGED):
            return self._start(
                events.parse_gtid(event.body) if kind == events.GTID else events.parse_tagged_gtid(event.body)
            )
        if kind == events.XID:
            return self._end()
        if kind == events.QUERY:
            return self._query(*events.parse_query(event.body))
        if kind == events.TRANSACTION_PAYLOAD:
            return [message for inner in events.unpack_transaction(event.body) for message in self._feed(inner)]
        if kind in _SILENT or (event.flags & events.IGNORABLE_FLAG and kind not in _KNOWN):
            return []
        if kind == events.XA_PREPARE and (event.body[0] or not self._has_rows):
            return self._end()
        return self._unsupported(kind)

    def _unsupported(self, kind: int) -> list[Message]:
        reason = _REASONS.get(kind, "an event that is not known")
        message = f"Transaction GTID {self._gtid or 'none'} holds {reason} (event type {kind})."
        raise UnsupportedEvent(message)

    def _start(self, gtid: Gtid) -> list[Message]:
        if self._gtid is not None:
            message = f"Transaction GTID {self._gtid} did not end before GTID {gtid} began."
            raise UnsupportedEvent(message)
        self._gtid = gtid
        self._event_idx = 0
        self._has_rows = False
        return [Start(gtid)]

    def _end(self) -> list[Message]:
        if self._gtid is None:
            message = "A transaction ended that has no GTID: gtid_mode must be ON."
            raise SourceUnusable(message)
        self._gtid = None
        self._decoders.clear()
        return [End()]

    def _query(self, schema: str, sql: str) -> list[Message]:
        kind = ddl.classify(sql)
        if kind in ("begin", "control"):
            return []
        if kind == "commit":
            return self._end()
        if kind == "rollback" and not self._has_rows:
            return self._end()
        if kind == "xa_outcome":
            return self._end()
        if kind in ("dml", "rollback"):
            message = (
                f"Transaction GTID {self._gtid or 'none'} holds a statement in place of rows ({sql[:120]!r}): "
                "binlog_format must be ROW in every session that writes."
            )
            raise UnsupportedEvent(message)
        changes = self._schema_changes(schema, sql)
        return [Schema(changes), *([] if ddl.rows_follow(sql) else self._end())]

    def _schema_changes(self, schema: str, sql: str) -> tuple[ddl.TableChange, ...]:
        if dropped := ddl.schema_of_drop(sql):
            return tuple(ddl.TableChange("drop", table) for table in self._captured_in_schema(dropped))
        return tuple(change for change in ddl.table_changes(sql, schema) if self._captured(change.table))

    def _table_map(self, body: bytes) -> None:
        """Note the table of an id; the same map again (most transactions bring one) is not read twice."""
        table_id = int.from_bytes(body[:6], "little")
        if body in self._maps:
            self._decoders[table_id] = self._maps[body]
            return
        _, schema, name = table_map.table_name(body)
        decoder = None
        if self._captured(f"{schema}.{name}"):
            table = table_map.parse(body, self._charsets)
            if not table.key:
                message = f"{table.full_name} has no primary key: add one, or exclude the table."
                raise SourceUnusable(message)
            decoder = RowDecoder(table)
        if len(self._maps) >= _MAPS_KEPT:
            self._maps.clear()
        self._maps[body] = self._decoders[table_id] = decoder

    def _rows(self, event: Event) -> list[Message]:
        operation, version = _OPERATIONS[event.kind]
        table_id = int.from_bytes(event.body[:6], "little")
        if self._gtid is None:
            message = "Rows came outside of a transaction."
            raise UnsupportedEvent(message)
        event_idx = self._event_idx
        self._event_idx += 1
        if table_id not in self._decoders:
            if table_id == _DUMMY_TABLE_ID:
                return []
            message = f"Transaction GTID {self._gtid} has rows of table id {table_id}, which no table map names."
            raise UnsupportedEvent(message)
        decoder = self._decoders[table_id]
        if decoder is None:
            return []
        self._has_rows = True
        rows = list(decoder.rows(operation, event.body, version=version))
        return [Rows(decoder.table.full_name, event_idx, rows, len(event.body))]


_MAPS_KEPT = 1000
_DUMMY_TABLE_ID = 0xFFFFFF
_KNOWN = frozenset({events.PARTIAL_UPDATE_ROWS, events.XA_PREPARE, events.INCIDENT, events.ANONYMOUS_GTID})
_REASONS = {
    events.PARTIAL_UPDATE_ROWS: "JSON differences in place of rows: binlog_row_value_options must be empty in every session",
    events.XA_PREPARE: "rows of a prepared XA transaction, which are not supported",
    events.INCIDENT: "an incident: the source says that events are missing from its binary log",
    events.ANONYMOUS_GTID: "no GTID: gtid_mode must be ON",
    events.BEGIN_LOAD_QUERY: "a statement in place of rows (LOAD DATA): binlog_format must be ROW in every session",
    events.EXECUTE_LOAD_QUERY: "a statement in place of rows (LOAD DATA): binlog_format must be ROW in every session",
}
