"""Clients of web processes that are killed at random, in a short form; `make soak-web` is the long one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from web_support.soak import Plan, soak

if TYPE_CHECKING:
    from isotherm_local.harness import Mongodb


@pytest.mark.contract("W3", "W6", "W12")
@pytest.mark.timeout(900)
async def test_no_client_is_ever_wrong(mongodb: Mongodb) -> None:
    """After every message a client holds the map exactly as of its seq, whoever served it and however that ended."""
    done = await soak(mongodb.uri, Plan(clients=40, processes=2, kills=3, seed=7))
    assert done.wrong == []
    assert done.seen["reconnections"] > 10
    assert done.seen["delta"] > 200
