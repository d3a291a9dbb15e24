"""A MongoDB in memory, as much of it as the sink uses: transactions with snapshots, write conflicts, and things going wrong.

It stands in for pymongo's client so that the sink itself, not a copy of its rules, can be run against a model. What goes
wrong is set from outside: `Server.before_call` and `Server.after_call` may raise, and `Server.fates` decides commits.
"""

from __future__ import annotations

import functools
import itertools
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import bson
from pymongo.errors import AutoReconnect, CollectionInvalid, OperationFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Name = tuple[str, str]
Documents = dict[bytes, bytes]
Fate = Literal["committed", "answer lost", "answer lost and forgotten", "lost", "aborted"]
"""What becomes of a commit: `answer lost` commits and says nothing; `… forgotten` knows nothing of it when asked again."""

_TRANSIENT = {"errorLabels": ["TransientTransactionError"]}
_WRITE_CONFLICT, _NO_SUCH_TRANSACTION = 112, 251


@functools.lru_cache(maxsize=20_000)
def decoded(data: bytes) -> dict[str, Any]:
    """Return a document, which nobody may change."""
    return bson.decode(data)


class Server:
    """All data; every client of it has its own `Client`."""

    def __init__(self) -> None:
        self.collections: dict[Name, Documents] = {}
        self.versions: dict[tuple[Name, bytes], int] = {}
        self.fates: deque[Fate] = deque()
        self.committed: Callable[[list[Name]], None] = lambda _: None
        self._numbers = itertools.count(1)

    def apply(self, changes: Mapping[tuple[Name, bytes], bytes | None]) -> None:
        """Make changes that belong together."""
        for (name, key), data in changes.items():
            documents = self.collections.setdefault(name, {})
            if data is None:
                documents.pop(key, None)
            else:
                documents[key] = data
            self.versions[name, key] = next(self._numbers)

    def find(self, name: Name) -> list[dict[str, Any]]:
        """Return every document of a collection."""
        return [decoded(data) for data in self.collections.get(name, {}).values()]


class Client:
    """One connection; `call` is told of each call, before and after its effect, and may raise."""

    def __init__(self, server: Server, call: Callable[[str], None] = lambda _: None) -> None:
        self.server = server
        self.call = call
        self.admin = Database(self, "admin")
        self._sessions = itertools.count(1)

    def get_database(self, name: str, **_: object) -> Database:
        return Database(self, name)

    def __getitem__(self, name: str) -> Database:
        return Database(self, name)

    def start_session(self, **_: object) -> Session:
        return Session(self, f"{id(self)}-{next(self._sessions)}")


class Database:
    """A database of a client."""

    def __init__(self, client: Client, name: str) -> None:
        self.client = client
        self.name = name

    def __getitem__(self, name: str) -> Collection:
        return Collection(self, name)

    def get_collection(self, name: str, **_: object) -> Collection:
        return Collection(self, name)

    def create_collection(self, name: str, **_: object) -> None:
        self.client.call("create")
        if (self.name, name) in self.client.server.collections:
            message = "exists"
            raise CollectionInvalid(message) if name == "" else OperationFailure(message, 48)
        self.client.server.collections[self.name, name] = {}
        self.client.call("created")

    def command(self, command: Mapping[str, Any], session: Session | None = None, **_: object) -> dict[str, Any]:
        """Run `update`, `delete` or `insert` with statements as the sink builds them, or `killSessions`."""
        if "killSessions" in command:
            return {"ok": 1}
        collection = Collection(self, next(iter(command.values())))
        self.client.call("write")
        refused = []
        for kind, field in (("update", "updates"), ("delete", "deletes"), ("insert", "documents")):
            if kind in command:
                for index, statement in enumerate(bson.decode_all(b"".join(part.raw for part in command[field]))):
                    if not collection.run(kind, statement, session):
                        refused.append({"index": index, "code": 11000, "errmsg": "duplicate key"})
        self.client.call("written")
        return {"ok": 1, **({"writeErrors": refused} if refused else {})}


class Collection:
    """A collection of a client."""

    def __init__(self, database: Database, name: str) -> None:
        self.database = database
        self.name = name
        self._full = (database.name, name)
        self._client = database.client

    def create_index(self, _: object) -> None:
        self._client.call("index")

    def find_one(self, query: Mapping[str, Any], session: Session | None = None) -> dict[str, Any] | None:
        self._client.call("read")
        return next(iter(self._matching(query, session)), None)

    def find(self, query: Mapping[str, Any] | None = None, _: object = None, session: Session | None = None) -> Cursor:
        self._client.call("read")
        return Cursor(self._matching(query or {}, session))

    def find_one_and_update(
        self, query: Mapping[str, Any], update: Mapping[str, Any], *, upsert: bool, **_: object
    ) -> dict[str, Any]:
        self._client.call("take over")
        found = next(iter(self._matching(query, None)), None)
        assert upsert
        if found is None:
            found = {**query, **update["$setOnInsert"]}
        found = dict(found)
        for name, step in update["$inc"].items():
            found[name] = bson.Int64(found.get(name, 0) + step)
        self._put(found, None)
        self._client.call("taken over")
        return found

    def update_one(self, query: Mapping[str, Any], update: Mapping[str, Any], session: Session | None = None) -> Any:
        self._client.call("checkpoint")
        found = next(iter(self._matching(query, session)), None)
        if found is not None:
            self._put({**found, **update["$set"]}, session)
        self._client.call("checkpoint written")
        return _Result(int(found is not None))

    def replace_one(
        self, query: Mapping[str, Any], document: Mapping[str, Any], *, upsert: bool = False, session: Any = None
    ) -> None:
        self._client.call("replace")
        assert upsert
        assert query["_id"] == document["_id"]
        self._put(document, session)
        self._client.call("replaced")

    def run(self, verb: str, statement: Mapping[str, Any], session: Session | None) -> bool:
        """Run one statement, at once without a session; answer whether it was accepted."""
        if verb == "update":
            assert statement["upsert"]
            assert statement["q"]["_id"] == statement["u"]["_id"]
            self._put(statement["u"], session)
        elif verb == "delete":
            for document in self._matching(statement["q"], session)[:1]:
                if session is None:
                    self._client.server.apply({(self._full, _key(document)): None})
                else:
                    session.put((self._full, _key(document)), None)
        elif self._matching({"_id": statement["_id"]}, session):
            return False
        else:
            self._put(statement, session)
        return True

    def _put(self, document: Mapping[str, Any], session: Session | None) -> None:
        place = (self._full, _key(document))
        if session is not None and session.in_transaction:
            session.put(place, bson.encode(document))
        else:
            self._client.server.apply({place: bson.encode(document)})

    def _matching(self, query: Mapping[str, Any], session: Session | None) -> list[dict[str, Any]]:
        within = session is not None and session.in_transaction
        documents = (
            session.view(self._full) if within and session else self._client.server.collections.get(self._full, {})
        )
        decoded = (bson.decode(data) for data in list(documents.values()))
        return [document for document in decoded if _matches(document, query)]


class Cursor:
    """What a query gives."""

    def __init__(self, documents: list[dict[str, Any]]) -> None:
        self._documents = documents

    def sort(self, name: str, direction: int) -> Cursor:
        return Cursor(sorted(self._documents, key=lambda document: document[name] * direction))

    def limit(self, number: int) -> Cursor:
        return Cursor(self._documents[:number])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self._documents)


class Session:
    """A session with at most one transaction."""

    def __init__(self, client: Client, name: str) -> None:
        self.session_id = {"id": name.encode()}
        self._client = client
        self._changes: dict[tuple[Name, bytes], bytes | None] | None = None
        self._snapshot: dict[Name, Documents] = {}
        self._versions: dict[tuple[Name, bytes], int] = {}
        self._outcome: Literal["none", "committed", "aborted"] = "none"

    @property
    def in_transaction(self) -> bool:
        return self._changes is not None

    def start_transaction(self, **_: object) -> None:
        assert self._changes is None, "a transaction is open"
        server = self._client.server
        self._changes, self._outcome = {}, "none"
        self._snapshot = {name: dict(documents) for name, documents in server.collections.items()}
        self._versions = dict(server.versions)

    def view(self, name: Name) -> Documents:
        """Return a collection as the transaction sees it."""
        documents = dict(self._snapshot.get(name, {}))
        for (changed, key), data in (self._changes or {}).items():
            if changed != name:
                continue
            if data is None:
                documents.pop(key, None)
            else:
                documents[key] = data
        return documents

    def put(self, place: tuple[Name, bytes], data: bytes | None) -> None:
        """Change a document within the transaction."""
        assert self._changes is not None, "no transaction is open"
        self._refuse_conflicts([place])
        self._changes[place] = data

    def _refuse_conflicts(self, places: Iterable[tuple[Name, bytes]]) -> None:
        versions = self._client.server.versions
        if any(versions.get(place) != self._versions.get(place) for place in places):
            message = "write conflict"
            raise OperationFailure(message, _WRITE_CONFLICT, _TRANSIENT)

    def abort_transaction(self) -> None:
        self._changes = None
        self._client.call("abort")

    def commit_transaction(self) -> None:
        if self._changes is None:
            self._commit_again()
            return
        self._client.call("commit")
        server, changes = self._client.server, self._changes
        fate = server.fates.popleft() if server.fates else "committed"
        self._changes = None
        if fate == "aborted":
            message = "aborted"
            raise OperationFailure(message, _WRITE_CONFLICT, _TRANSIENT)
        if fate == "lost":
            self._outcome = "aborted"
            raise _unknown()
        self._refuse_conflicts(changes)
        server.apply(changes)
        server.committed([name for name, _ in changes])
        self._outcome = "aborted" if fate == "answer lost and forgotten" else "committed"
        self._client.call("committed")
        if fate != "committed":
            raise _unknown()

    def _commit_again(self) -> None:
        self._client.call("commit again")
        if self._outcome != "committed":
            message = "no such transaction"
            raise OperationFailure(message, _NO_SUCH_TRANSACTION, _TRANSIENT)


class _Result:
    def __init__(self, matched_count: int) -> None:
        self.matched_count = matched_count


def _unknown() -> AutoReconnect:
    error = AutoReconnect("connection closed")
    error._add_error_label("UnknownTransactionCommitResult")
    return error


def _key(document: Mapping[str, Any]) -> bytes:
    return bson.encode({"_id": document["_id"]})


def _matches(document: Mapping[str, Any], query: Mapping[str, Any]) -> bool:
    return all(_holds(_at(document, path), condition) for path, condition in query.items())


def _at(document: Any, path: str) -> Any:
    for part in path.split("."):
        document = document.get(part) if isinstance(document, Mapping) else None
    return document


def _holds(value: Any, condition: Any) -> bool:
    if not isinstance(condition, Mapping) or not any(name.startswith("$") for name in condition):
        return bool(value == condition)
    tests = {"$lte": lambda a, b: a is not None and a <= b, "$gt": lambda a, b: a is not None and a > b,
             "$in": lambda a, b: a in b}  # fmt: skip
    return all(tests[name](value, operand) for name, operand in condition.items())
