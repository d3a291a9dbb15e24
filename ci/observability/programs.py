"""Finds Prometheus, its promtool, the exporter and the clients of MySQL; where they are not, unpacks Debian's packages into .cache.

Nothing is installed, and no root is needed: apt works with lists and downloads of its own. On Debian the packages come
from the unstable suite, whose Prometheus is the 3.5 that k8s/prometheus.yaml runs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from isotherm_local import debian_packages

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"


@dataclass(frozen=True)
class Program:
    """Where a program is to be had.

    Attributes:
        name: as it is called on the PATH.
        package: Debian's.
        path: in the package.
    """

    name: str
    package: str
    path: str

    @property
    def variable(self) -> str:
        """The environment variable that names another."""
        return self.name.upper()


PROMTOOL = Program("promtool", "promtool", "usr/bin/promtool")
PROMETHEUS = Program("prometheus", "prometheus", "usr/bin/prometheus")
MYSQLD_EXPORTER = Program("mysqld_exporter", "prometheus-mysqld-exporter", "usr/bin/prometheus-mysqld-exporter")
MYSQLDUMP = Program("mysqldump", "mysql-client-core", "usr/bin/mysqldump")
MYSQL = Program("mysql", "mysql-client-core", "usr/bin/mysql")


class Unavailable(Exception):  # noqa: N818 - the message is the whole sentence
    """The program is not here and cannot be had."""


def find(program: Program) -> str:
    """Return the command.

    Raises:
        Unavailable: this is no Debian, and the program is not on the PATH.
        subprocess.CalledProcessError: apt cannot get the package.
    """
    given = os.environ.get(program.variable) or shutil.which(program.name)
    if given:
        return given
    folder = CACHE / program.package
    unpacked = folder / program.path
    if not unpacked.exists():
        reason = debian_packages.supported()
        if reason:
            message = f"{program.name} is not on the PATH, and cannot be unpacked from a package: {reason}."
            raise Unavailable(message)
        _unpack(program.package, folder)
    return str(unpacked)


def _unpack(package: str, folder: Path) -> None:
    work = folder.with_name(f"{package}.{os.getpid()}")
    new = work / "new"
    new.mkdir(parents=True)
    apt = ["apt-get", "-qq", *debian_packages.private_apt(work)]
    try:
        for command in ([*apt, "update"], [*apt, "download", package]):
            subprocess.run(command, cwd=work / "archives", check=True, capture_output=True, text=True)
        (archive,) = (work / "archives").glob(f"{package}_*.deb")
        contents = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(archive)], check=True, capture_output=True)  # noqa: S607
        subprocess.run(["tar", "-x", "-C", str(new), "./usr/bin"], input=contents.stdout, check=True)  # noqa: S607
        # What another version of this module has unpacked may lack the program.
        shutil.rmtree(folder, ignore_errors=True)
        new.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
