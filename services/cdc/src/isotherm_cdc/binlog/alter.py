"""The actions of ALTER TABLE: which of them leave every row and every column as they were."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from isotherm_cdc.binlog.sql import Token


def actions(tokens: Iterable[Token]) -> list[list[Token]]:
    """Cut the list of actions at the commas outside of parentheses."""
    found: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        if token.kind == "mark":
            depth += (token.text == "(") - (token.text == ")")
            if token.text == "," and not depth:
                found.append([])
                continue
            if token.text == ";" and not depth:
                continue
        found[-1].append(token)
    return [action for action in found if action]


def other_table(tokens: list[Token], schema: str, *skipped: str) -> str | None:
    """Return the table that an action names after one of the words that may stand before it."""
    if tokens and (tokens[0].is_word(*skipped) or tokens[0].text in skipped):
        tokens = tokens[1:]
    names = [token.text for token in tokens[:3] if token.is_name]
    qualified = len(tokens) > 1 and tokens[1].text == "." and len(names) > 1
    return f"{names[0]}.{names[1]}" if qualified else f"{schema}.{names[0]}" if names else None


_KEEPS_BY_SECOND = {
    "ADD": ("INDEX", "KEY", "UNIQUE", "FULLTEXT", "SPATIAL", "FOREIGN", "CHECK", "PARTITION"),
    "DROP": ("INDEX", "KEY", "FOREIGN", "CHECK", "CONSTRAINT"),
    "RENAME": ("INDEX", "KEY"),
    "ANALYZE": ("PARTITION",),
    "CHECK": ("PARTITION",),
    "COALESCE": ("PARTITION",),
    "OPTIMIZE": ("PARTITION",),
    "REBUILD": ("PARTITION",),
    "PARTITION": ("BY",),
    "REMOVE": ("PARTITIONING",),
    "UPGRADE": ("PARTITIONING",),
    "ORDER": ("BY",),
    "ENABLE": ("KEYS",),
    "DISABLE": ("KEYS",),
    "WITH": ("VALIDATION",),
    "WITHOUT": ("VALIDATION",),
}
_KEEP = frozenset(
    re.findall(
        r"\w+",
        "ALTER ALGORITHM LOCK FORCE SECONDARY_LOAD SECONDARY_UNLOAD AUTO_INCREMENT AUTOEXTEND_SIZE AVG_ROW_LENGTH CHARACTER "
        "CHARSET CHECKSUM COLLATE COMMENT COMPRESSION DEFAULT DELAY_KEY_WRITE ENCRYPTION ENGINE ENGINE_ATTRIBUTE "
        "KEY_BLOCK_SIZE MAX_ROWS MIN_ROWS PACK_KEYS ROW_FORMAT SECONDARY_ENGINE SECONDARY_ENGINE_ATTRIBUTE STATS_AUTO_RECALC "
        "STATS_PERSISTENT STATS_SAMPLE_PAGES TABLESPACE",
    )
)


def keeps_rows(action: list[Token]) -> bool:
    """Whether an action of ALTER TABLE is known to leave every row and every column as it was."""
    head = action[0].text.upper() if action[0].kind == "word" else ""
    second = action[1] if len(action) > 1 else None
    if head == "ADD" and second is not None and second.is_word("CONSTRAINT"):
        return not any(token.is_word("PRIMARY") for token in action[2:5])
    if head in _KEEPS_BY_SECOND:
        if second is None or not second.is_word(*_KEEPS_BY_SECOND[head]):
            return False
        return not (head == "DROP" and len(action) > 2 and action[2].text.upper() == "PRIMARY")  # noqa: PLR2004
    return head in _KEEP and _keeps_engine(action)


def changes_keys(action: list[Token]) -> bool:
    """Whether an action of ALTER TABLE adds or drops a key that may be what tells the rows of a table apart."""
    if len(action) < 2:  # noqa: PLR2004 - a verb and what it is about
        return False
    if action[0].is_word("ADD"):
        return action[1].is_word("UNIQUE") or (
            action[1].is_word("CONSTRAINT") and any(token.is_word("UNIQUE") for token in action[2:5])
        )
    return action[0].is_word("DROP") and action[1].is_word("INDEX", "KEY", "CONSTRAINT")


def _keeps_engine(action: list[Token]) -> bool:
    """Whether the options name no engine but InnoDB; others may lose rows."""
    for at, token in enumerate(action):
        if token.is_word("UNION"):
            return False
        if token.is_word("ENGINE"):
            named = [other for other in action[at + 1 : at + 3] if other.text != "="]
            if not named or named[0].text.strip("'\"").upper() != "INNODB":
                return False
    return True
