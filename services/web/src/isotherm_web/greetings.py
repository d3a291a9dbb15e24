"""Hello and ping: they say what time it is, so each is encoded once a second and not once a client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from isotherm_web.clients import Outgoing
from isotherm_web.encoding import encode_control
from isotherm_web.protocol import PROTOCOL, Hello, Ping

if TYPE_CHECKING:
    from isotherm_web.shapes import View
    from isotherm_web.state import GridState

    Mode = Literal["resumed", "snapshot"]


class Greetings:
    """Makes them for all clients."""

    def __init__(self, version: str, stale_after_seconds: int) -> None:
        self._version = version
        self._stale_after_seconds = stale_after_seconds
        self._second = 0
        self._hellos: dict[tuple[Mode, str, int, str, tuple[int, ...]], Outgoing] = {}
        self._pings: dict[int, Outgoing] = {}

    def hello(self, mode: Mode, state: GridState, view: View, now: float) -> Outgoing:
        """Return the hello of a client that gets a view; `now` is the wall clock's."""
        self._pass(now)
        key = (mode, state.stream, state.seq, view.geometry.name, view.layers)
        hello = self._hellos.get(key)
        if hello is None:
            message = Hello(
                protocol=PROTOCOL,
                stream=state.stream,
                seq=state.seq,
                mode=mode,
                geometry=view.geometry.name,
                layers=view.layer_names,
                server_time=self._second,
                stale_after_seconds=self._stale_after_seconds,
                version=self._version,
            )
            hello = self._hellos[key] = Outgoing("hello", encode_control(message))
        return hello

    def ping(self, state: GridState, now: float) -> Outgoing:
        """Return the ping of this second."""
        self._pass(now)
        ping = self._pings.get(state.seq)
        if ping is None:
            ping = self._pings[state.seq] = Outgoing("ping", encode_control(Ping(state.seq, self._second)))
        return ping

    def _pass(self, now: float) -> None:
        """Forget what was said in another second."""
        second = int(now)
        if second != self._second:
            self._second = second
            self._hellos.clear()
            self._pings.clear()
