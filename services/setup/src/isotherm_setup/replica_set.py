"""The next step from the replica set that is there towards the one that is wanted.

The first member is initiated alone; the others are added one at a time, each only when those before it are in sync:
a set whose new member never comes up would otherwise lose its majority.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from isotherm_common.process import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Seen:
    """What the servers say of themselves.

    Attributes:
        started_as_member: whether the first server was started with a replica set's name at all.
        name: the set's name; None while the first server belongs to none.
        has_primary: whether there is one that can be written to.
        hosts: the set's members.
        in_sync: those of them that hold the data.
        others: for each other wanted member the set that it belongs to, None for none; absent when it does not answer.
    """

    started_as_member: bool
    name: str | None = None
    has_primary: bool = False
    hosts: tuple[str, ...] = ()
    in_sync: frozenset[str] = frozenset()
    others: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Initiate:
    """Make the set, with one member."""

    host: str


@dataclass(frozen=True)
class Add:
    """Add one member."""

    host: str


@dataclass(frozen=True)
class Wait:
    """Look again later."""

    reason: str


@dataclass(frozen=True)
class Done:
    """The set is there.

    Attributes:
        surplus: members that are not among those wanted; they stay, for taking one away needs a person.
    """

    surplus: tuple[str, ...] = ()


def next_step(seen: Seen, name: str, members: tuple[str, ...]) -> Initiate | Add | Wait | Done:
    """Say what to do next.

    Args:
        seen: what is there.
        name: the set's name that is wanted.
        members: those wanted, the first one first; empty when somebody else keeps the set.

    Raises:
        ConfigurationError: it cannot come to what is wanted.
    """
    if seen.name is None:
        return _before_initiation(seen, name, members)
    if seen.name != name:
        message = (
            f"The servers belong to the replica set {seen.name!r}: set MONGODB_ADMIN_REPLICA_SET to that, not {name!r}."
        )
        raise ConfigurationError(message)
    if not seen.has_primary:
        return Wait("the replica set has no primary yet")
    absent = [host for host in members if host not in seen.hosts]
    if not absent:
        return Done(tuple(host for host in seen.hosts if members and host not in members))
    behind = [host for host in seen.hosts if host not in seen.in_sync]
    if behind:
        return Wait(f"{behind[0]} is not in sync yet, {absent[0]} comes after it")
    return Add(absent[0])


def _before_initiation(seen: Seen, name: str, members: tuple[str, ...]) -> Initiate | Wait:
    if not seen.started_as_member:
        message = f"The MongoDB server stands alone, without change streams: start it with --replSet {name}."
        raise ConfigurationError(message)
    if not members:
        message = "The replica set is not initiated: name its members in MONGODB_ADMIN_MEMBERS, host:port each, the first one first."
        raise ConfigurationError(message)
    for host in members[1:]:
        if host not in seen.others:
            return Wait(f"{host} does not answer yet")
        if seen.others[host] is not None:
            return Wait(f"{members[0]} came back empty; {host} still has the set and will take it in again")
    return Initiate(members[0])


def first_config(name: str, host: str) -> dict[str, Any]:
    """Return the configuration of a set with one member."""
    return {"_id": name, "members": [{"_id": 0, "host": host}]}


def grown_config(config: Mapping[str, Any], host: str) -> dict[str, Any]:
    """Return the configuration with one member more."""
    members = config["members"]
    new = {"_id": max(member["_id"] for member in members) + 1, "host": host}
    return {**config, "version": config["version"] + 1, "members": [*members, new]}
