"""A pipeline as an operator sees it: its checkpoint, its dead letters, and requests to the running reader (contract K11)."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from pymongo import ReadPreference, WriteConcern
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from isotherm_cdc import mongo
from isotherm_cdc.sink.target import CHECKPOINTS, DEAD_LETTERS, SIGNALS
from isotherm_common.process import ServiceError, TryAgainLater

if TYPE_CHECKING:
    from collections.abc import Callable

    from isotherm_cdc.settings import Settings

T = TypeVar("T")
POLL_SECONDS = 0.1
WORKING_SECONDS = 30.0
"""A reader whose checkpoint is older does not work: it moves at least every ten seconds (contract K8)."""


class Admin:
    """Looks at one pipeline and asks its reader."""

    def __init__(self, settings: Settings) -> None:
        self.name = settings.name
        self.client = mongo.connect(settings.mongodb)
        self._database = self.client.get_database(
            settings.mongodb.database,
            write_concern=WriteConcern("majority"),
            read_concern=ReadConcern("majority"),
            read_preference=ReadPreference.PRIMARY,
        )

    def checkpoint(self) -> dict[str, Any] | None:
        """Return the checkpoint, None when the pipeline has never run."""
        return self._database[CHECKPOINTS].find_one({"_id": self.name})

    def dead_letters(self, query: dict[str, Any]) -> int:
        """Return how many dead letters there are."""
        return int(self._database[DEAD_LETTERS].count_documents(query))

    def letters(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        """Return dead letters without their bytes."""
        return list(self._database[DEAD_LETTERS].find(query, {"row": 0, "layout": 0}))

    def pending(self) -> int:
        """Return how many requests wait for the reader."""
        return int(self._database[SIGNALS].count_documents({"pipeline": self.name, "state": "pending"}))

    def ask(self, command: str, arguments: dict[str, Any], timeout_seconds: float) -> Any:
        """Ask the running reader and return its answer; see `request`."""
        return self.request(command, arguments, timeout_seconds)["answer"]

    def request(self, command: str, arguments: dict[str, Any], timeout_seconds: float) -> dict[str, Any]:
        """Ask the running reader and return the request with its answer.

        Raises:
            ServiceError: it refuses, with its reason.
            TryAgainLater: it has not answered in time; the request stays.
        """
        request = {
            "_id": uuid4().hex,
            "pipeline": self.name,
            "command": command,
            "arguments": arguments,
            "at": datetime.now(UTC),
            "state": "pending",
        }
        self._database[SIGNALS].insert_one(request)
        found = wait(lambda: self._answer(request["_id"]), timeout_seconds)
        if found is None:
            message = (
                f"The reader has not answered within {timeout_seconds:g} s ({self._reader()}). The request stays in "
                f"{SIGNALS} and is carried out as soon as a reader can."
            )
            raise TryAgainLater(message)
        return _granted(found)

    def check(self, identity: Any) -> None:
        """Check that a request has not failed after it was answered.

        Raises:
            ServiceError: it has, with the reader's reason.
        """
        wait(lambda: _granted(found) if (found := self._answer(identity)) else True, None)

    def _answer(self, identity: Any) -> dict[str, Any] | None:
        return self._database[SIGNALS].find_one({"_id": identity, "state": {"$ne": "pending"}})

    def _reader(self) -> str:
        checkpoint = self.checkpoint()
        age = None if checkpoint is None else age_seconds(checkpoint)
        return "it has never run" if age is None else f"its checkpoint is {age:.0f} s old"


def _granted(request: dict[str, Any]) -> dict[str, Any]:
    if request["state"] in ("refused", "failed"):
        raise ServiceError(request["answer"])
    return request


def wait(look: Callable[[], T | None], timeout_seconds: float | None) -> T | None:
    """Look until something is there, and return it; None when it was not in time."""
    deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
    while True:
        try:
            found = look()
        except PyMongoError as error:
            if not mongo.is_transient(error):
                raise
            found = None
        if found or (deadline is not None and time.monotonic() > deadline):
            return found
        time.sleep(POLL_SECONDS)


def age_seconds(checkpoint: dict[str, Any]) -> float | None:
    """Return how long ago a checkpoint moved last; None when it never did."""
    moved = checkpoint.get("committed_at")
    return None if moved is None else max(0.0, (datetime.now(UTC) - moved.replace(tzinfo=UTC)).total_seconds())
