from __future__ import annotations

import sys
from pathlib import Path

import pytest_socket

sys.path.append(str(Path(__file__).parent))  # for the modules that several tests share


def pytest_runtest_setup(item: object) -> None:
    """Unit tests reach no server; an event loop's own pair of sockets is none."""
    pytest_socket.disable_socket(allow_unix_socket=True)
