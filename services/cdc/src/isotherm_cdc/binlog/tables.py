"""Which decoder reads the rows of a table id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isotherm_cdc.binlog import table_map
from isotherm_cdc.errors import SourceUnusable, UnsupportedEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from isotherm_cdc.binlog.catalogue import Catalogue
    from isotherm_cdc.binlog.decode import RowDecoder
    from isotherm_cdc.binlog.events import Gtid
    from isotherm_cdc.values.columns import Table

_MAPS_KEPT = 1000
_DUMMY_TABLE_ID = 0xFFFFFF


def refuse_keyless(table: Table) -> Table:
    """Refuse a table without a primary key.

    Raises:
        SourceUnusable: always.
    """
    message = f"{table.full_name} has no primary key: add one, or exclude the table."
    raise SourceUnusable(message)


class TableMaps:
    """Follows the TABLE_MAP events; an id means a table until its transaction ends."""

    def __init__(
        self,
        catalogue: Catalogue,
        charsets: Mapping[int, str],
        decoder: Callable[[Table], RowDecoder],
        identify: Callable[[Table], Table],
        *,
        tolerant: bool,
    ) -> None:
        """Begin.

        Args:
            catalogue: the captured tables.
            charsets: the character set of each collation's id.
            decoder: makes what reads a table's rows.
            identify: gives a table without a primary key another key, or refuses it.
            tolerant: whether a captured table that cannot be understood is no error yet.
        """
        self._catalogue = catalogue
        self._charsets = charsets
        self._new_decoder = decoder
        self._identify = identify
        self._tolerant = tolerant
        self._by_id: dict[int, RowDecoder | str | None] = {}
        self.known: dict[bytes, RowDecoder | str | None] = {}
        """What reads the rows behind a map, by the map's body; of maps that have come before."""

    def note(self, body: bytes) -> None:
        """Note the table of an id; the same map again (most transactions bring one) is not read twice.

        Raises:
            SourceUnusable: the table cannot be captured.
            UnsupportedEvent: it cannot be understood.
        """
        table_id = int.from_bytes(body[:6], "little")
        if body in self.known:
            self._by_id[table_id] = self.known[body]
            return
        _, schema, name = table_map.table_name(body)
        if len(self.known) >= _MAPS_KEPT:
            self.known.clear()
        self.known[body] = self._by_id[table_id] = self._decoder(f"{schema}.{name}", body)

    def _decoder(self, full_name: str, body: bytes) -> RowDecoder | str | None:
        if not self._catalogue.captured(full_name):
            return None
        self._catalogue.see(full_name)
        try:
            table = table_map.parse(body, self._charsets)
        except (SourceUnusable, UnsupportedEvent):
            if not self._tolerant:
                raise
            return full_name
        return self._new_decoder(table if table.key else self._identify(table))

    def find(self, body: bytes, gtid: Gtid) -> RowDecoder | str | None:
        """Return what reads a row event, the table's name if nothing can, None if it is not captured.

        Raises:
            UnsupportedEvent: no table map has come for it.
        """
        table_id = int.from_bytes(body[:6], "little")
        if table_id in self._by_id:
            return self._by_id[table_id]
        if table_id == _DUMMY_TABLE_ID:
            return None
        message = f"Transaction GTID {gtid} has rows of table id {table_id}, which no table map names."
        raise UnsupportedEvent(message)

    def forget(self) -> None:
        """A transaction has ended."""
        self._by_id.clear()
