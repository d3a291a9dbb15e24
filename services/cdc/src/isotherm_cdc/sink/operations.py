"""What one transaction writes, as the BSON of MongoDB's commands: statement after statement, ready to be sent.

A driver's bulk write spends more on each document than everything else together; here a document is copied once.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Literal

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

if TYPE_CHECKING:
    from collections.abc import Iterator

Verb = Literal["update", "delete", "insert"]

_FIELDS: dict[Verb, str] = {"update": "updates", "delete": "deletes", "insert": "documents"}
_INT32 = struct.Struct("<i")
_HEAD = struct.Struct("<i3s")
_BODY = struct.Struct("<3si")
_QUERY, _UPDATE = b"\x03q\0", b"\x03u\0"
_UPSERT_END = b"\x08upsert\0\x01\0"
_DELETE_END = b"\x10limit\0\x01\0\0\0\0"
_UPSERT_BYTES = 4 + len(_QUERY) + len(_UPDATE) + len(_UPSERT_END)
_DELETE_BYTES = 4 + len(_QUERY) + len(_DELETE_END)
_SIZE_BYTES = 4
_RAW = CodecOptions(document_class=RawBSONDocument)


class Statements(RawBSONDocument):
    """The statements of one command: many documents that are handed to the driver as one."""

    _empty = bson.encode({})

    def __init__(self) -> None:
        super().__init__(self._empty, _RAW)
        self.identities: list[bytes] = []
        self.parts: list[bytes] = []
        self._joined: bytes | None = None

    @property
    def raw(self) -> bytes:
        """What is sent."""
        if self._joined is None:
            self._joined = b"".join(self.parts)
            self.parts = []
        return self._joined


class Operations:
    """All writes of one transaction but the checkpoint's."""

    def __init__(self) -> None:
        self._statements: dict[tuple[str, Verb], Statements] = {}

    def __iter__(self) -> Iterator[tuple[str, Verb, Statements]]:
        """Yield table, verb and statements of each command to send."""
        for (table, verb), statements in self._statements.items():
            if statements.identities:
                yield table, verb, statements

    def of(self, table: str, verb: Verb) -> Statements:
        """Return the statements of one kind for one table, to add to."""
        found = self._statements.get((table, verb))
        if found is None:
            found = self._statements[table, verb] = Statements()
        return found

    def delete(self, table: str, key: bytes) -> None:
        """Delete the document with `key`, the BSON of `{_id: …}` (and of more conditions)."""
        statements = self.of(table, "delete")
        statements.identities.append(key)
        statements.parts += (_HEAD.pack(_DELETE_BYTES + len(key), _QUERY), key, _DELETE_END)

    def upsert(self, table: str, key: bytes, document: bytes) -> None:
        """Put a whole document in the place of the one with `key`."""
        statements = self.of(table, "update")
        statements.identities.append(key)
        size = _UPSERT_BYTES + len(key) + len(document)
        statements.parts += (_HEAD.pack(size, _QUERY), key, _UPDATE, document, _UPSERT_END)

    def change(self, table: str, key: bytes, change: dict[str, Any]) -> None:
        """Change fields of the document with `key`, if there is one, after whatever else is done to it."""
        statements = self.of(table, "update")
        statements.identities.append(key)
        statements.parts.append(bson.encode({"q": bson.decode(key), "u": change}))

    def insert(self, table: str, document: dict[str, Any]) -> None:
        """Insert a document."""
        statements = self.of(table, "insert")
        statements.identities.append(bson.encode({"_id": document["_id"]}))
        statements.parts.append(bson.encode(document))


def add_upsert(statements: Statements, key: bytes, elements: bytes, tail: bytes) -> None:
    """Add the upsert of the document that consists of `elements` and `tail` (its end included)."""
    size = _SIZE_BYTES + len(elements) + len(tail)
    statements.identities.append(key)
    statements.parts += (
        _HEAD.pack(_UPSERT_BYTES + len(key) + size, _QUERY),
        key,
        _BODY.pack(_UPDATE, size),
        elements,
        tail,
        _UPSERT_END,
    )


def command(name: str, verb: Verb, statements: Statements) -> dict[str, Any]:
    """Return the command; the driver sends its statements as a document sequence."""
    return {verb: name, "ordered": False, _FIELDS[verb]: [statements]}
