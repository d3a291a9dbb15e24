"""What can go wrong while the databases are prepared.

Error tree::

    isotherm_common.process.ServiceError
    ├── MigrationError                   70: the migrations and the database do not fit, or a statement failed
    ├── isotherm_common.process.ConfigurationError
    │   ├── PrerequisiteError            64: the MySQL server's settings cannot work; one sentence a line
    │   └── AdminRefusedError            64: the administrator's credentials are wrong or too weak
    └── isotherm_common.process.TryAgainLater
        ├── LockBusyError                75: another migration holds the lock
        └── ServerUnreachableError       75: the server did not answer in time
"""

from __future__ import annotations

from isotherm_common.process import ConfigurationError, ServiceError, TryAgainLater


class MigrationError(ServiceError):
    """The migrations and the database do not fit together, or a statement failed."""


class PrerequisiteError(ConfigurationError):
    """The MySQL server's own settings cannot work; the message has one sentence a line."""


class AdminRefusedError(ConfigurationError):
    """The administrator's credentials are wrong, or allow too little."""


class LockBusyError(TryAgainLater):
    """Another migration holds the lock for longer than we wait."""


class ServerUnreachableError(TryAgainLater):
    """The server did not answer in time."""
