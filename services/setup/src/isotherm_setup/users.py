"""Least privilege for the MySQL user of each service (contract S7): what to grant and what to revoke."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from isotherm_setup import sql

if TYPE_CHECKING:
    from collections.abc import Iterable

EVERYTHING = "*.*"
_WRITTEN_BY_FETCHER = ("locations", "weather_data", "weather_history", "weather_forecast", "fetch_runs")
_READ_BY_EXPORTER = ("fetch_runs", "weather_data", "schema_version")
_GRANT = re.compile(
    r"GRANT (?P<privileges>.+?) ON (?P<scope>(?:FUNCTION |PROCEDURE )?\S+) TO (?P<grantee>`.*?`@`.*?`)(?P<option> WITH GRANT OPTION)?"
)
_ROLES = re.compile(r"GRANT (?P<roles>`.+`@`.+?`) TO (?P<grantee>`.*?`@`.*?`)(?: WITH ADMIN OPTION)?")
_PROXY = re.compile(r"GRANT PROXY ON (?P<proxied>\S+) TO (?P<grantee>\S+)(?: WITH GRANT OPTION)?")


@dataclass(frozen=True)
class Grant:
    """Privileges of one scope.

    Attributes:
        scope: as in SHOW GRANTS, quoted.
        privileges: their names.
    """

    scope: str
    privileges: tuple[str, ...]


@dataclass(frozen=True)
class User:
    """One service's user and exactly what it may do."""

    name: str
    grants: tuple[Grant, ...]

    @property
    def account(self) -> str:
        """The user as it stands in statements."""
        return sql.account(self.name)


def fetcher(name: str, database: str) -> User:
    """Return the user that stores the weather."""
    return User(
        name,
        (
            *(
                Grant(_table(database, table), ("SELECT", "INSERT", "UPDATE", "DELETE"))
                for table in _WRITTEN_BY_FETCHER
            ),
            Grant(_table(database, "schema_version"), ("SELECT",)),
        ),
    )


def exporter(name: str, database: str) -> User:
    """Return the user that reads what the metrics are made of."""
    return User(name, tuple(Grant(_table(database, table), ("SELECT",)) for table in _READ_BY_EXPORTER))


def cdc(name: str, database: str, *, wildcards: bool) -> User:
    """Return the user that follows the binary log.

    Args:
        name: of the user.
        database: what it may read.
        wildcards: see `sql.database_pattern`.
    """
    return User(
        name,
        (
            Grant(EVERYTHING, ("REPLICATION SLAVE", "REPLICATION CLIENT")),
            Grant(f"{sql.database_pattern(database, wildcards=wildcards)}.*", ("SELECT",)),
        ),
    )


def monitor(name: str) -> User:
    """Return the user of an exporter of the server's own metrics: it sees counters and the binary log's size, no row.

    SHOW GLOBAL STATUS and VARIABLES ask for no privilege at all.
    """
    return User(name, (Grant(EVERYTHING, ("REPLICATION CLIENT",)),))


def _table(database: str, table: str) -> str:
    return f"{sql.identifier(database)}.{sql.identifier(table)}"


def password_statements(user: User, password: str) -> list[str]:
    """Return what makes the user, or gives it this password when it is there."""
    identified = f"IDENTIFIED WITH caching_sha2_password BY {sql.string(password)}"
    return [f"CREATE USER IF NOT EXISTS {user.account} {identified}", f"ALTER USER {user.account} {identified}"]


def grant_statements(user: User) -> list[str]:
    """Return what gives the user its privileges."""
    return [f"GRANT {', '.join(grant.privileges)} ON {grant.scope} TO {user.account}" for grant in user.grants]


def revoke_statements(user: User, shown: Iterable[str]) -> list[str]:
    """Return what takes away everything that the user should not have.

    Privileges that are wanted are not touched, so that a running service never lacks one for a moment.

    Args:
        user: with what it should have.
        shown: the lines of SHOW GRANTS.
    """
    wanted = {grant.scope: set(grant.privileges) for grant in user.grants}
    statements = []
    for line in shown:
        if match := _PROXY.fullmatch(line):
            statements.append(f"REVOKE PROXY ON {match['proxied']} FROM {user.account}")
        elif match := _GRANT.fullmatch(line):
            surplus = [name for name in _names(match["privileges"]) if name not in wanted.get(match["scope"], set())]
            surplus = [name for name in surplus if name != "USAGE"]
            if match["option"]:
                surplus.append("GRANT OPTION")
            if surplus:
                statements.append(f"REVOKE {', '.join(surplus)} ON {match['scope']} FROM {user.account}")
        elif match := _ROLES.fullmatch(line):
            statements.append(f"REVOKE {match['roles']} FROM {user.account}")
    return statements


def missing(user: User, shown: Iterable[str]) -> list[str]:
    """Return the privileges that the user lacks, as `PRIVILEGE ON scope`."""
    has: dict[str, set[str]] = {}
    for line in shown:
        if match := _GRANT.fullmatch(line):
            has.setdefault(match["scope"], set()).update(_names(match["privileges"]))
    return [
        f"{privilege} ON {grant.scope}"
        for grant in user.grants
        for privilege in grant.privileges
        if privilege not in has.get(grant.scope, set())
    ]


def _names(privileges: str) -> list[str]:
    """Split at the commas outside of a column list's parentheses."""
    return [name.strip() for name in re.split(r",\s*(?![^()]*\))", privileges)]
