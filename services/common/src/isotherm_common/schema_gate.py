"""Waiting for the database schema that a service needs (contract S8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isotherm_common.process import ConfigurationError
from isotherm_common.retry import RetryPolicy, retry

if TYPE_CHECKING:
    from collections.abc import Callable

    from isotherm_common.shutdown import Shutdown

NEWER_VERSIONS_SUPPORTED = 1
"""How much newer than its own a schema may be: an upgrade migrates first and replaces the services after."""


class SchemaNotReady(Exception):  # noqa: N818 - it passes by itself once the migration has run
    """The schema is older than needed."""


def check_version(found: int | None, needed: int) -> None:
    """Compare the schema's version with the one that a service was built for.

    Raises:
        SchemaNotReady: it is older, or there is none yet.
        ConfigurationError: it is more than one version newer.
    """
    if found is None or found < needed:
        message = f"the database schema is at version {found or 0}, {needed} is needed: has isotherm-migrate run?"
        raise SchemaNotReady(message)
    if found > needed + NEWER_VERSIONS_SUPPORTED:
        message = (
            f"The database schema is at version {found}, but this service knows version {needed} and works with one newer "
            "at most: upgrade this service."
        )
        raise ConfigurationError(message)


def wait_for_schema(
    read_version: Callable[[], int | None],
    needed: int,
    *,
    transient: Callable[[BaseException], bool],
    shutdown: Shutdown,
) -> None:
    """Wait until the schema is at least at version `needed`.

    Args:
        read_version: reads `max(version)` of `schema_version`, None while there is no such table.
        needed: the version that this service was built for.
        transient: which errors of `read_version` may pass by themselves.
        shutdown: ends the waiting.

    Raises:
        ConfigurationError: the schema is too new.
        ShutdownDuringRetry: the process was asked to end.
    """
    retry(
        lambda: check_version(read_version(), needed),
        transient=lambda error: isinstance(error, SchemaNotReady) or transient(error),
        shutdown=shutdown,
        doing="waiting for the database schema",
        policy=RetryPolicy(initial_seconds=0.5, maximum_seconds=5),
    )
