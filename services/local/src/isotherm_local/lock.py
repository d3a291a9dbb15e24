"""One stack at a time on the same data."""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

from isotherm_local.errors import AlreadyRunning

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process; the kernel lets go of it however the process ends, so no lock is ever stale.

    Raises:
        AlreadyRunning: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "lock"
    with file.open("a+", encoding="ascii") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            owner = handle.read().strip() or "unknown"
            message = (
                f"Another Isotherm (process {owner}) runs on the data in {folder}: stop it first, or use that one."
            )
            raise AlreadyRunning(message) from None
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield
