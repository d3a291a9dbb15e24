"""Which of the ways to a database to take: pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from isotherm_local.discovery import Machine

MysqlWay = Literal["mysqld", "docker", "packages"]
MongodbWay = Literal["mongod", "docker", "secantus"]


def mysql_ways(machine: Machine, previous: str | None = None) -> list[MysqlWay]:
    """Return the ways to MySQL on this machine, the best first.

    Args:
        machine: what there is.
        previous: the way of the last run. It comes first while it is possible, for it has the data.
    """
    ways: list[MysqlWay] = []
    if machine.mysqld:
        ways.append("mysqld")
    if machine.docker:
        ways.append("docker")
    ways.append("packages")
    return sorted(ways, key=lambda way: way != previous)


def mongodb_ways(machine: Machine, previous: str | None = None) -> list[MongodbWay]:
    """Return the ways to MongoDB on this machine, the best first; see `mysql_ways`."""
    ways: list[MongodbWay] = []
    if machine.mongod:
        ways.append("mongod")
    if machine.docker:
        ways.append("docker")
    if machine.secantus:
        ways.append("secantus")
    return sorted(ways, key=lambda way: way != previous)
