"""What a MySQL server must be like for its changes to be captured."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

OLDEST_VERSION = (8, 0)
_NEEDED = {
    "log_bin": ("ON", "there is no binary log to read changes from; start the server with --log-bin"),
    "binlog_format": ("ROW", "the log would hold statements instead of rows; set binlog_format=ROW"),
    "binlog_row_image": ("FULL", "rows would be logged in part; set binlog_row_image=FULL"),
    "binlog_row_metadata": ("FULL", "column names would be missing from the log; set binlog_row_metadata=FULL"),
    "binlog_row_value_options": ("", "JSON values would be logged in part; set binlog_row_value_options=''"),
    "gtid_mode": (
        "ON",
        "a place in the log could not be found again; set gtid_mode=ON and enforce_gtid_consistency=ON",
    ),
}
_MAY_BE_ABSENT = frozenset({"binlog_format", "binlog_row_value_options"})
"""A server that no longer has the variable, or not yet, does the right thing always."""

VARIABLES = (*_NEEDED, "version", "version_comment", "partial_revokes")
"""The global variables to read."""


def problems(variables: Mapping[str, str]) -> list[str]:
    """Say everything that is wrong with a server, one sentence each.

    Args:
        variables: the global variables named in `VARIABLES`, as far as the server has them.
    """
    version = variables.get("version", "")
    if "mariadb" in f"{version} {variables.get('version_comment', '')}".lower():
        return [f"The server is MariaDB ({version}), whose binary log differs: use MySQL 8.0 or newer."]
    found = []
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < OLDEST_VERSION:
        found.append(f"The server is MySQL {version or 'of unknown version'}: 8.0 or newer is needed.")
    for name, (needed, why) in _NEEDED.items():
        value = variables.get(name)
        if value is None and name in _MAY_BE_ABSENT:
            continue
        if (value or "").upper() != needed:
            found.append(f"{name} is {value or 'not there'}: {why}.")
    return found


def described() -> list[str]:
    """Return the prerequisites as `name=value`, for people."""
    return ["MySQL 8.0 or newer", *(f"{name}={value or repr('')}" for name, (value, _) in _NEEDED.items())]
