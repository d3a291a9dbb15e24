"""Secrets, locks and the environment that processes get."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from isotherm_local import lock, process
from isotherm_local.backends.docker import container_name
from isotherm_local.errors import AlreadyRunning
from isotherm_local.secrets import secret, secret_file
from isotherm_local.stack import inherited

if TYPE_CHECKING:
    from pathlib import Path


def test_a_secret_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    """The second run finds the password that the database was made with."""
    file = secret_file(tmp_path / "secrets", "mysql-root")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert secret(tmp_path / "secrets", "mysql-root") == file.read_text()
    assert len(file.read_text()) >= 32
    assert secret(tmp_path / "secrets", "mysql-cdc") != file.read_text()


def test_a_second_run_on_the_same_data_is_refused_with_the_first_ones_number(tmp_path: Path) -> None:
    """It would start a second server on the files of the first."""
    program = (
        "import sys, pathlib\nfrom isotherm_local import lock\n"
        "with lock.exclusive(pathlib.Path(sys.argv[1])):\n print('held', flush=True)\n sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(AlreadyRunning, match=f"process {holder.pid}"), lock.exclusive(tmp_path):
            pytest.fail("it was not refused")
        holder.kill()
    with lock.exclusive(tmp_path):
        assert (tmp_path / "lock").read_text() == str(os.getpid())


def test_settings_that_point_elsewhere_are_not_inherited() -> None:
    """A MYSQL_HOST of the person's shell is another project's; a FETCHER_ setting is meant for us."""
    given = {"PATH": "/bin", "MYSQL_HOST": "db", "MONGODB_URI": "x", "METRICS_PORT": "1", "FETCHER_STEP_DEGREES": "5"}
    assert inherited(given) == {"PATH": "/bin", "FETCHER_STEP_DEGREES": "5"}


def test_the_end_of_a_log_begins_at_the_last_start(tmp_path: Path) -> None:
    """What an earlier run said does not explain this one's end."""
    log = tmp_path / "x.log"
    log.write_text("old\n" + "".join(f"{number}\n" for number in range(20)))
    assert process.tail(log, 2) == "18\n19"
    assert process.tail(log, 100, since=4).splitlines()[0] == "0"
    assert process.tail(tmp_path / "none.log") == ""


def test_a_container_belongs_to_one_copy_of_the_project(tmp_path: Path) -> None:
    """The name is the same for the same data, and another for other data."""
    assert container_name("mysql", tmp_path) == container_name("mysql", tmp_path)
    assert container_name("mysql", tmp_path) != container_name("mysql", tmp_path / "other")
