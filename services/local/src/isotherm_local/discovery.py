"""What the machine has of database servers and Docker.

Only the standard library is imported: the bootstrap asks before anything is installed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass

MYSQL_MINIMUM = (8, 0)
SECANTUS_PYTHONS = ((3, 11), (3, 13))
_DOCKER_SECONDS = 4.0
_VERSION_SECONDS = 10.0


@dataclass(frozen=True)
class Machine:
    """What was found.

    Attributes:
        mysqld: path of a MySQL server that can be used, or None.
        mysqld_refused: why a `mysqld` on PATH cannot be used, or None.
        mongod: path of a MongoDB server, or None.
        docker: whether Docker answers and can publish ports.
        secantus: whether there is a SecantusDB for this Python.
    """

    mysqld: str | None = None
    mysqld_refused: str | None = None
    mongod: str | None = None
    docker: bool = False
    secantus: bool = True

    @property
    def needs_packages(self) -> bool:
        """Whether MySQL has to be unpacked from packages."""
        return self.mysqld is None and not self.docker

    @property
    def problem(self) -> str | None:
        """Why there can be no MongoDB, as one sentence, or None."""
        if self.mongod or self.docker or self.secantus:
            return None
        version = ".".join(map(str, sys.version_info[:2]))
        return (
            f"Python {version} has no SecantusDB, and neither mongod nor Docker is here: use Python 3.11, 3.12 or 3.13 "
            "(make PYTHON=python3.13 …), or install mongod or Docker."
        )


def look() -> Machine:
    """Look at this machine; it takes some seconds at most."""
    mysqld = shutil.which("mysqld")
    refused = None
    if mysqld is not None:
        refused = why_not(_output(mysqld, "--version", seconds=_VERSION_SECONDS) or "")
    return Machine(
        mysqld=None if refused else mysqld,
        mysqld_refused=refused,
        mongod=shutil.which("mongod"),
        docker=_docker(),
        secantus=SECANTUS_PYTHONS[0] <= sys.version_info[:2] <= SECANTUS_PYTHONS[1],
    )


def _docker() -> bool:
    if shutil.which("docker") is None:
        return False
    # Without the bridge no port of a container can be published (a daemon may run with --bridge=none).
    questions = (("info", "{{.ServerVersion}}"), ("network", "inspect", "bridge", "{{.Name}}"))
    return all(
        _output("docker", *question[:-1], "--format", question[-1], seconds=_DOCKER_SECONDS) for question in questions
    )


def why_not(version: str) -> str | None:
    """Return why a server that calls itself `version` cannot be used, or None."""
    if "MariaDB" in version:
        return "it is MariaDB, whose binary log differs from MySQL's"
    found = mysql_version(version)
    if found is None:
        return "it does not tell its version"
    if found < MYSQL_MINIMUM:
        return f"it is MySQL {found[0]}.{found[1]}, and 8.0 is the oldest that works"
    return None


def mysql_version(text: str) -> tuple[int, int] | None:
    """Read the version out of what `mysqld --version` says."""
    found = re.search(r"Ver (\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else None


def _output(*command: str, seconds: float) -> str | None:
    """Return what a command prints, None when it fails or takes too long."""
    try:
        result = subprocess.run(  # noqa: S603 - the command lines are ours
            command, capture_output=True, text=True, timeout=seconds, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout.strip() if result.returncode == 0 else None
