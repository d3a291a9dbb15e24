"""Names and strings as SQL.

Statements about schemas and users cannot be prepared with parameters, so everything that goes into them passes here.
"""

from __future__ import annotations

import re

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_DATABASE_LENGTH = 64
_USER_LENGTH = 32


def wrong_with_database(name: str) -> str | None:
    """Say what is wrong with the name of a database (the end of a sentence), or None."""
    return _wrong(name, _DATABASE_LENGTH)


def wrong_with_user(name: str) -> str | None:
    """Say what is wrong with the name of a user (the end of a sentence), or None."""
    return _wrong(name, _USER_LENGTH)


def _wrong(name: str, longest: int) -> str | None:
    if len(name) <= longest and _NAME.fullmatch(name):
        return None
    return f"must be a letter and then letters, digits, _ or -, {longest} at most, not {name!r}"


def identifier(name: str) -> str:
    """Quote the name of a database, table or column."""
    return "`" + name.replace("`", "``") + "`"


def string(text: str) -> str:
    """Quote a string; right under any sql_mode but NO_BACKSLASH_ESCAPES."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def account(user: str) -> str:
    """Quote a user of any host the way SHOW GRANTS prints it."""
    return f"{identifier(user)}@`%`"


def database_pattern(name: str, *, wildcards: bool) -> str:
    """Quote a database as the scope of a GRANT.

    Args:
        name: the database.
        wildcards: whether the server takes `_` there as any character (it does unless partial_revokes is on).
    """
    return identifier(name.replace("_", r"\_") if wildcards else name)
