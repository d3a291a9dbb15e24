"""Who is connected, and whether one more may be (contract W10). Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from isotherm_web.addresses import household
from isotherm_web.clients import Client, Closing, Phase
from isotherm_web.protocol import CloseCode

if TYPE_CHECKING:
    from isotherm_web.settings import HubSettings


class Roster:
    """The connections of a process, counted by address.

    Attributes:
        clients: the connections, in the order in which they came.
    """

    def __init__(self, settings: HubSettings) -> None:
        self.clients: dict[Client, None] = {}
        self._settings = settings
        self._addresses: Counter[str] = Counter()
        self._draining = False

    def refusal(self, address: str) -> Closing | None:
        """Return why a further connection from `address` is closed at once, or None."""
        if self._draining:
            return Closing(CloseCode.RESTARTING, "this server is restarting: connect again")
        if len(self.clients) >= self._settings.maximum_connections:
            return Closing(CloseCode.TOO_MANY_CONNECTIONS, "this server has as many connections as it may")
        if self._addresses[household(address)] >= self._settings.maximum_connections_per_address:
            return Closing(CloseCode.TOO_MANY_CONNECTIONS, "your address has as many connections as it may")
        return None

    def add(self, client: Client) -> None:
        """Take in a connection."""
        self.clients[client] = None
        self._addresses[client.address] += 1

    def remove(self, client: Client) -> bool:
        """Forget a connection; answer whether it was here."""
        if client not in self.clients:
            return False
        del self.clients[client]
        self._addresses[client.address] -= 1
        if not self._addresses[client.address]:
            del self._addresses[client.address]
        return True

    def begin_drain(self) -> list[Client]:
        """Refuse new connections from now on; return those that are to be closed."""
        self._draining = True
        return [client for client in self.clients if client.phase is not Phase.CLOSED]
