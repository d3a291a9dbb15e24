"""MySQL as a private process: a `mysqld` on PATH, or the one unpacked from Debian's packages."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from isotherm_local import debian_packages
from isotherm_local.backends.server import MysqlServer, mysql_answers
from isotherm_local.errors import BackendUnavailable
from isotherm_local.ports import HOST
from isotherm_local.process import ProcessSpec, tail
from isotherm_local.secrets import secret_file

if TYPE_CHECKING:
    from pathlib import Path

_INITIALISE_SECONDS = 180

SERVER_OPTIONS = (
    "--server-id=1",
    "--gtid-mode=ON",
    "--enforce-gtid-consistency=ON",
    "--log-bin=binlog",
    "--binlog-row-metadata=FULL",
    "--binlog-row-image=FULL",
    "--binlog-expire-logs-seconds=604800",
    "--max-binlog-size=64M",
    "--default-time-zone=+00:00",
    "--character-set-server=utf8mb4",
    "--mysqlx=OFF",
    "--innodb-buffer-pool-size=64M",
    "--innodb-log-buffer-size=4M",
    "--max-connections=60",
    "--table-open-cache=200",
    "--performance-schema-max-table-instances=200",
    "--log-error-verbosity=2",
)
"""What the CDC needs, and small buffers. `binlog_format` is ROW unless told otherwise, and telling is deprecated."""


@dataclass(frozen=True)
class Program:
    """A `mysqld` that can be started.

    Attributes:
        title: what to call it to a person.
        command: the start of its command line.
        options: what it needs to find its own files.
    """

    title: str
    command: tuple[str, ...]
    options: tuple[str, ...] = ()


def program_on_path(mysqld: str) -> Program:
    """Return the server at `mysqld`."""
    return Program(f"MySQL ({mysqld})", (mysqld,))


def program_from_packages(folder: Path) -> Program:
    """Return the server unpacked into `folder`, after unpacking it when it is not there.

    Raises:
        BackendUnavailable: it cannot be had.
    """
    try:
        debian_packages.install(folder)
        command = (*debian_packages.loader(folder), str(folder / "usr/sbin/mysqld"))
    except debian_packages.PackagesUnavailable as error:
        raise BackendUnavailable(str(error)) from error
    options = (
        f"--basedir={folder / 'usr'}",
        f"--lc-messages-dir={folder / 'usr/share/mysql'}",
        f"--character-sets-dir={folder / 'usr/share/mysql/charsets'}",
        f"--plugin-dir={folder / 'usr/lib/mysql/plugin'}",
    )
    return Program("MySQL (unpacked from the distribution's packages)", command, options)


def prepare(program: Program, folder: Path, port: int, *, secrets: Path, logs: Path) -> MysqlServer:
    """Make the server's files when there are none, and return how to start it.

    Args:
        program: the server.
        folder: where its files are.
        port: where it is to listen.
        secrets: where root's password is kept.
        logs: where its log goes.

    Raises:
        BackendUnavailable: its files cannot be made.
    """
    password_file = secret_file(secrets, "mysql-root")
    data = folder / "data"
    common = [*program.command, "--no-defaults", *program.options, "--secure-file-priv=NULL"]
    if os.geteuid() == 0:
        common.append("--user=root")
    if not data.exists():
        _initialise(common, folder, password_file, logs / "mysql.log")
    command = [
        *common,
        f"--datadir={data}",
        *SERVER_OPTIONS,
        f"--bind-address={HOST}",
        f"--port={port}",
        # Relative to the data: the path of a socket may have 107 characters at most.
        "--socket=mysql.sock",
        "--pid-file=mysql.pid",
    ]
    spec = ProcessSpec(
        name="mysql",
        command=command,
        log_folder=logs,
        ready=lambda: mysql_answers(port, password_file),
        ready_seconds=120.0,
        stop_seconds=30.0,
        folder=data,
    )
    return MysqlServer(program.title, port, password_file, spec)


def _initialise(common: list[str], folder: Path, password_file: Path, log: Path) -> None:
    unfinished, statements = folder / "data.new", folder / "init.sql"
    shutil.rmtree(unfinished, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    statements.touch(mode=0o600)
    password = password_file.read_text(encoding="ascii")
    statements.write_text(f"ALTER USER 'root'@'localhost' IDENTIFIED BY '{password}';\n", encoding="ascii")
    command = [*common, f"--datadir={unfinished}", "--initialize-insecure", f"--init-file={statements}"]
    try:
        with log.open("ab") as output:
            result = subprocess.run(  # noqa: S603 - the command line is ours
                command, stdout=output, stderr=subprocess.STDOUT, timeout=_INITIALISE_SECONDS, check=False
            )
    except (OSError, subprocess.TimeoutExpired) as error:
        message = f"MySQL cannot make its files: {error}."
        raise BackendUnavailable(message) from error
    finally:
        statements.unlink()
    if result.returncode:
        message = f"MySQL cannot make its files. The end of {log}:\n{tail(log)}"
        raise BackendUnavailable(message)
    unfinished.rename(folder / "data")
