"""What ends `make up` with a clear sentence.

Error tree::

    isotherm_common.process.ServiceError
    ├── ConfigurationError
    │   ├── OptionError         an option of `make up` that cannot work
    │   └── PortTaken           somebody else listens where Isotherm should
    ├── AlreadyRunning          another `make up` uses the same data
    ├── BackendUnavailable      a database cannot be had in this way; the next way may do
    ├── ProcessFailed           a process ended that had to go on, or did not get ready
    └── StoppedBySignal         the person asked to stop before everything had started
"""

from __future__ import annotations

from isotherm_common.process import ConfigurationError, ExitCode, ServiceError


class OptionError(ConfigurationError):
    """An option of `make up` that cannot work."""


class PortTaken(ConfigurationError):  # noqa: N818 - it names the state, as the sentence does
    """Somebody else listens where Isotherm should."""


class AlreadyRunning(ServiceError):  # noqa: N818 - it names the state, as the sentence does
    """Another process uses the same data."""

    exit_code = ExitCode.TRY_AGAIN_LATER


class BackendUnavailable(ServiceError):  # noqa: N818 - it names the state, as the sentence does
    """A database cannot be had in this way."""


class ProcessFailed(ServiceError):  # noqa: N818 - it names the state, as the sentence does
    """A process ended that had to go on, or did not get ready in time."""


class StoppedBySignal(ServiceError):  # noqa: N818 - it names the state, as the sentence does
    """The person asked to stop before everything had started."""

    exit_code = ExitCode.OK
