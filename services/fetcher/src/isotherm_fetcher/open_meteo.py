"""Open-Meteo over HTTP: one request at a time, its failures sorted by what they mean for the run."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import httpx

from isotherm_fetcher import __version__, query
from isotherm_fetcher.errors import MinuteLimit, UpstreamError, UpstreamRefused, UpstreamTransient, WindowLimit
from isotherm_fetcher.parse import Parsed, UnusableAnswer, parse, reason

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from isotherm_fetcher.rows import Location, Source
    from isotherm_fetcher.settings import OpenMeteoSettings

SIMULATOR_HEADER = "X-Isotherm-Simulator"
_PATH = "/v1/forecast"
_MAXIMUM_BODY_BYTES = 256 * 1024 * 1024
_VALID_SECONDS_BEFORE = 6 * 3600
_VALID_SECONDS_AFTER = 3600
_SERVER_ERRORS = range(500, 600)
_TRANSIENT_CLIENT_ERRORS = frozenset({408, 425})
_TOO_MANY_REQUESTS = 429


@dataclass(frozen=True)
class Answer:
    """What was answered to one request.

    Attributes:
        parsed: what it holds.
        source: who answered.
        fetched_at: Unix seconds.
    """

    parsed: Parsed
    source: Source
    fetched_at: float


class OpenMeteo:
    """A client of one server.

    Args:
        settings: where it is.
        transport: instead of the network.
        clock: Unix seconds.
    """

    def __init__(
        self,
        settings: OpenMeteoSettings,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._client = httpx.Client(
            base_url=settings.url,
            transport=transport,
            timeout=httpx.Timeout(settings.timeout_seconds, connect=min(10.0, settings.timeout_seconds)),
            limits=httpx.Limits(max_connections=1),
            headers={"User-Agent": f"isotherm-fetcher/{__version__}"},
            follow_redirects=False,
        )

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fetch(self, locations: Sequence[Location]) -> Answer:
        """Ask for the weather of `locations`, in one request.

        Raises:
            UpstreamError: it failed; the kind of error says what to do.
            UpstreamRefused: asking again would change nothing.
        """
        form = query.parameters(locations)
        if self._settings.api_key is not None:
            form["apikey"] = self._settings.api_key.value
        try:
            response = self._post(form)
        except httpx.HTTPError as error:
            raise _without_answer(error, self._settings.url) from error
        text = response.text
        if response.status_code != httpx.codes.OK:
            raise _refusal(response.status_code, reason(text) or text.strip()[:200] or response.reason_phrase)
        source: Source = "simulator" if SIMULATOR_HEADER in response.headers else "open-meteo"
        return Answer(self._parsed(text, locations, source), source, self._clock())

    def _post(self, form: dict[str, str]) -> httpx.Response:
        """Return the whole answer; an overall deadline, which httpx does not have, bounds a trickling body."""
        deadline = time.monotonic() + self._settings.timeout_seconds
        with self._client.stream("POST", _PATH, data=form) as response:
            body = bytearray()
            for piece in response.iter_bytes():
                body += piece
                if time.monotonic() > deadline:
                    message = f"the answer was not whole after {self._settings.timeout_seconds:g} s"
                    raise httpx.ReadTimeout(message)
                if len(body) > _MAXIMUM_BODY_BYTES:
                    message = f"the answer is longer than {_MAXIMUM_BODY_BYTES} bytes"
                    raise httpx.DecodingError(message)
        headers = [(name, value) for name, value in response.headers.items() if name.lower() not in _TRANSPORT_HEADERS]
        return httpx.Response(response.status_code, headers=headers, content=bytes(body))

    def _parsed(self, text: str, locations: Sequence[Location], source: Source) -> Parsed:
        now = self._clock()
        # The simulator's clock may run faster than ours; the weather's own time must agree with it.
        within = None if source == "simulator" else (now - _VALID_SECONDS_BEFORE, now + _VALID_SECONDS_AFTER)
        try:
            return parse(text, locations, within)
        except UnusableAnswer as error:
            raise UpstreamTransient(str(error), status="error", cost=None) from error


_TRANSPORT_HEADERS = frozenset({"content-encoding", "content-length", "transfer-encoding"})


def _without_answer(error: httpx.HTTPError, url: str) -> UpstreamTransient:
    """Return the error of a request that has no whole answer; it may have been computed, and counted, all the same."""
    what = f"no whole answer from {url}: {str(error) or type(error).__name__}"
    cost = 1 if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout) else None
    return UpstreamTransient(what, status="error", cost=cost)


def _refusal(status: int, why: str) -> UpstreamError | UpstreamRefused:
    """Sort an answer that is not 200 by what to do about it."""
    if status == _TOO_MANY_REQUESTS:
        if why.startswith("Minutely"):
            return MinuteLimit(why, status=str(status))
        if why.startswith("Hourly"):
            return WindowLimit(why, "hour")
        if why.startswith(("Daily", "Monthly")):
            return WindowLimit(why, "day")
    if status == _TOO_MANY_REQUESTS or status in _SERVER_ERRORS or status in _TRANSIENT_CLIENT_ERRORS:
        return UpstreamTransient(f"{status}: {why}", status=str(status))
    return UpstreamRefused(why, str(status))
