"""Numbered migrations: read from this package's .sql files, checked, and compared with what was applied.

MySQL commits every DDL statement by itself, so a migration that dies half way has been half applied. Every statement
must therefore be one that can run again: `CREATE TABLE IF NOT EXISTS`, an ALTER with one change in it (the runner
takes "exists already" and "is gone already" as done), or DML that comes to the same result twice.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from isotherm_setup.errors import MigrationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_FILE = re.compile(r"(\d{4})_([a-z0-9_]{1,110})\.sql")
_PIECE = re.compile(
    r"""'(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.|"")*" | `(?:[^`]|``)*` | --(?=\s|$)[^\n]* | \#[^\n]* | /\*.*?\*/ | /\*
    | [^'"`;(),\-\#/]+ | .""",
    re.VERBOSE | re.DOTALL,
)
_RESTARTABLE = re.compile(
    r"CREATE TABLE IF NOT EXISTS\b|DROP TABLE IF EXISTS\b|ALTER TABLE\b|INSERT IGNORE\b|UPDATE\b|DELETE\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Migration:
    """One numbered step of the schema.

    Attributes:
        version: its number, from 1 without gaps.
        name: the file's name without number and ending.
        text: the whole file.
    """

    version: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def statements(self) -> list[str]:
        """The text's statements."""
        return split(self.text)


@dataclass(frozen=True)
class Applied:
    """A row of `schema_version`."""

    version: int
    name: str
    checksum: str


def split(text: str) -> list[str]:
    """Split SQL into statements, leaving out comments; quotes and parentheses are minded.

    Raises:
        MigrationError: a quote or a comment is not closed.
    """
    statements, parts = [], [""]
    for piece in _PIECE.findall(text):
        if piece == ";":
            statements.append("".join(parts).strip())
            parts = [""]
        elif piece in {"'", '"', "`", "/*"}:
            message = f"The SQL has an opening {piece} without its end."
            raise MigrationError(message)
        elif piece.startswith(("--", "#", "/*")):
            parts.append(" ")
        else:
            parts.append(piece)
    statements.append("".join(parts).strip())
    return [statement for statement in statements if statement]


def restartable(statement: str) -> bool:
    """Whether a statement may run again after it was interrupted or done."""
    if not _RESTARTABLE.match(re.sub(r"\s+", " ", statement)):
        return False
    return not statement.upper().startswith("ALTER") or "," not in _outside_parentheses(statement)


def _outside_parentheses(statement: str) -> list[str]:
    depth, outside = 0, []
    for piece in _PIECE.findall(statement):
        depth += (piece == "(") - (piece == ")")
        if depth == 0:
            outside.append(piece)
    return outside


def read(files: Mapping[str, str] | None = None) -> list[Migration]:
    """Read and check the migrations.

    Args:
        files: name to text; this package's own when not given.

    Raises:
        MigrationError: a name is not `0001_words.sql`, a number is missing or double, or a statement is not restartable.
    """
    if files is None:
        files = {
            entry.name: entry.read_text(encoding="utf-8")
            for entry in resources.files(__name__).iterdir()
            if entry.name.endswith(".sql")
        }
    migrations = []
    for file, text in sorted(files.items()):
        match = _FILE.fullmatch(file)
        if match is None:
            message = f"{file} is no name of a migration: it must look like 0001_words.sql."
            raise MigrationError(message)
        migrations.append(Migration(int(match[1]), match[2], text))
    _check_numbers("The migrations", [migration.version for migration in migrations])
    for migration in migrations:
        for statement in migration.statements:
            if not restartable(statement):
                message = f"Migration {migration.version} has a statement that cannot run twice: {statement[:60]!r}."
                raise MigrationError(message)
    return migrations


def pending(migrations: Sequence[Migration], applied: Iterable[Applied]) -> list[Migration]:
    """Return the migrations that are still to be applied, in order.

    Rows newer than the newest migration are left alone: an older release meets a schema that a newer one made.

    Raises:
        MigrationError: what was applied has a gap, or differs from the migration of its number.
    """
    rows = sorted(applied, key=lambda row: row.version)
    _check_numbers("The rows of schema_version", [row.version for row in rows])
    for migration, row in zip(migrations, rows, strict=False):
        if migration.checksum != row.checksum:
            message = (
                f"Migration {row.version} ({row.name}) was applied with checksum {row.checksum[:12]}…, but this release's "
                f"{migration.name} has {migration.checksum[:12]}…: an applied migration must never be changed. "
                "Run the release that made this database, or add a new migration."
            )
            raise MigrationError(message)
    return list(migrations[len(rows) :])


def _check_numbers(whose: str, versions: list[int]) -> None:
    if versions != list(range(1, len(versions) + 1)):
        message = f"{whose} must be numbered from 1 without gaps, not {versions}."
        raise MigrationError(message)
