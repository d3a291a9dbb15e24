"""Where the weather comes from when nobody has said so: Open-Meteo if it can be reached."""

from __future__ import annotations

import urllib.error
import urllib.request
from http import HTTPStatus

OPEN_METEO_URL = "https://api.open-meteo.com"
_SECONDS = 4.0


def open_meteo_problem(url: str = OPEN_METEO_URL, seconds: float = _SECONDS) -> str | None:
    """Ask for one value; return why that is not to be had, or None."""
    request = urllib.request.Request(f"{url}/v1/forecast?latitude=0&longitude=0&current=temperature_2m")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:  # noqa: S310 - the address is http(s)
            return None if b'"temperature_2m"' in answer.read(65_536) else "it answers something else"
    except urllib.error.HTTPError as error:
        # Too many requests: it is there, and the fetcher knows how to wait.
        return None if error.code == HTTPStatus.TOO_MANY_REQUESTS else f"it answers {error.code}"
    except urllib.error.URLError as error:
        return str(getattr(error.reason, "strerror", None) or error.reason)
    except OSError as error:
        return str(error)
