"""What several tests of a real web process share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from web_support.web_process import WebProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from isotherm_local.harness import Mongodb


@pytest.fixture(params=["true", "false"], ids=["direct", "asgi"])
def make_web(request: pytest.FixtureRequest, mongodb: Mongodb, cdc: Any) -> Iterator[Callable[..., Any]]:
    """Makes web processes over the database of the module's `cdc`, with either way to write; they end with the test."""
    made: list[Any] = []

    def make(**settings: str) -> Any:
        made.append(WebProcess(mongodb.uri, cdc.db.name, **{"WEB_DIRECT_WRITER": request.param, **settings}))
        return made[-1]

    yield make
    for web in made:
        web.stop()
