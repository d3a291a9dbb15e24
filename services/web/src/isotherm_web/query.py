"""Reading the parameters of a request."""

from __future__ import annotations

import datetime as dt

from quart import request

from isotherm_web.errors import BadQuery
from isotherm_web.models import LATEST_TIME

_SHOWN_CHARACTERS = 40


def integer_parameter(name: str, what: str, most: int) -> int | None:
    """Return a whole number from 0 to `most`, None when it is not given.

    Raises:
        BadQuery: it is something else than `what`.
    """
    text = request.args.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and int(text) <= most):
        message = f"{name} must be {what}, not {text[:_SHOWN_CHARACTERS]!r}."
        raise BadQuery(message)
    return int(text)


def seconds_parameter(name: str) -> int | None:
    """Return a time in Unix seconds."""
    return integer_parameter(name, "a time in Unix seconds", LATEST_TIME)


def time_parameter(name: str) -> dt.datetime | None:
    """Return the same as a moment."""
    seconds = seconds_parameter(name)
    return None if seconds is None else dt.datetime.fromtimestamp(seconds, dt.UTC)
