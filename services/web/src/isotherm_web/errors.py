"""What can go wrong in the web service.

Error tree::

    Exception
    ├── isotherm_common.process.ServiceError
    │   └── ConfigurationError      settings that cannot work: exit code 64
    └── WebError
        ├── StateLost               transient: the memory no longer follows MongoDB; load it anew
        ├── DatabaseUnavailable     transient: a request needs MongoDB and it does not answer; HTTP 503
        └── ProtocolError           the client's fault: it is closed with code 4000
"""

from __future__ import annotations


class WebError(Exception):
    """The base of this service's own errors."""


class StateLost(WebError):  # noqa: N818 - it names what happened; loading anew mends it
    """The state in memory can no longer be kept equal to MongoDB by single events."""


class DatabaseUnavailable(WebError):  # noqa: N818 - it names what happened; it passes by itself
    """MongoDB does not answer a request."""


class ProtocolError(WebError):
    """A client sent something that the protocol does not know."""
