"""Exit codes and the one way in which every service starts and ends.

Error tree::

    Exception
    └── ServiceError            a clear sentence for the operator, with an exit code
        ├── ConfigurationError  64: settings that cannot work; trying again changes nothing
        └── TryAgainLater       75: an outside condition; the next schedule may find it gone
"""

from __future__ import annotations

import enum
import sys
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable


class ExitCode(enum.IntEnum):
    """What a service's process says when it ends (the numbers of BSD's sysexits)."""

    OK = 0
    CONFIGURATION = 64
    INTERNAL = 70
    TRY_AGAIN_LATER = 75


class ServiceError(Exception):
    """An error whose message is one sentence that says what is wrong and what to do."""

    exit_code = ExitCode.INTERNAL


class ConfigurationError(ServiceError):
    """Settings that cannot work."""

    exit_code = ExitCode.CONFIGURATION


class TryAgainLater(ServiceError):  # noqa: N818 - it names what to do, not what failed
    """An outside condition that may pass."""

    exit_code = ExitCode.TRY_AGAIN_LATER


def run(main: Callable[[], int | None]) -> int:
    """Run a service's `main` and turn whatever ends it into an exit code.

    A `ServiceError` is printed as its one sentence; anything else is logged with its traceback.
    """
    try:
        return int(main() or ExitCode.OK)
    except ServiceError as error:
        if structlog.is_configured():  # not yet when it is the settings that are wrong
            structlog.get_logger().error("stopped", error=str(error), exit_code=int(error.exit_code))
        print(error, file=sys.stderr)
        return int(error.exit_code)
    except KeyboardInterrupt:
        return int(ExitCode.OK)
    except Exception:  # noqa: BLE001 - the last line of defence: it is logged whole and has an exit code
        structlog.get_logger().exception("stopped", exit_code=int(ExitCode.INTERNAL))
        return int(ExitCode.INTERNAL)
