"""The HTTP API against its own description: whatever is asked, the answer is one that the document allows."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from prometheus_client import CollectorRegistry
from pymongo import MongoClient
from schemathesis.specs.openapi.checks import positive_data_acceptance

from isotherm_web.app import create_app
from isotherm_web.hub import Hub
from isotherm_web.metrics import Metrics
from isotherm_web.settings import HubSettings, ServerSettings
from web_support import fake_cdc
from web_support.web_process import WebProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isotherm_local.harness import Servers

FIRST = 1795449600


def _document() -> dict[str, Any]:
    hub = Hub(HubSettings(), Metrics(CollectorRegistry()), version="0")
    app = create_app(hub, None, Metrics(CollectorRegistry()), ServerSettings(), version="0")  # type: ignore[arg-type]
    document: dict[str, Any] = app.extensions["QUART_SCHEMA"].openapi_provider.schema()
    return {**document, "paths": dict(document["paths"])}


@pytest.fixture(scope="module")
def address(servers: Servers) -> Iterator[str]:
    """Where a web process serves three locations, one of them with a past and a forecast."""
    servers.ensure_running()
    with MongoClient(servers.mongodb.uri) as client:
        cdc = fake_cdc.FakeCdc(client, f"openapi_{secrets.token_hex(4)}").create()
        cdc.commit({"locations": [fake_cdc.location(number, 10.0, number) for number in (0, 1, 2)]})
        cdc.commit(
            {
                "weather_data": [fake_cdc.weather(1)],
                "weather_history": [fake_cdc.history(1, FIRST)],
                "weather_forecast": [fake_cdc.forecast(1, FIRST)],
            }
        )
        web = WebProcess(servers.mongodb.uri, cdc.db.name)
        try:
            yield web.start().url
        finally:
            web.stop()
            client.drop_database(cdc.db.name)


schema = schemathesis.openapi.from_dict(_document())


@pytest.mark.contract("H5", "H7", "H8", "H9")
@schema.parametrize()
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_answers_fit_the_document(case: Any, address: str) -> None:
    """Status, content type and shape of every answer are as described, whatever the parameters."""
    # How long a span of frames may be is a rule between parameters, which OpenAPI has no words for.
    excluded = [positive_data_acceptance] if case.path.endswith("/frames") else []
    case.call_and_validate(base_url=address, excluded_checks=excluded)
