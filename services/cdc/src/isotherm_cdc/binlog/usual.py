"""The transactions that nearly all are: GTID, BEGIN, table maps and rows, XID, all of it in what has just come.

They are read in one pass, which spares most of what an event costs beside its rows. Whatever is out of the ordinary is
left to the assembler, event by event, as if it had not been looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isotherm_cdc.binlog import events, kinds
from isotherm_cdc.binlog.messages import Rows, Whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from isotherm_cdc.binlog.decode import RowDecoder
    from isotherm_cdc.binlog.events import Event

_INSIDE = frozenset({events.TABLE_MAP, events.ROWS_QUERY, *kinds.OPERATIONS})
_BEGIN_AT, _ROWS_AT = 1, 2
_UNKNOWN = ""
"""As a table that cannot be read: the assembler's."""


class UsualTransactions:
    """Reads them; it has no state of its own."""

    def __init__(self, known: Mapping[bytes, RowDecoder | str | None]) -> None:
        """Begin.

        Args:
            known: what reads the rows behind a table map's body, as far as such a map has come before.
        """
        self._known = known

    def read(self, chunk: Sequence[Event], at: int) -> tuple[Whole, int] | None:
        """Read the transaction whose GTID event stands at `at`.

        Returns:
            The transaction and the place of the event behind it; None if it is not whole, or not a usual one.
        """
        # The end first: a transaction that is cut off, and comes again event by event, is not to be decoded twice.
        end, size = at + _ROWS_AT, len(chunk)
        while end < size and chunk[end][0] in _INSIDE:
            end += 1
        if end >= size or chunk[end][0] != events.XID:
            return None
        begin = chunk[at + _BEGIN_AT]
        if begin[0] != events.QUERY or not events.is_begin(begin[2]):
            return None
        try:
            found = self._rows(chunk[at + _ROWS_AT : end])
            if found is None:
                return None
            return Whole(events.parse_gtid(chunk[at][2]), found), end + 1
        except Exception:  # noqa: BLE001 - the assembler meets it again, and knows what is to be done and said
            return None

    def _rows(self, inside: Sequence[Event]) -> list[Rows] | None:
        decoders: dict[bytes, RowDecoder | str | None] = {}
        known, operations = self._known, kinds.OPERATIONS
        found: list[Rows] = []
        event_idx = 0
        for kind, _, body in inside:
            if kind == events.TABLE_MAP:
                decoders[body[:6]] = known.get(body, _UNKNOWN)
            elif kind in operations:
                decoder = decoders.get(body[:6], _UNKNOWN)
                if decoder is not None:
                    if isinstance(decoder, str):
                        return None
                    operation, version = operations[kind]
                    rows = decoder.rows(operation, body, version=version)
                    found.append(Rows(decoder.full_name, event_idx, rows, len(body), decoder.table.counted))
                event_idx += 1
        return found
