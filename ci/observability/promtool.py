"""Finds `promtool`, which tests rules; where there is none, unpacks Debian's package into .cache, installing nothing.

apt works with lists and downloads of its own, so no root is needed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".cache/prometheus"
_TOOLS = ("apt-get", "dpkg-deb", "tar")


class Unavailable(Exception):  # noqa: N818 - the message is the whole sentence
    """There is no promtool here and none can be had."""


def find() -> str:
    """Return the command.

    Raises:
        Unavailable: this is no Debian, and promtool is not on the PATH.
        subprocess.CalledProcessError: apt cannot get the package.
    """
    given = os.environ.get("PROMTOOL") or shutil.which("promtool")
    unpacked = FOLDER / "usr/bin/promtool"
    if given:
        return given
    if not unpacked.exists():
        missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
        if missing:
            message = f"promtool is not on the PATH, and without {missing[0]} it cannot be unpacked from a package."
            raise Unavailable(message)
        _unpack()
    return str(unpacked)


def _unpack() -> None:
    work = FOLDER.with_name(f"prometheus.{os.getpid()}")
    lists, archives, new = work / "lists", work / "archives", work / "new"
    for folder in (lists / "partial", archives / "partial", new):
        folder.mkdir(parents=True)
    settings = {
        "Dir::State::lists": lists,
        "Dir::Cache::archives": archives,
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "APT::Sandbox::User": "",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        "Debug::NoLocking": "true",
    }
    apt = ["apt-get", "-qq", *(part for key, value in settings.items() for part in ("-o", f"{key}={value}"))]
    try:
        for command in ([*apt, "update"], [*apt, "download", "prometheus"]):
            subprocess.run(command, cwd=archives, check=True, capture_output=True, text=True)
        (package,) = archives.glob("prometheus_*.deb")
        contents = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(package)], check=True, capture_output=True)  # noqa: S607
        subprocess.run(["tar", "-x", "-C", str(new), "./usr/bin/promtool"], input=contents.stdout, check=True)  # noqa: S607
        FOLDER.parent.mkdir(exist_ok=True)
        if not FOLDER.exists():
            new.rename(FOLDER)
    finally:
        shutil.rmtree(work, ignore_errors=True)
