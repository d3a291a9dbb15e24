"""Which databases a machine can have, and which are taken."""

from __future__ import annotations

import pytest

from isotherm_local.backends import choice
from isotherm_local.discovery import Machine, mysql_version, why_not

EVERYTHING = Machine(mysqld="/usr/sbin/mysqld", mongod="/usr/bin/mongod", docker=True)


def test_servers_on_the_path_come_first_then_docker() -> None:
    """The order that the README promises."""
    assert choice.mysql_ways(EVERYTHING) == ["mysqld", "docker", "packages"]
    assert choice.mongodb_ways(EVERYTHING) == ["mongod", "docker", "secantus"]


def test_a_bare_machine_gets_packages_and_secantusdb() -> None:
    """Nothing has to be there."""
    assert choice.mysql_ways(Machine()) == ["packages"]
    assert choice.mongodb_ways(Machine()) == ["secantus"]


def test_the_way_that_has_the_data_comes_first() -> None:
    """Docker installed since the last run does not make the data disappear."""
    assert choice.mysql_ways(EVERYTHING, previous="packages")[0] == "packages"
    assert choice.mongodb_ways(EVERYTHING, previous="secantus")[0] == "secantus"


def test_a_previous_way_that_is_gone_is_not_offered() -> None:
    """Docker was removed: there is nothing to be had from it."""
    assert choice.mongodb_ways(Machine(), previous="docker") == ["secantus"]


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        ("mysqld  Ver 10.11.6-MariaDB-0+deb12u1 for debian-linux-gnu", "MariaDB"),
        ("mysqld  Ver 5.7.44 for Linux", "5.7"),
        ("", "does not tell"),
    ],
)
def test_a_mysqld_that_cannot_work_is_refused_with_a_reason(version: str, reason: str) -> None:
    """MariaDB, an old MySQL and something unknown."""
    assert reason in (why_not(version) or "")


def test_a_new_mysqld_is_taken() -> None:
    """8.0 and everything newer."""
    assert why_not("/usr/sbin/mysqld  Ver 9.7.4-2 for Linux on x86_64 ((Debian))") is None
    assert mysql_version("mysqld  Ver 8.0.36") == (8, 0)


def test_a_python_without_secantusdb_needs_another_mongodb() -> None:
    """One sentence says which Pythons do, and what else would."""
    problem = Machine(secantus=False).problem
    assert problem is not None
    assert "3.13" in problem
    assert "Docker" in problem
    assert Machine(secantus=False, docker=True).problem is None


def test_packages_are_needed_only_when_nothing_else_has_mysql() -> None:
    """Docker or a mysqld saves the download."""
    assert Machine().needs_packages
    assert not Machine(docker=True).needs_packages
    assert not Machine(mysqld="/usr/sbin/mysqld").needs_packages
