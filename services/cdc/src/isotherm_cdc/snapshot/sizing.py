"""How many rows a chunk may have, so that large rows do not fill the memory."""

from __future__ import annotations


class ChunkSize:
    """Follows the size of a table's rows from chunk to chunk."""

    def __init__(self, rows: int, size_bytes: int, average_bytes: int | None) -> None:
        """Begin with what the source says of the table.

        Args:
            rows: rows in a chunk at most.
            size_bytes: bytes in a chunk, more or less, of rows as large as those seen last; one row is always allowed.
            average_bytes: a row's size as the source estimates it; None when it does not know.
        """
        self._rows = rows
        self._size_bytes = size_bytes
        self.limit = self._fitting(average_bytes or 1)

    def read(self, rows: int, size_bytes: int) -> None:
        """Learn from a chunk; a limit grows to its double at most, for the rows before large ones are often small."""
        if rows:
            self.limit = min(self._fitting(max(1, size_bytes // rows)), self.limit * 2)

    def _fitting(self, row_bytes: int) -> int:
        return max(1, min(self._rows, self._size_bytes // row_bytes))
