"""What can go wrong in the web service.

Error tree::

    Exception
    ├── isotherm_common.process.ServiceError
    │   └── ConfigurationError      settings that cannot work: exit code 64
    └── WebError
        ├── StateLost               transient: the memory no longer follows MongoDB; load it anew
        ├── DatabaseUnavailable     transient: a request needs MongoDB and it does not answer; HTTP 503
        ├── ProtocolError           the client's fault: it is closed with code 4000
        └── RequestError            an HTTP request that is not answered with what it asked for
            ├── BadQuery            400: a parameter is wrong
            ├── NotFound            404: there is no such thing
            ├── TooManyRequests     429: this address has asked too often
            ├── NotLoaded           503: the map has not been loaded yet
            └── Unreadable          400, 408, 414, 431: it was refused before it was read whole
"""

from __future__ import annotations

RETRY_SECONDS = 5
"""When to ask again after something that passes by itself."""


class WebError(Exception):
    """The base of this service's own errors."""


class StateLost(WebError):  # noqa: N818 - it names what happened; loading anew mends it
    """The state in memory can no longer be kept equal to MongoDB by single events."""


class DatabaseUnavailable(WebError):  # noqa: N818 - it names what happened; it passes by itself
    """MongoDB does not answer a request."""


class ProtocolError(WebError):
    """A client sent something that the protocol does not know."""


class RequestError(WebError):
    """The message is what the problem document says.

    Attributes:
        status: the HTTP status.
        retry_seconds: when the same request may be answered; None when it never will be.
    """

    status = 500

    def __init__(self, detail: str, retry_seconds: int | None = None) -> None:
        super().__init__(detail)
        self.retry_seconds = retry_seconds


class BadQuery(RequestError):  # noqa: N818 - it names whose mistake it is
    """A query parameter is wrong; the message says what it must be."""

    status = 400


class NotFound(RequestError):  # noqa: N818 - HTTP's word
    """There is no such thing; the message says what."""

    status = 404


class TooManyRequests(RequestError):  # noqa: N818 - HTTP's words
    """An address has asked more often than it may."""

    status = 429

    def __init__(self, retry_seconds: int) -> None:
        super().__init__(f"Too many requests from this address: try again in {retry_seconds} s.", retry_seconds)


class NotLoaded(RequestError):  # noqa: N818 - it passes by itself
    """The map has not been loaded yet."""

    status = 503

    def __init__(self) -> None:
        super().__init__("The map has not been loaded from MongoDB yet: try again in a few seconds.", RETRY_SECONDS)


class Unreadable(RequestError):  # noqa: N818 - it names what is wrong with the request
    """A request does not come to the application: it is none, too long, or does not arrive whole."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
