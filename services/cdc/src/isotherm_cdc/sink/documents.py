"""The last step from a row to a document: `_cdc` is put after the columns (contracts D3 and D4).

The rest of a document is encoded when its row is read, so that its size is known and errors belong to their row; `seq`
is known only when the batch is written.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import bson
from bson.codec_options import CodecOptions
from bson.int64 import Int64
from bson.raw_bson import RawBSONDocument

if TYPE_CHECKING:
    from isotherm_cdc.pipeline.pipeline import Write

LARGEST_DOCUMENT_BYTES = 16 << 20
_SIZE = struct.Struct("<i")
_RAW = CodecOptions(document_class=RawBSONDocument)


class Finisher:
    """Completes the documents of one batch."""

    def __init__(self, seq: int) -> None:
        self._seq = Int64(seq)
        self._made: dict[str | None, bytes] = {}

    def finish(self, write: Write) -> bytes:
        """Return the BSON of the document that `write` (not a delete) leaves."""
        tail = self._made.get(write.gtid)
        if tail is None:
            tail = self._made[write.gtid] = self._tail(write)
        elements = write.elements or b""
        return b"".join((_SIZE.pack(4 + len(elements) + len(tail)), elements, tail))

    def _tail(self, write: Write) -> bytes:
        ts = None if write.commit_us is None else Int64(write.commit_us)
        origin: dict[str, Any] = {"seq": self._seq, "ts": ts, "gtid": write.gtid}
        if write.gtid is None:
            origin["snapshot"] = True
        return bson.encode({"_cdc": origin})[4:]


def raw(data: bytes) -> RawBSONDocument:
    """Hand BSON to the driver as it is."""
    return RawBSONDocument(data, _RAW)


def key_of(data: bytes) -> Any:
    """Return the value of `_id` in the BSON of `{_id: …}`."""
    return bson.decode(data)["_id"]
