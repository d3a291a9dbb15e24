"""Cutting SQL into words: as much of MySQL's lexer as it takes to find names and keywords in a statement.

Comments go, executable comments (`/*!80023 … */`) stay, quoted names are told from keywords and strings whatever stands
in them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSI_QUOTES = 1 << 2
NO_BACKSLASH_ESCAPES = 1 << 20

TokenKind = Literal["word", "name", "string", "mark"]

_SPACE = r"(?P<space>\s+|/\*!(?:\d{5,6})?|\*/|/\*(?!!).*?(?:\*/|\Z)|--(?=[\s\x00-\x1f]|\Z)[^\n]*|\#[^\n]*)"
_WORD = r"(?P<word>[\w$\u0080-\U0010ffff]+)"
_BACKTICK = r"`(?:[^`]|``)*`"
_DOUBLE = r'"(?:[^"{escape}]|""{escaped})*"'
_SINGLE = r"'(?:[^'{escape}]|''{escaped})*'"
_MARK = r"(?P<mark>.)"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a statement.

    Attributes:
        kind: `word` (a keyword or a name without quotes), `name` (a quoted one), `string` or `mark` (punctuation).
        text: as it was meant: names without their quotes, keywords as they were written.
    """

    kind: TokenKind
    text: str

    def is_word(self, *words: str) -> bool:
        """Whether it is one of the keywords."""
        return self.kind == "word" and self.text.upper() in words

    @property
    def is_name(self) -> bool:
        """Whether it can name something."""
        return self.kind in ("word", "name")


def _pattern(*, ansi: bool, backslash: bool) -> re.Pattern[str]:
    quoting = {"escape": r"\\" if backslash else "", "escaped": r"|\\." if backslash else ""}
    double = r'"(?:[^"]|"")*"' if ansi else _DOUBLE.format(**quoting)
    names = f"{_BACKTICK}|{double}" if ansi else _BACKTICK
    single = _SINGLE.format(**quoting)
    strings = single if ansi else f"{single}|{double}"
    return re.compile(f"{_SPACE}|{_WORD}|(?P<name>{names})|(?P<string>{strings})|{_MARK}", re.DOTALL)


_PATTERNS = {
    (ansi, backslash): _pattern(ansi=ansi, backslash=backslash) for ansi in (False, True) for backslash in (False, True)
}


def tokens(sql: str, mode: int = 0) -> Iterator[Token]:
    """Yield a statement's pieces one after the other, so that a caller may stop after the first.

    Args:
        sql: the statement.
        mode: the session's `sql_mode` as bits.
    """
    pattern = _PATTERNS[bool(mode & ANSI_QUOTES), not mode & NO_BACKSLASH_ESCAPES]
    for match in pattern.finditer(sql):
        kind, text = match.lastgroup, match[0]
        if kind == "name":
            yield Token("name", text[1:-1].replace(text[0] * 2, text[0]))
        elif kind in ("word", "string", "mark"):
            yield Token(kind, text)  # type: ignore[arg-type]


class Words:
    """A statement read from its beginning, a piece at a time."""

    def __init__(self, sql: str, mode: int = 0) -> None:
        self._source = tokens(sql, mode)
        self._ahead: list[Token] = []

    def peek(self) -> Token | None:
        """Return the next piece and leave it there; None at the end."""
        if not self._ahead:
            self._ahead.extend(found for found in (next(self._source, None),) if found is not None)
        return self._ahead[0] if self._ahead else None

    def next(self) -> Token | None:
        """Take the next piece; None at the end."""
        token = self.peek()
        self._ahead.clear()
        return token

    def skip(self, *words: str) -> bool:
        """Take the next piece if it is one of the keywords."""
        token = self.peek()
        if token is None or not token.is_word(*words):
            return False
        self._ahead.clear()
        return True

    def skip_all(self, *words: str) -> None:
        """Take keywords for as long as they come in this order, each of them or not."""
        for word in words:
            self.skip(word)

    def skip_mark(self, mark: str) -> bool:
        """Take the next piece if it is this punctuation."""
        token = self.peek()
        if token is None or token.kind != "mark" or token.text != mark:
            return False
        self._ahead.clear()
        return True

    def table(self, default_schema: str) -> str | None:
        """Take a table's name (`t`, `s.t` or `.t`) and return it as `schema.table`; None when there is none."""
        leading_dot = self.skip_mark(".")
        first = self.peek()
        if first is None or not first.is_name:
            return None
        self.next()
        if leading_dot or not self.skip_mark("."):
            return f"{default_schema}.{first.text}"
        second = self.next()
        return f"{first.text}.{second.text}" if second is not None and second.is_name else None

    def rest(self) -> list[Token]:
        """Take everything that is left."""
        left = [*self._ahead, *self._source]
        self._ahead.clear()
        return left
