"""Connecting to MongoDB, and which of its errors pass by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pymongo import MongoClient
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from isotherm_common import certificates

if TYPE_CHECKING:
    from isotherm_common.settings import MongodbSettings

Client = MongoClient[dict[str, Any]]

_LABELS = ("TransientTransactionError", "RetryableWriteError", "UnknownTransactionCommitResult")
_REFUSED_CODES = frozenset({13, 18, 391})
_TRANSIENT_CODES = frozenset(
    {
        6,  # HostUnreachable
        7,  # HostNotFound
        13,  # Unauthorized: the user's roles are on their way
        18,  # AuthenticationFailed: the password is being rotated
        24,  # LockTimeout
        50,  # MaxTimeMSExpired
        64,  # WriteConcernTimeout
        89,  # NetworkTimeout
        91,  # ShutdownInProgress
        112,  # WriteConflict
        134,  # ReadConcernMajorityNotAvailableYet
        189,  # PrimarySteppedDown
        225,  # TransactionTooOld
        244,  # TransactionAborted
        251,  # NoSuchTransaction
        262,  # ExceededTimeLimit
        290,  # TransactionExceededLifetimeLimitSeconds
        391,  # ReauthenticationRequired
        9001,  # SocketException
        10107,  # NotWritablePrimary
        11600,  # InterruptedAtShutdown
        11602,  # InterruptedDueToReplStateChange
        13388,  # StaleConfig
        13435,  # NotPrimaryNoSecondaryOk
        13436,  # NotPrimaryOrSecondary
        14031,  # OutOfDiskSpace
    }
)


def connect(settings: MongodbSettings) -> Client:
    """Return a client; it connects when first used."""
    return MongoClient(
        settings.uri.value,
        appname="isotherm-cdc",
        serverSelectionTimeoutMS=5_000,
        connectTimeoutMS=5_000,
        socketTimeoutMS=60_000,
        retryWrites=True,
        tz_aware=False,
    )


def is_transient(error: BaseException) -> bool:
    """Whether an error may pass by itself."""
    if not isinstance(error, PyMongoError) or certificates.is_refused(error):
        return False
    if isinstance(error, ConnectionFailure) or any(error.has_error_label(label) for label in _LABELS):
        return True
    return isinstance(error, OperationFailure) and (error.code in _TRANSIENT_CODES or _write_concern_failed(error))


def is_refusal(error: BaseException) -> bool:
    """Whether the server refuses the user."""
    return isinstance(error, OperationFailure) and error.code in _REFUSED_CODES


def certificate_refused(error: PyMongoError) -> certificates.CertificateRefused | None:
    """Return what to end with when an error says that the certificate is not accepted."""
    return certificates.of_mongodb(error) if certificates.is_refused(error) else None


def _write_concern_failed(error: OperationFailure) -> bool:
    return bool((error.details or {}).get("writeConcernErrors"))
