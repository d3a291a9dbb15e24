"""MongoDB as its preparation sees it: what the servers say of themselves, steps, users and indexes."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pymongo import MongoClient
from pymongo.errors import ConfigurationError as UriError
from pymongo.errors import ConnectionFailure, InvalidURI, OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri

from isotherm_common.process import ConfigurationError, ServiceError
from isotherm_setup.errors import AdminRefusedError, ServerUnreachableError
from isotherm_setup.replica_set import Add, Initiate, Seen, first_config, grown_config

if TYPE_CHECKING:
    from collections.abc import Iterator

Document = dict[str, Any]
_SELECTION_MS = 5000
_REFUSED = frozenset({13, 18})
"""Unauthorized, AuthenticationFailed."""
_PASSING = frozenset({23, 74, 91, 94, 103, 109, 189, 308, 10107, 11600, 11602, 13435, 13436})
"""Somebody else initiated it, a member does not answer, an election or another reconfiguration is under way."""
_USER_EXISTS = 51003
_IN_SYNC = frozenset({"PRIMARY", "SECONDARY", "ARBITER"})
_OF_A_LOGIN = frozenset({"authmechanism", "authmechanismproperties", "authsource", "directconnection", "replicaset"})


@dataclass(frozen=True)
class Login:
    """A service's user.

    Attributes:
        name: in the database `admin`.
        password: from now on.
        role: `read`, `readWrite` or `clusterMonitor`.
        databases: where it has the role.
    """

    name: str
    password: str
    role: str
    databases: tuple[str, ...]


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn the driver's errors into this package's, which name what was being done."""
    try:
        yield
    except (InvalidURI, UriError) as error:
        message = f"MONGODB_ADMIN_URI cannot be used: {error}."
        raise ConfigurationError(message) from error
    except ConnectionFailure as error:
        message = f"MongoDB does not answer while {doing}: {_first_line(error)}."
        raise ServerUnreachableError(message) from error
    except OperationFailure as error:
        text = (error.details or {}).get("errmsg", str(error))
        if error.code in _REFUSED:
            message = f"MongoDB refuses the administrator while {doing}: {text}. Check MONGODB_ADMIN_URI."
            raise AdminRefusedError(message) from error
        message = f"MongoDB answers with error {error.code} while {doing}: {text}."
        raise (ServerUnreachableError if error.code in _PASSING else ServiceError)(message) from error
    except PyMongoError as error:
        message = f"MongoDB fails while {doing}: {_first_line(error)}."
        raise ServiceError(message) from error


def _first_line(error: BaseException) -> str:
    return str(error).split(", Timeout:")[0].splitlines()[0] if str(error) else type(error).__name__


class Cluster:
    """The servers, reached anew for each step: which of them is the primary changes while a set comes to be."""

    def __init__(self, uri: str, name: str) -> None:
        self._uri = uri
        self._name = name

    def _first(self) -> MongoClient[Document]:
        return MongoClient(self._uri, directConnection=True, serverSelectionTimeoutMS=_SELECTION_MS)

    def primary(self) -> MongoClient[Document]:
        """Return a client of the set, wherever its primary is."""
        return MongoClient(
            self._uri,
            directConnection=False,
            replicaSet=self._name,
            serverSelectionTimeoutMS=_SELECTION_MS,
            w="majority",
        )

    def look(self, members: tuple[str, ...]) -> Seen:
        """Ask the servers what they are."""
        with translated("asking the first member"), self._first() as client:
            hello = client.admin.command("hello")
        name = hello.get("setName")
        if name is None:
            member = bool(hello.get("isreplicaset"))
            return Seen(started_as_member=member, others=self._ask_others(members) if member else {})
        hosts = tuple(hello.get("hosts", [])) + tuple(hello.get("passives", [])) + tuple(hello.get("arbiters", []))
        in_sync: frozenset[str] = frozenset()
        if name == self._name and set(members) - set(hosts) and hello.get("primary"):
            with translated("reading the replica set's state"), self.primary() as client:
                status = client.admin.command("replSetGetStatus")
            in_sync = frozenset(member["name"] for member in status["members"] if member["stateStr"] in _IN_SYNC)
        return Seen(
            started_as_member=True, name=name, has_primary=bool(hello.get("primary")), hosts=hosts, in_sync=in_sync
        )

    def _ask_others(self, members: tuple[str, ...]) -> dict[str, str | None]:
        with translated("reading the connection string"):
            options = {
                key: value
                for key, value in parse_uri(self._uri, validate=True)["options"].items()
                if key.lower() not in _OF_A_LOGIN
            }
        found: dict[str, str | None] = {}
        for host in members[1:]:
            try:
                with MongoClient[Document](
                    host, **{**options, "directConnection": True, "serverSelectionTimeoutMS": _SELECTION_MS}
                ) as client:
                    found[host] = client.admin.command("hello").get("setName")
            except ConnectionFailure:
                continue
        return found

    def initiate(self, step: Initiate) -> None:
        """Make the set."""
        with translated("initiating the replica set"), self._first() as client:
            client.admin.command("replSetInitiate", first_config(self._name, step.host))

    def add(self, step: Add) -> None:
        """Add one member."""
        with translated(f"adding {step.host} to the replica set"), self.primary() as client:
            config = client.admin.command("replSetGetConfig")["config"]
            client.admin.command("replSetReconfig", grown_config(config, step.host))


def bring_user(client: MongoClient[Document], login: Login) -> None:
    """Make a user, or give it this password and exactly these roles when it is there."""
    rest: Document = {
        "pwd": login.password,
        "roles": [{"role": login.role, "db": database} for database in login.databases],
        "writeConcern": {"w": "majority"},
    }
    with translated(f"preparing the user {login.name}"):
        there = client.admin.command("usersInfo", {"user": login.name, "db": "admin"})["users"]
        if not there:
            try:
                client.admin.command({"createUser": login.name, **rest})
            except OperationFailure as error:
                if error.code != _USER_EXISTS:
                    raise
            else:
                return
        client.admin.command({"updateUser": login.name, **rest})


def bring_index(client: MongoClient[Document], database: str, collection: str, keys: tuple[str, ...]) -> None:
    """Make an ascending index, and the collection with it."""
    with translated(f"making the index on {', '.join(keys)} of {collection}"):
        client[database][collection].create_index([(key, 1) for key in keys])
