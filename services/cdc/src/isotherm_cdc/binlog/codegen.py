"""The source text of functions that read the rows of one table, written from its columns and compiled once.

A function reads one row image whose null columns are known: runs of columns of fixed width by one `struct` each, and the
document's BSON straight from the bytes in the event, without a value of Python's in between where the two formats have
the same bytes. It raises for whatever is not plain (a zero date, text that is none, a number that BSON has no integer
for); the reference path reads that row then. What it does not know how to write, it has the column's rule do.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Literal

import bson

from isotherm_cdc.binlog.column_code import SCOPE, by_rule, code_of
from isotherm_cdc.binlog.element_code import DOCUMENT, FIXED_BYTES, NULL, Code, NotPlainError
from isotherm_cdc.values.columns import Column, Kind
from isotherm_cdc.values.documents import encode_key
from isotherm_cdc.values.mapping import RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from isotherm_cdc.values.columns import Table

Mode = Literal["row", "key", "raw"]
"""row: (raw key, key, elements, end); key: (key, end); raw: (raw key, end)."""

_KEY_FRAME_BYTES = 4 + 1 + 4 + 1
_NOT_AS_KEY = frozenset({Kind.FLOAT, Kind.DOUBLE, Kind.SET})
"""What `encode_key` writes otherwise than a column."""
_PREFIXED = frozenset({Kind.STRING, Kind.BINARY, Kind.BYTES, Kind.JSON, Kind.GEOMETRY, Kind.VECTOR})


def compile_reader(table: Table, names: Sequence[str | None], nulls: int, mode: Mode) -> Callable[[bytes, int], Any]:
    """Compile the function that reads the images of `table` whose null columns are `nulls`.

    Args:
        table: the table.
        names: the columns' names in documents; None for one that is kept out.
        nulls: the null columns as a bitmap.
        mode: what the function returns.

    Raises:
        NotPlainError: there can be no such function.
    """
    writer = _Writer(table, names, nulls, mode)
    scope = writer.scope
    exec(compile(writer.source(), f"<{mode} of {table.full_name}>", "exec"), scope)  # noqa: S102 - written here
    read: Callable[[bytes, int], Any] = scope["read"]
    return read


class _Writer:
    def __init__(self, table: Table, names: Sequence[str | None], nulls: int, mode: Mode) -> None:
        self._table = table
        self._names = names
        self._nulls = nulls
        self._mode = mode
        self._lines: list[str] = []
        self._run: list[tuple[int, Code, bool]] = []
        self._offset = 0
        self.scope: dict[str, Any] = dict(SCOPE)

    def source(self) -> str:
        """Write the function."""
        table, key = self._table, self._table.key
        if not key or any(self._nulls >> position & 1 for position in key):
            raise NotPlainError
        codes: dict[int, Code] = {}
        for position, column in enumerate(table.columns):
            if self._nulls >> position & 1:
                continue
            wanted = position in key or (self._mode == "row" and self._names[position] is not None)
            code = codes[position] = self._code(column, position)
            if position in key and (not code.bson_type or column.kind in _NOT_AS_KEY):
                raise NotPlainError
            self._read(position, code, wanted=wanted)
        self._flush()
        end = f"at + {self._offset}" if self._offset else "at"
        raw = ", ".join(f"v{position}" for position in key) + ("," if len(key) > 1 else "")
        raw = f"({raw})" if len(key) > 1 else raw
        if self._mode == "raw":
            self._lines.append(f"return {raw}, {end}")
        else:
            identity = self._key(codes)
            if self._mode == "key":
                self._lines.append(f"return key, {end}")
            else:
                self._lines.append(f"return {raw}, key, {self._elements(identity, codes)}, {end}")
        return "def read(data, at):\n" + "".join(f"    {line}\n" for line in self._lines)

    def _constant(self, value: Any) -> str:
        name = f"c{len(self.scope)}"
        self.scope[name] = value
        return name

    def _joined(self, pieces: Sequence[bytes | str]) -> str:
        """Write the expression of some bytes, constants that follow one another put together."""
        merged: list[bytes | str] = []
        for piece in pieces:
            if isinstance(piece, bytes) and merged and isinstance(merged[-1], bytes):
                merged[-1] += piece
            elif piece:
                merged.append(piece)
        texts = [piece if isinstance(piece, str) else self._constant(piece) for piece in merged]
        return texts[0] if len(texts) == 1 else f"join(({', '.join(texts)}))"

    def _read(self, position: int, code: Code, *, wanted: bool) -> None:
        if code.code:
            self._run.append((position, code, wanted))
            return
        self._flush()
        start = f"at + {self._offset}" if self._offset else "at"
        self._offset = 0
        add = self._lines.append
        if not code.size:
            column = self._table.columns[position]
            rule = RULES[column.kind]
            if wanted:
                add(f"v{position}, at = {self._constant(rule.decode(column))}(data, {start})")
            else:
                add(f"at = {self._constant(rule.extent(column))}(data, {start})")
        else:
            add(f"s = {start}")
            size = code.size
            length = {1: "data[s]", 2: "data[s] | data[s + 1] << 8"}.get(
                size, f"from_bytes(data[s:s + {size}], 'little')"
            )
            add(f"n = {length}")
            add(f"at = s + {size} + n")
            if wanted:
                add(f"v{position} = data[s + {size}:at]")
        if wanted and (self._mode != "raw"):
            self._lines += [line.replace("{v}", f"v{position}") for line in code.lines]

    def _flush(self) -> None:
        """Read the run of columns of fixed width that has been gathered."""
        run, self._run = self._run, []
        if not run:
            return
        codes = ["<"]
        for _, code, wanted in run:
            codes.append(code.code if wanted else f"{code.size}x")
        targets = [position for position, _, wanted in run if wanted]
        if targets:
            unpack = self._constant(struct.Struct("".join(codes)).unpack_from)
            start = f"at + {self._offset}" if self._offset else "at"
            self._lines.append(f"{' '.join(f'v{position},' for position in targets)} = {unpack}(data, {start})")
        self._offset += sum(code.size for _, code, _ in run)
        if self._mode == "raw":
            return
        for position, code, wanted in run:
            if wanted:
                self._lines += [line.replace("{v}", f"v{position}") for line in code.lines]

    def _pieces(self, position: int, code: Code) -> list[bytes | str]:
        return [piece.replace("{v}", f"v{position}") if isinstance(piece, str) else piece for piece in code.pieces]

    def _key(self, codes: dict[int, Code]) -> list[bytes | str]:
        """Write the line that makes `key`; return the pieces of the `_id` element."""
        key = self._table.key
        probe = bson.decode(encode_key(self._table, [0] * len(key)))["_id"]
        if len(key) == 1:
            code = codes[key[0]]
            pieces = self._pieces(key[0], code)
            if code.bson_type in FIXED_BYTES:
                frame = struct.pack("<i", _KEY_FRAME_BYTES + FIXED_BYTES[code.bson_type])
                element = [_element(code.bson_type, "_id"), *pieces]
                self._lines.append(f"key = {self._joined([frame, *element, bytes(1)])}")
                return element
            self._lines.append(f"k = {self._joined(pieces)}")
            kind = code.bson_type
        else:
            inner: list[bytes | str] = []
            for name, position in zip(probe, key, strict=True):
                inner += [_element(codes[position].bson_type, name), *self._pieces(position, codes[position])]
            self._lines.append(f"k = {self._joined(inner)}")
            self._lines.append("k = int32(len(k) + 5) + k + b'\\0'")
            kind = DOCUMENT
        head = self._constant(_element(kind, "_id"))
        self._lines.append(f"key = int32(len(k) + {_KEY_FRAME_BYTES}) + {head} + k + b'\\0'")
        return [_element(kind, "_id"), "k"]

    def _elements(self, identity: list[bytes | str], codes: dict[int, Code]) -> str:
        pieces = list(identity)
        for position, name in enumerate(self._names):
            if name is None:
                continue
            if self._nulls >> position & 1:
                pieces.append(_element(NULL, name))
                continue
            code = codes[position]
            if code.bson_type:
                pieces.append(_element(code.bson_type, name))
            pieces += self._pieces(position, code)
        return self._joined(pieces)

    def _code(self, column: Column, position: int) -> Code:
        code = code_of(column, position)
        if code is None:
            code = by_rule(position, self._names[position] or "")
            if column.kind in _PREFIXED and self._mode != "row":
                code.size = column.size_bytes
        self.scope.update(code.scope)
        return code


def _element(bson_type: int, name: str) -> bytes:
    return bytes([bson_type]) + name.encode() + b"\0"
