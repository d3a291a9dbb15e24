"""Gets MySQL from Debian's packages into a folder, installing nothing on the system.

apt runs with a configuration of its own: the machine's mirror, an empty dpkg status (so that every dependency comes
too, the C library included) and all its state below the folder. The packages are unpacked side by side and the server
is started through the unpacked loader, so it uses nothing of the system's own libraries. No root is needed.

Only the standard library is imported: the bootstrap runs this file before anything is installed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PACKAGES = ("mysql-server-core", "mysql-server-core-8.4", "mysql-server-core-8.0")
"""Names of the package with `mysqld`, the one preferred first: Debian's, then Ubuntu's."""

_NEEDED_TOOLS = ("apt-get", "apt-cache", "dpkg-deb")
_SKIPPED_PREFIXES = ("perl", "libperl", "libgdbm", "libdb5", "gcc-", "debconf", "adduser", "passwd")
"""Dependencies of scripts beside the server, which are not used here."""


class PackagesUnavailable(Exception):  # noqa: N818 - the message is the whole sentence
    """MySQL cannot be had this way; the message says why."""


def installed(folder: Path) -> bool:
    """Whether an earlier call has put MySQL into `folder`."""
    return (folder / "usr/sbin/mysqld").exists()


def supported() -> str | None:
    """Return why this machine cannot do it, or None."""
    if sys.platform != "linux" or any(shutil.which(tool) is None for tool in _NEEDED_TOOLS):
        return "this is not a Debian-family Linux"
    if not _sources(Path("/etc/apt")):
        return "no package source is configured in /etc/apt"
    return None


def install(folder: Path) -> None:
    """Put MySQL and everything it needs into `folder`, once; a second caller waits for the first.

    Raises:
        PackagesUnavailable: it cannot be had.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.with_name(folder.name + ".lock")):
        if installed(folder):
            return
        reason = supported()
        if reason:
            message = f"MySQL cannot be unpacked from packages: {reason}."
            raise PackagesUnavailable(message)
        work, unpacked = folder.with_name(folder.name + ".apt"), folder.with_name(folder.name + ".new")
        for leftover in (work, unpacked, folder):
            shutil.rmtree(leftover, ignore_errors=True)
        _unpack(_download(work), unpacked)
        if not installed(unpacked):
            message = "The packages that were downloaded hold no mysqld."
            raise PackagesUnavailable(message)
        unpacked.rename(folder)
        shutil.rmtree(work, ignore_errors=True)


def loader(folder: Path) -> list[str]:
    """Return the start of the command line that runs a program of `folder` with the libraries of `folder`."""
    found = sorted(folder.glob("usr/lib/*-linux-gnu/ld-linux-*.so.*"))
    if not found:
        message = f"{folder} holds no program loader."
        raise PackagesUnavailable(message)
    private = folder / "usr/lib/mysql/private"
    libraries = [found[0].parent, *([private] if private.is_dir() else [])]
    return [str(found[0]), "--library-path", ":".join(map(str, libraries))]


def read_release(text: str) -> dict[str, str]:
    """Return the fields of an os-release file."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {key: value.strip().strip("\"'") for key, _, value in pairs}


def source_lines(release: Mapping[str, str], sources: list[tuple[str, str]]) -> list[str]:
    """Return the lines of the private sources.list.

    Debian's stable has MariaDB in MySQL's place, so there the packages come from its unstable suite.

    Args:
        release: the fields of /etc/os-release.
        sources: (address, keyring or "") of the machine's own sources, main archive first.
    """
    ubuntu = release.get("ID") == "ubuntu" or "ubuntu" in release.get("ID_LIKE", "").split()
    codename = release.get("UBUNTU_CODENAME") or release.get("VERSION_CODENAME", "")
    suites = [codename, f"{codename}-updates", f"{codename}-security"] if ubuntu else ["sid"]
    components = "main universe" if ubuntu else "main"
    address, keyring = sources[0]
    option = f"[signed-by={keyring}] " if keyring else ""
    return [f"deb {option}{address} {suite} {components}" for suite in suites]


def parse_sources(text: str) -> list[tuple[str, str]]:
    """Return (address, keyring) of every binary source in a `.sources` (deb822) or `.list` file."""
    found: list[tuple[str, str]] = []
    for stanza in text.split("\n\n"):
        fields = {
            key.strip().lower(): value.strip()
            for key, separator, value in (line.partition(":") for line in stanza.splitlines())
            if separator and not key.startswith(("#", "deb", " "))
        }
        keyring = fields.get("signed-by", "")
        found += [(address, keyring if keyring.startswith("/") else "") for address in fields.get("uris", "").split()]
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["deb"]:
            address = next((word for word in words if "://" in word), "")
            keyring = next((w.strip("[]").partition("=")[2] for w in words if "signed-by=" in w), "")
            found.append((address, keyring))
    return [(address, keyring) for address, keyring in found if address]


def _sources(folder: Path) -> list[tuple[str, str]]:
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    found = [
        source
        for file in files
        if file.suffix in {".list", ".sources"} and file.is_file()
        for source in parse_sources(file.read_text(encoding="utf-8", errors="replace"))
    ]
    archives = [source for source in found if source[0].rstrip("/").endswith(("/debian", "/ubuntu", "/ubuntu-ports"))]
    return archives or found


def private_apt(work: Path) -> list[str]:
    """Return the options of apt's commands by which they know nothing but `work`, where their state and downloads go."""
    for name in ("lists/partial", "archives/partial", "etc"):
        (work / name).mkdir(parents=True)
    status, sources = work / "status", work / "etc/sources.list"
    status.touch()
    release = read_release(Path("/etc/os-release").read_text(encoding="utf-8"))
    sources.write_text("\n".join(source_lines(release, _sources(Path("/etc/apt")))) + "\n", encoding="utf-8")
    options = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": work / "lists",
        "Dir::State::status": status,
        "Dir::Cache::archives": work / "archives",
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        # The unstable suite's index may be past its date on a mirror that was frozen; its signature is still checked.
        "Acquire::Check-Valid-Until": "false",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "",
        "Debug::NoLocking": "true",
    }
    return [part for key, value in options.items() for part in ("-o", f"{key}={value}")]


def _download(work: Path) -> list[Path]:
    arguments = private_apt(work)
    _run("apt-get", *arguments, "update", "-qq")
    names = _run("apt-cache", *arguments, "pkgnames", "mysql-server-core").split()
    package = next((name for name in PACKAGES if name in names), None)
    if package is None:
        message = "The distribution's package source has no mysql-server-core package."
        raise PackagesUnavailable(message)
    _run("apt-get", *arguments, "install", "-y", "-qq", "--download-only", package)
    return sorted((work / "archives").glob("*.deb"))


def _unpack(archives: list[Path], folder: Path) -> None:
    folder.mkdir(parents=True)
    wanted = [archive for archive in archives if not archive.name.startswith(_SKIPPED_PREFIXES)]
    # A package may have /lib where another has made it a link to /usr/lib: a link made first serves both.
    for name in ("bin", "sbin", "lib", "lib64"):
        (folder / "usr" / name).mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(f"usr/{name}")

    def extract(archive: Path) -> None:
        contents = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(archive)], stdout=subprocess.PIPE)  # noqa: S603, S607
        excluded = [f"--exclude=./usr/share/{name}" for name in ("doc", "man", "locale", "lintian", "gcc", "gdb")]
        command = ["tar", "-x", "--keep-directory-symlink", "--no-same-owner", *excluded, "-C", str(folder)]
        result = subprocess.run(command, stdin=contents.stdout, capture_output=True, text=True, check=False)  # noqa: S603
        if contents.wait() or result.returncode:
            message = f"{archive.name} cannot be unpacked: {result.stderr.strip() or 'dpkg-deb failed'}."
            raise PackagesUnavailable(message)

    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        list(pool.map(extract, wanted))


def _run(*command: str) -> str:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603
    if result.returncode:
        lines = [line for line in result.stderr.splitlines() if line.startswith(("E:", "W:"))]
        message = f"{command[0]} {command[-1]} failed: {lines[0][3:] if lines else result.stderr.strip()[-300:]}"
        raise PackagesUnavailable(message)
    return result.stdout


@contextlib.contextmanager
def _locked(file: Path) -> Iterator[None]:
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def main(arguments: list[str]) -> int:
    """Install into the folder named by the only argument."""
    try:
        install(Path(arguments[0]).resolve())
    except PackagesUnavailable as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command's output
        return 75
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
