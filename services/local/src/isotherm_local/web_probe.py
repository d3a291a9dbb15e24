"""Asks the services over HTTP how they are."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass

from isotherm_local.ports import HOST

_SECONDS = 3.0


@dataclass(frozen=True)
class Grid:
    """How much of the map has data.

    Attributes:
        shown: cells that have a temperature.
        total: all cells; of a page that is being filled, those that it knows by now.
        newest: when the newest of them was fetched, in Unix seconds; 0: none was.
    """

    shown: int
    total: int
    newest: float


def is_ready(port: int) -> bool:
    """Whether the service whose metrics and health are on `port` says that it is ready."""
    return _get(port, "/readyz", _SECONDS)[0] == http.client.OK


def answers(port: int) -> bool:
    """Whether the page on `port` can be opened."""
    return _get(port, "/", _SECONDS)[0] == http.client.OK


def read_grid(port: int) -> Grid | None:
    """Return how much of the map the page on `port` shows, None while it cannot tell."""
    status, body = _get(port, "/api/v1/grid", _SECONDS)
    if status != http.client.OK:
        return None
    grid = json.loads(body)
    values = grid["layers"]["temperature_2m"]
    fetched = [seconds for seconds in grid["fetched_at"] if seconds]
    return Grid(sum(value is not None for value in values), len(values), max(fetched, default=0.0))


def _get(port: int, path: str, seconds: float) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(HOST, port, timeout=seconds)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()
