"""Which ports are free, and the ports of the databases from one run to the next."""

from __future__ import annotations

import json
import random
import socket
from typing import TYPE_CHECKING

from isotherm_local.errors import PortTaken

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HOST = "127.0.0.1"
CHOICE = range(20000, 30000)
"""Below the ports that systems give to outgoing connections (32768 and more on Linux, 49152 and more elsewhere) and that
Kubernetes gives to node ports (30000 and more): nobody takes one of these while its server is down for a restart."""


def is_free(port: int, host: str = HOST) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as listener:
        # As servers do: without it, a port whose last connections are in TIME_WAIT would seem taken.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError:
            return False
    return True


def free() -> int:
    """Return a port that nobody listens on."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Return different ports of `CHOICE` that nobody listens on, at random: others may be choosing too."""
    found: list[int] = []
    for port in random.sample(CHOICE, len(CHOICE)):
        if len(found) == count:
            break
        if is_free(port):
            found.append(port)
    return found


def require_free(ports: Mapping[str, int], option: str = "PORT") -> None:
    """Check that Isotherm can listen on all of `ports`.

    Args:
        ports: what each is for, and its number.
        option: how to choose another one for the page.

    Raises:
        PortTaken: naming every port that is taken.
    """
    taken = [(purpose, port) for purpose, port in ports.items() if not is_free(port)]
    if not taken:
        return
    named = ", ".join(f"port {port} ({purpose})" for purpose, port in taken)
    verb = "is" if len(taken) == 1 else "are"
    advice = f"end the program that listens there, or choose another with {option}=…"
    if any(purpose != "the page" for purpose, _ in taken):
        advice = "end the program that listens there (another Isotherm?)"
    message = f"{named[0].upper()}{named[1:]} on {HOST} {verb} taken: {advice}."
    raise PortTaken(message)


def kept(file: Path, name: str) -> int:
    """Return the port that `name` had the last time if it is still free, else another one, and remember it.

    A replica set remembers its members by their port, so a database should keep it.
    """
    known: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
    port = known.get(name)
    if port is None or not is_free(port):
        port = free()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({**known, name: port}))
    return port
