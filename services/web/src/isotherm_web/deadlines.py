"""The rules of time (contracts W9, W10): how long a client may be silent, slow or undecided, and when it is pinged. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isotherm_web.clients import Closing, Phase
from isotherm_web.protocol import CloseCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from isotherm_web.clients import Client
    from isotherm_web.settings import HubSettings

_JITTER = 0.1
_HELD = frozenset((Phase.ASKING, Phase.WAITING))


class Deadlines:
    """Applies the rules to one client at a time."""

    def __init__(self, settings: HubSettings, uniform: Callable[[float, float], float]) -> None:
        """Prepare.

        Args:
            settings: how long each of it is.
            uniform: draws a number between two.
        """
        self._settings = settings
        self._uniform = uniform

    def ping_in(self) -> float:
        """Return after how many seconds a client is to be pinged: not all of them at once."""
        interval = self._settings.ping_interval_seconds
        return self._uniform(interval * (1 - _JITTER), interval * (1 + _JITTER))

    def broken(self, client: Client, now: float) -> Closing | None:
        """Return how a client that has broken a rule is closed; None: it has broken none."""
        settings = self._settings
        if client.writing_since is not None and now - client.writing_since > settings.slow_after_seconds:
            return Closing(CloseCode.TOO_SLOW, "too slow for the changes")
        if client.phase is Phase.CONNECTED and now - client.connected_at > settings.resume_timeout_seconds:
            return Closing(CloseCode.NO_RESUME, "no resume in time")
        if now - client.heard_at > settings.silent_after_seconds:
            return Closing(CloseCode.SILENT, "no answer to pings")
        if client.phase in _HELD and now > client.wait_until:
            return Closing(CloseCode.RESTARTING, "this server is behind: connect again")
        return None

    def look_at(self, client: Client) -> float:
        """Return when a rule may next apply to a client, so that a tick looks at few of them."""
        settings = self._settings
        look_at = min(client.heard_at + settings.silent_after_seconds, client.ping_at)
        if client.phase is Phase.CONNECTED:
            look_at = min(look_at, client.connected_at + settings.resume_timeout_seconds)
        elif client.phase in _HELD:
            look_at = min(look_at, client.wait_until)
        if client.writing_since is not None:
            look_at = min(look_at, client.writing_since + settings.slow_after_seconds)
        return look_at


def forgive(client: Client, seconds: float) -> None:
    """Let so much time count against a client no more: the process stood still, so that nothing of it could be heard."""
    client.heard_at += seconds
    client.connected_at += seconds
    client.wait_until += seconds
    if client.writing_since is not None:
        client.writing_since += seconds
