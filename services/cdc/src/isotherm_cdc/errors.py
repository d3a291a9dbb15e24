"""What can go wrong, and what each kind of error decides.

Error tree::

    Exception
    ├── DataError               one row cannot be told to MongoDB: it becomes a dead letter
    ├── Declined                an operator asks for what cannot be: the sentence is the answer
    └── ServiceError            (isotherm_common) ends the process with one sentence
        ├── ConfigurationError  (isotherm_common) 64
        │   ├── SourceUnusable  64: the source is set up so that changes would be missed
        │   └── CertificateRefused  (isotherm_common) 64: a server's certificate is not accepted
        ├── Refused             75: a database refuses the credentials for longer than a rotation takes
        ├── StartAgain          75: a new start is the way on
        ├── Fenced              75: another reader has taken over
        ├── LeaseLost           75: the lease could not be renewed, or another reader has it
        └── Halt                70: going on would lose or falsify data
            ├── UnsupportedEvent    the binary log holds what cannot be decoded
            ├── SourceFailed        the source answers with an error that does not pass by itself
            ├── PositionLost        the source no longer has, or never had, the checkpoint's transactions
            ├── CheckpointConflict  the checkpoint was changed by somebody else
            └── TooManyFailures     more rows failed than the limit allows

Errors of the drivers are told apart by `mysql.is_transient` and `mongo.is_transient`: transient ones are retried for ever.
"""

from __future__ import annotations

from isotherm_common.process import ConfigurationError, ExitCode, ServiceError


class DataError(Exception):
    """A value of one row cannot be represented."""


class Declined(Exception):  # noqa: N818 - it names what is done
    """A request that cannot be carried out."""


class SourceUnusable(ConfigurationError):  # noqa: N818 - it names the state
    """The source's configuration would make changes go missing."""


class Refused(ServiceError):  # noqa: N818 - it names the state
    """A database does not take the credentials that this process was started with."""

    exit_code = ExitCode.TRY_AGAIN_LATER


class StartAgain(ServiceError):  # noqa: N818 - it names what is to be done
    """Going on needs a new start, which finds its way by the checkpoint."""

    exit_code = ExitCode.TRY_AGAIN_LATER


class Fenced(ServiceError):  # noqa: N818 - it names the state
    """Another reader holds a larger term."""

    exit_code = ExitCode.TRY_AGAIN_LATER


class LeaseLost(ServiceError):  # noqa: N818 - it names the state
    """The lease that this reader worked under is gone."""

    exit_code = ExitCode.TRY_AGAIN_LATER


class Halt(ServiceError):  # noqa: N818 - it names what is done
    """Going on would lose or falsify data."""

    exit_code = ExitCode.INTERNAL


class UnsupportedEvent(Halt):
    """The binary log holds an event that cannot be decoded."""


class SourceFailed(Halt):
    """The source answers with an error that does not pass by itself."""


class PositionLost(Halt):
    """The source does not have what the checkpoint needs."""


class CheckpointConflict(Halt):
    """The checkpoint is not what this reader left."""


class TooManyFailures(Halt):
    """Too many rows could not be told to MongoDB."""
