"""How much of the whole map has data: what the page shows of the locations that MySQL has."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pymysql

from isotherm_local import web_probe

if TYPE_CHECKING:
    from isotherm_local.stack import Stack
    from isotherm_local.web_probe import Grid

_CONNECT_SECONDS = 2


def read_grid(stack: Stack) -> Grid | None:
    """Return how much of the map is shown, None while the page or MySQL cannot tell.

    The page alone does not know: while the locations arrive it shows those that are there, each with its data.
    """
    grid = web_probe.read_grid(stack.ports.page)
    if grid is None:
        return None
    try:
        return replace(grid, total=max(grid.total, _active_locations(stack)))
    except pymysql.Error:
        return None


def _active_locations(stack: Stack) -> int:
    parameters = stack.databases.mysql.parameters()
    connection = pymysql.connect(**parameters, database=stack.database, connect_timeout=_CONNECT_SECONDS)
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM locations WHERE active")
        row = cursor.fetchone()
        return int(row[0]) if row else 0
