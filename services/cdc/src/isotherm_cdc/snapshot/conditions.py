"""The condition of an ad hoc snapshot, as an operator writes it."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`]|``)*`|[()]|;|--[ \t\n]|--$|\#|/\*""", re.DOTALL
)
_UNQUOTED = re.compile(r"['\"`]")


def problem_of(where: str) -> str | None:
    """Return what is wrong with a condition (a sentence), None when it can be put into parentheses.

    MySQL says whether it is a condition; here only what would reach beyond the parentheses is refused.
    """
    depth = 0
    rest = []
    at = 0
    for token in _TOKEN.finditer(where):
        rest.append(where[at : token.start()])
        at = token.end()
        text = token[0]
        if text == "(":
            depth += 1
        elif text == ")":
            depth -= 1
            if depth < 0:
                return "The condition closes a parenthesis that it has not opened."
        elif text == ";":
            return "The condition holds a semicolon: give a condition, not statements."
        elif text[:2] in ("--", "/*") or text == "#":
            return "The condition holds a comment: leave it out."
    rest.append(where[at:])
    if depth:
        return "The condition does not close every parenthesis that it opens."
    if any(map(_UNQUOTED.search, rest)):
        return "The condition does not close a quote."
    return None if where.strip() else "The condition is empty."
