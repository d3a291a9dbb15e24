"""MySQL and MongoDB from Docker images, their data in folders of this machine."""

from __future__ import annotations

import os
import subprocess
import zlib
from typing import TYPE_CHECKING

from isotherm_local.backends import mongodb_native, mysql_native
from isotherm_local.backends.server import MongodbServer, MysqlServer, mongodb_answers, mysql_answers
from isotherm_local.errors import BackendUnavailable
from isotherm_local.ports import HOST
from isotherm_local.process import ProcessSpec
from isotherm_local.secrets import secret_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MYSQL_IMAGE = "mysql:9.7"
MONGODB_IMAGE = "mongo:8.0"
_PULL_SECONDS = 900


def prepare_mysql(folder: Path, port: int, *, secrets: Path, logs: Path) -> MysqlServer:
    """Pull the image and return how to start MySQL on the data in `folder`.

    Raises:
        BackendUnavailable: there is no image.
    """
    _pull(MYSQL_IMAGE)
    password_file = secret_file(secrets, "mysql-root")
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    name = container_name("mysql", folder)
    options = [
        f"--publish={HOST}:{port}:{port}",
        f"--volume={data}:/var/lib/mysql",
        # By the environment: the image reads a file as its own user, who may not read one that is ours alone.
        "--env=MYSQL_ROOT_PASSWORD",
    ]
    spec = ProcessSpec(
        name="mysql",
        command=_run(name, options, MYSQL_IMAGE, (*mysql_native.SERVER_OPTIONS, f"--port={port}")),
        log_folder=logs,
        environment={**os.environ, "MYSQL_ROOT_PASSWORD": password_file.read_text(encoding="ascii")},
        ready=lambda: mysql_answers(port, password_file),
        ready_seconds=180.0,
        stop_seconds=40.0,
        before_start=_remover(name),
        after_end=_remover(name),
    )
    return MysqlServer(f"MySQL (Docker, {MYSQL_IMAGE})", port, password_file, spec)


def prepare_mongodb(folder: Path, port: int, *, logs: Path) -> MongodbServer:
    """Pull the image and return how to start MongoDB on the data in `folder`.

    Raises:
        BackendUnavailable: there is no image.
    """
    _pull(MONGODB_IMAGE)
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    name = container_name("mongodb", folder)
    # The port is the same inside: the replica set's only member must find itself under its own address.
    options = [f"--publish={HOST}:{port}:{port}", f"--volume={data}:/data/db"]
    arguments = ("--port", str(port), "--bind_ip_all", *mongodb_native.SERVER_OPTIONS)
    spec = ProcessSpec(
        name="mongodb",
        command=_run(name, options, MONGODB_IMAGE, arguments),
        log_folder=logs,
        ready=lambda: mongodb_answers(port) and mongodb_native.keep_member(port),
        ready_seconds=120.0,
        stop_seconds=40.0,
        before_start=_remover(name),
        after_end=_remover(name),
    )
    return MongodbServer(f"MongoDB (Docker, {MONGODB_IMAGE})", port, spec)


def container_name(what: str, folder: Path) -> str:
    """Return a name that is the same for the same data and differs from that of another copy of the project."""
    return f"isotherm-{what}-{zlib.crc32(str(folder).encode()):08x}"


def _run(name: str, options: list[str], image: str, arguments: tuple[str, ...]) -> list[str]:
    # Root's containers begin as root and change to the image's own user; anybody else's are this person from the start.
    user = [] if os.getuid() == 0 else [f"--user={os.getuid()}:{os.getgid()}"]
    return ["docker", "run", "--rm", f"--name={name}", *user, *options, image, *arguments]


def _remover(name: str) -> Callable[[], None]:
    """Return what removes a container: the client that ran it may have been killed alone."""

    def remove() -> None:
        subprocess.run(["docker", "rm", "--force", name], capture_output=True, check=False)  # noqa: S603, S607

    return remove


def _pull(image: str) -> None:
    def docker(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["docker", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=_PULL_SECONDS, check=False)  # noqa: S603

    try:
        if docker("image", "inspect", image).returncode == 0:
            return
        result = docker("pull", "--quiet", image)
    except (OSError, subprocess.TimeoutExpired) as error:
        message = f"Docker is not used: it cannot get {image} ({error})."
        raise BackendUnavailable(message) from error
    if result.returncode:
        reason = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
        message = f"Docker is not used: it cannot get {image} ({reason})."
        raise BackendUnavailable(message)
