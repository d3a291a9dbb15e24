"""MongoDB as the sink sees it: the collections, their indexes, the session, and waiting until it answers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from pymongo import WriteConcern
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference

from isotherm_cdc.errors import Refused
from isotherm_cdc.mongo import certificate_refused, is_refusal, is_transient
from isotherm_cdc.patience import Patience
from isotherm_common.retry import RetryPolicy, retry

if TYPE_CHECKING:
    from collections.abc import Callable

    from pymongo.client_session import ClientSession
    from pymongo.collection import Collection

    from isotherm_cdc.mongo import Client
    from isotherm_common.shutdown import Shutdown

T = TypeVar("T")

CHECKPOINTS, TOMBSTONES, DEAD_LETTERS = "_cdc_checkpoints", "_cdc_tombstones", "_cdc_dead_letters"
DEAD_LETTER_CHUNKS = "_cdc_dead_letter_chunks"
SESSIONS = "_cdc_sessions"
"""Which session each pipeline's reader writes in, so that the next reader can end what a killed one left open."""
MAJORITY = WriteConcern("majority")
SIGNALS = "_cdc_signals"
"""What operators ask of a reader, and what it has answered (contract K11)."""
_OWN = frozenset({TOMBSTONES, DEAD_LETTERS, DEAD_LETTER_CHUNKS, SIGNALS})
_NAMESPACE_EXISTS = 48
_FAST = RetryPolicy(initial_seconds=0.05, maximum_seconds=10.0)


class Target:
    """The databases that one pipeline writes to."""

    def __init__(
        self, client: Client, database: str, name: str, shutdown: Shutdown, on_retry: Callable[[str], None]
    ) -> None:
        """Prepare without connecting.

        Args:
            client: the connection.
            database: where the state of the CDC is kept.
            name: the pipeline.
            shutdown: ends waiting.
            on_retry: told the reason of every retry.
        """
        self.name = name
        self.shutdown = shutdown
        self.on_retry = on_retry
        self.client = client
        self.database = client.get_database(database, write_concern=MAJORITY, read_preference=ReadPreference.PRIMARY)
        self._known: set[str] = set()
        self._session: ClientSession | None = None

    @property
    def session(self) -> ClientSession:
        """The one session that everything is written in."""
        if self._session is None:
            self._session = self.client.start_session(causal_consistency=False)
        return self._session

    def collection(self, table: str) -> Collection[dict[str, Any]]:
        """Return the collection of `schema.table`, or one of the CDC's own by its name."""
        if table in _OWN:
            return self.database[table]
        schema, _, name = table.partition(".")
        return self.client.get_database(schema, write_concern=MAJORITY)[name]

    def read_checkpoint(self) -> dict[str, Any] | None:
        """Return the checkpoint as a majority has it."""
        collection = self.database.get_collection(CHECKPOINTS, read_concern=ReadConcern("majority"))
        return self.until_done(lambda: collection.find_one({"_id": self.name}), "reading the checkpoint")

    def prepare(self, tables: set[str]) -> None:
        """Create the collections that are not there yet, with the index on `_cdc.seq` (contract K7)."""
        for table in tables - self._known:
            self.until_done(partial(self.create, self.collection(table), "_cdc.seq"), "creating a collection")
            self._known.add(table)

    @staticmethod
    def create(collection: Collection[dict[str, Any]], index: str | None = None) -> None:
        """Create a collection and its index, once; a transaction cannot."""
        try:
            collection.database.create_collection(collection.name, check_exists=False)
        except PyMongoError as error:
            if getattr(error, "code", None) != _NAMESPACE_EXISTS:
                raise
        if index is not None:
            collection.create_index(index)

    def until_done(self, call: Callable[[], T], doing: str, reason: str = "read") -> T:
        """Call again for as long as MongoDB's errors may pass by themselves.

        Raises:
            Refused: the credentials are not taken.
            CertificateRefused: the certificate is not.
        """
        try:
            return retry(
                call,
                transient=Patience(is_transient, is_refusal),
                shutdown=self.shutdown,
                doing=doing,
                policy=_FAST,
                on_retry=lambda _: self.on_retry(reason),
            )
        except PyMongoError as error:
            if (refused := certificate_refused(error)) is not None:
                raise refused from error
            if not is_refusal(error):
                raise
            message = f"MongoDB has refused the user for a minute, when {doing}: {error}"
            raise Refused(message) from error
