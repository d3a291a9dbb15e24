"""What lies below the application: a header on every answer, and answers that break off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

Message: TypeAlias = "MutableMapping[str, Any]"
Receive: TypeAlias = "Callable[[], Awaitable[Message]]"
Send: TypeAlias = "Callable[[Message], Awaitable[None]]"
Application: TypeAlias = "Callable[..., Awaitable[None]]"

SIMULATOR_HEADER = "X-Isotherm-Simulator"
"""Says that an answer is simulated (contract E7); its value is the version."""
DROP_HEADER = "X-Isotherm-Drop"
"""Set by the application on an answer whose connection is to break; it is not sent."""


class Wire:
    """Wraps an ASGI application.

    Args:
        application: what answers.
        version: what the simulator's header says.
    """

    def __init__(self, application: Application, version: str) -> None:
        self._application = application
        self._stamp = (SIMULATOR_HEADER.lower().encode(), version.encode())

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Pass a connection through."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        dropping = False

        async def stamped(message: Message) -> None:
            nonlocal dropping
            if message["type"] == "http.response.start":
                headers = [(name.lower(), value) for name, value in message.get("headers", [])]
                kept = [header for header in headers if header[0] != DROP_HEADER.lower().encode()]
                dropping = len(kept) < len(headers)
                message = {**message, "headers": [*kept, self._stamp]}
            elif dropping:
                # The length was announced; a server that sees less of the body come closes the connection.
                if message.get("body"):
                    await send({**message, "body": message["body"][:1], "more_body": True})
                return
            await send(message)

        await self._application(scope, receive, stamped)
