"""How many files the process may open: each client is one, and shells and container runtimes begin with 1,024 or fewer."""

from __future__ import annotations

import resource

_SPARE_FILES = 1024
"""For requests of pages and of the API, connections that have not asked for anything yet, MongoDB, and the process itself."""


def files_for(clients: int) -> int:
    """Return how many files a process with so many clients needs."""
    return clients + _SPARE_FILES


def allow_open_files(count: int) -> int:
    """Raise the soft limit as far as it must be and may be; return how many files the process may open now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= count:
        return count if soft == resource.RLIM_INFINITY else soft
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (ValueError, OSError):
        return soft
    return wanted
