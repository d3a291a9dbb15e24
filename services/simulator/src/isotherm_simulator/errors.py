"""What a request can be refused with.

Error tree::

    Exception
    └── RefusedError               answered as {"error": true, "reason": …}
        ├── BadRequestError        400: a parameter is wrong
        ├── LimitExceededError     429: a window's weight is spent, or too many requests at once
        └── OverloadedError        503
"""

from __future__ import annotations


class RefusedError(Exception):
    """A request that is answered with a reason instead of weather; the message is the reason."""

    status = 500


class BadRequestError(RefusedError):
    """A parameter is wrong."""

    status = 400


class LimitExceededError(RefusedError):
    """A quota window's weight is spent, or too many requests run at once."""

    status = 429


class OverloadedError(RefusedError):
    """The service says that it is overloaded."""

    status = 503
