"""The last step from a row to a document: `_cdc` is put after the columns (contracts D3 and D4).

The rest of a document is encoded when its row is read, so that its size is known and errors belong to their row; `seq`
is known only when the batch is written.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import bson

if TYPE_CHECKING:
    from isotherm_cdc.pipeline.batch import Origin

LARGEST_DOCUMENT_BYTES = 16 << 20
_INT32 = struct.Struct("<i")
_STREAMED = struct.Struct("<6si5sq4sq6si")
_STREAMED_BYTES = 4 + 5 + 8 + 4 + 8 + 6 + 4 + 1 + 1


def tail(seq: int, origin: Origin) -> bytes:
    """Return the end of a document, from `_cdc` on."""
    if origin.gtid is not None and origin.commit_us is not None:
        gtid = origin.gtid.encode()
        size = len(gtid)
        return (
            _STREAMED.pack(
                b"\x03_cdc\0", _STREAMED_BYTES + size, b"\x12seq\0", seq, b"\x12ts\0", origin.commit_us,
                b"\x02gtid\0", size + 1,
            ) + gtid + b"\0\0\0"
        )  # fmt: skip
    told: dict[str, Any] = {"seq": bson.Int64(seq), "ts": None, "gtid": origin.gtid}
    if origin.commit_us is not None:
        told["ts"] = bson.Int64(origin.commit_us)
    if origin.gtid is None:
        told["snapshot"] = True
    return bson.encode({"_cdc": told})[4:]


def whole(elements: bytes, end: bytes = b"\0") -> bytes:
    """Return the document of some elements."""
    return b"".join((_INT32.pack(4 + len(elements) + len(end)), elements, end))


def key_of(data: bytes) -> Any:
    """Return the value of `_id` in the BSON of `{_id: …}`."""
    return bson.decode(data)["_id"]
