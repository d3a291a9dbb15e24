"""Hello and ping, shared among the clients of one second."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isotherm_web.encoding import decode
from isotherm_web.greetings import Greetings
from isotherm_web.protocol import Hello, Ping
from isotherm_web.shapes import View

if TYPE_CHECKING:
    from isotherm_web.state import GridState


def test_one_for_everyone_within_a_second(state: GridState) -> None:
    """The same question in the same second has the same answer; the next second, state and view have their own."""
    greetings = Greetings("1", 60)
    view = View(state.geometry)
    first = greetings.hello("resumed", state, view, 1000.2)
    assert greetings.hello("resumed", state, view, 1000.9) is first
    assert greetings.hello("snapshot", state, view, 1000.9) is not first
    assert greetings.hello("resumed", state, View(state.geometry, (0,)), 1000.9) is not first
    ping = greetings.ping(state, 1000.9)
    assert greetings.ping(state, 1000.9) is ping
    state.seq += 1
    moved = decode(greetings.hello("resumed", state, view, 1000.9).payload)
    later = decode(greetings.ping(state, 1001.0).payload)
    assert isinstance(moved, Hello)
    assert (moved.seq, moved.server_time) == (42, 1000)
    assert later == Ping(42, 1001)
    back = decode(greetings.ping(state, 10.0).payload)
    assert back == Ping(42, 10), "a clock that is set back is believed"
