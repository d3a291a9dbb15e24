"""Who may open the websocket: the one place of its rules, whichever way a handshake is answered (contracts W10, W11)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from isotherm_web.clients import Closing
from isotherm_web.protocol import CloseCode, Format, choose_format
from isotherm_web.security import origin_allowed

if TYPE_CHECKING:
    from isotherm_web.hub import Hub
    from isotherm_web.settings import ServerSettings

PATH = "/ws"
"""Where the websocket is."""

_REMEMBERED_ORIGINS = 1024
_LONGEST_ORIGIN = 512
"""Characters; a host's name has 253 at most. What is longer is not worth remembering a thousand times."""


@dataclass(frozen=True, slots=True)
class Knock:
    """What a client says with its handshake.

    Attributes:
        origin: the Origin header.
        host: the host that it asks, without the port that goes without saying.
        scheme: `ws` or `wss`.
        offered: the subprotocols, in its order.
        address: where it comes from.
    """

    origin: str | None
    host: str
    scheme: str
    offered: list[str]
    address: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """The client may come in.

    Attributes:
        wire: the format that it gets.
    """

    wire: Format


@dataclass(frozen=True, slots=True)
class Refused:
    """The client may not.

    Attributes:
        closing: how the websocket is closed once it is open; None: it is not opened at all.
        wire: the format to name when it is opened.
        counted_as: the metric's reason, if it is counted.
    """

    closing: Closing | None = None
    wire: Format | None = None
    counted_as: str | None = None


class Admission:
    """Judges handshakes; changes nothing."""

    def __init__(self, hub: Hub, settings: ServerSettings) -> None:
        self._hub = hub
        self._allowed_origins = settings.allowed_origins

    def judge(self, knock: Knock) -> Admitted | Refused:
        """Return whether a client may come in."""
        too_long = max(len(knock.origin or ""), len(knock.host)) > _LONGEST_ORIGIN
        if too_long or not _origin_allowed(knock.origin, knock.host, knock.scheme, self._allowed_origins):
            return Refused(counted_as="origin")
        wire = choose_format(knock.offered)
        if wire is None:
            offer = " or ".join(member.value for member in Format)
            return Refused(Closing(CloseCode.PROTOCOL_ERROR, f"ask for the subprotocol {offer}"))
        closing = self._hub.refusal(knock.address)
        if closing is not None:
            return Refused(closing, wire, "draining" if closing.code is CloseCode.RESTARTING else "cap")
        return Admitted(wire)


# Ten thousand clients that come back at once are of few origins.
_origin_allowed = lru_cache(_REMEMBERED_ORIGINS)(origin_allowed)
