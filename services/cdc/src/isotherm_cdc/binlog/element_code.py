"""What `codegen` puts functions together from: how one column is read from a row event and written as BSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

DOUBLE, STRING, DOCUMENT, ARRAY, BINARY, DATE, NULL = 0x01, 0x02, 0x03, 0x04, 0x05, 0x09, 0x0A
INT32, INT64, DECIMAL = 0x10, 0x12, 0x13
FIXED_BYTES = {DOUBLE: 8, DATE: 8, INT32: 4, INT64: 8, DECIMAL: 16}
"""The BSON types of fixed width, with it."""
_MEMO_ENTRIES = 10_000


class NotPlainError(Exception):
    """The row is to be read by the reference path."""


@dataclass(slots=True)
class Code:
    """How one column is read and written; `{v}` in it stands for the variable that holds its bytes.

    Attributes:
        bson_type: of its element; 0 when `pieces` hold the whole element.
        pieces: the value's bytes: constants, and expressions.
        code: the struct code of its bytes; empty for a value with its length in front.
        size: its bytes; for a value with its length in front those of the length.
        lines: what is done before.
        scope: what the lines use besides `SCOPE`.
    """

    bson_type: int
    pieces: list[bytes | str]
    code: str = ""
    size: int = 0
    lines: list[str] = field(default_factory=list)
    scope: dict[str, Any] = field(default_factory=dict)


class Memo(dict[Any, Any]):
    """Remembers what a function said, up to a number of entries."""

    def __init__(self, compute: Callable[[Any], Any]) -> None:
        super().__init__()
        self._compute = compute

    def __missing__(self, raw: Any) -> Any:
        if len(self) >= _MEMO_ENTRIES:
            self.clear()
        found = self[raw] = self._compute(raw)
        return found
