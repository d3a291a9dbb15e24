"""The inbound side of the websocket under whatever a client may send, in virtual time."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from isotherm_web.clients import Phase
from isotherm_web.geometry import Location
from isotherm_web.hub import Hub
from isotherm_web.metrics import Metrics
from isotherm_web.protocol import CloseCode, Format
from isotherm_web.settings import HubSettings
from isotherm_web.state import GridState

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NEARLY = st.fixed_dictionaries(
    {"type": st.sampled_from(["resume", "subscribe", "pong", "ping", "hello", ""])},
    optional={
        "stream": st.none() | st.just("a" * 32) | st.text(max_size=40),
        "seq": st.integers(-2, 2**64) | ANYTHING,
        "geometry": st.none() | st.text("0123456789abcdef", min_size=16, max_size=16),
        "tile": st.sampled_from(["world", "n0", "west", "x"]) | ANYTHING,
        "layers": st.sampled_from(["all", "wind", "x"]) | ANYTHING,
        "more": ANYTHING,
    },
)
FRAMES = st.one_of(
    st.text(max_size=200),
    st.binary(max_size=200),
    ANYTHING.map(json.dumps),
    NEARLY.map(json.dumps),
    st.just('{"type":"resume","stream":null,"seq":0,"geometry":null}'),
)


@pytest.mark.contract("W10")
@given(frames=st.lists(st.tuples(FRAMES, st.floats(0, 3)), max_size=30))
def test_no_message_does_harm(frames: list[tuple[Any, float]]) -> None:
    """A client that sends rubbish is closed with a code of the contract; another one never notices."""
    hub = Hub(HubSettings(), Metrics(CollectorRegistry()), version="0", uniform=lambda low, high: (low + high) / 2)
    hub.replace(GridState("a" * 32, 5, locations={1: Location(1, 10.0, 10.0)}))
    witness = hub.connect(Format.JSON, "b", lambda: None, 0.0)
    hub.received(witness, '{"type":"resume","stream":null,"seq":0,"geometry":null}', 0.0)
    client = hub.connect(Format.BINARY, "a", lambda: None, 0.0)
    now = 0.0
    for frame, pause in frames:
        now += pause
        hub.received(client, frame, now)
        if pause >= 1:
            hub.received(witness, '{"type":"pong"}', now)
        hub.take(client, now)
        hub.tick(now)
    if client.phase is Phase.CLOSED:
        assert client.closing is not None
        assert client.closing.code in set(CloseCode)
        assert len(client.closing.reason) > 0
    assert len(hub.take(witness, now)) >= 3
    hub.disconnect(client)
    hub.disconnect(witness)
    assert not hub.clients
