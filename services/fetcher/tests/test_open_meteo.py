from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import httpx
import pytest

import fetcher_answers as answers
from isotherm_common.settings import Secret
from isotherm_fetcher.errors import MinuteLimit, UpstreamError, UpstreamRefused, UpstreamTransient, WindowLimit
from isotherm_fetcher.open_meteo import Answer, OpenMeteo
from isotherm_fetcher.rows import Location
from isotherm_fetcher.settings import OpenMeteoSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PLACES = [Location(1, 10.0, 20.0), Location(2, -20.5, 30.12345)]
NOW = answers.VALID_AT + 500.0


def fetch(
    handler: Callable[[httpx.Request], httpx.Response], settings: OpenMeteoSettings | None = None, now: float = NOW
) -> Answer:
    transport = httpx.MockTransport(handler)
    with OpenMeteo(settings or OpenMeteoSettings(), transport=transport, clock=lambda: now) as upstream:
        return upstream.fetch(PLACES)


def answering(response: httpx.Response) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: response


def good(**headers: str) -> httpx.Response:
    return httpx.Response(200, text=answers.body(PLACES), headers=headers)


def test_many_points_are_one_post_of_ten_variables() -> None:
    """Everything that is stored comes in one request at the weight of one a location."""
    requests: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return good()

    answer = fetch(handler)
    (request,) = requests
    assert (request.method, str(request.url)) == ("POST", "https://api.open-meteo.com/v1/forecast")
    form = {name: value for name, (value,) in parse_qs(request.content.decode()).items()}
    assert form == {
        "latitude": "10.00000,-20.50000",
        "longitude": "20.00000,30.12345",
        "current": "temperature_2m,wind_speed_10m,wind_direction_10m,wind_gusts_10m,relative_humidity_2m,pressure_msl,weather_code",
        "hourly": "temperature_2m,wind_speed_10m,wind_direction_10m",
        "past_hours": "24",
        "forecast_hours": "48",
        "wind_speed_unit": "ms",
        "timeformat": "unixtime",
        "cell_selection": "nearest",
    }
    assert [weather.location_id for weather in answer.parsed.weather] == [1, 2]
    assert answer.fetched_at == NOW


@pytest.mark.contract("E7")
def test_the_source_is_what_the_answer_says_of_itself() -> None:
    """A simulated answer has a header; the address says nothing."""
    assert fetch(answering(good())).source == "open-meteo"
    assert fetch(answering(good(**{"X-Isotherm-Simulator": "1"}))).source == "simulator"


def test_weather_hours_from_now_is_refused_unless_it_is_simulated() -> None:
    """The simulator's clock may run faster than ours, the real weather's may not."""
    late = NOW + 86_400
    assert [failure.location_id for failure in fetch(answering(good()), now=late).parsed.failures] == [1, 2]
    simulated = fetch(answering(good(**{"X-Isotherm-Simulator": "1"})), now=late)
    assert len(simulated.parsed.weather) == 2


def test_a_customers_key_goes_into_the_body() -> None:
    """Never into the address, which proxies log."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return good()

    settings = OpenMeteoSettings(url="https://customer-api.open-meteo.com", api_key=Secret("k3y"))
    fetch(handler, settings)
    assert b"apikey=k3y" in seen[0].content
    assert "k3y" not in str(seen[0].url)


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("minutely_limit.json", MinuteLimit, "Minutely API request limit exceeded"),
        ("too_many_concurrent.json", UpstreamTransient, "429: Too many concurrent requests"),
        ("overloaded.json", UpstreamTransient, "503: The service is overloaded"),
    ],
)
def test_refusals_for_now_are_sorted_by_what_to_do(name: str, kind: type[UpstreamError], message: str) -> None:
    """Each costs one point, and its reason is kept."""
    example = answers.fixture(name)
    with pytest.raises(kind, match=message) as caught:
        fetch(answering(httpx.Response(example["status"], json=example["body"])))
    assert (caught.value.status, caught.value.cost) == (str(example["status"]), 1)


@pytest.mark.parametrize(("name", "window"), [("hourly_limit.json", "hour"), ("daily_limit.json", "day")])
def test_a_spent_hour_or_day_names_its_window(name: str, window: str) -> None:
    """The run ends with it, so it must be known which boundary to wait for."""
    example = answers.fixture(name)
    with pytest.raises(WindowLimit) as caught:
        fetch(answering(httpx.Response(example["status"], json=example["body"])))
    assert caught.value.window == window


@pytest.mark.parametrize("name", ["bad_latitude.json", "too_many_locations.json"])
def test_a_wrong_request_is_permanent_and_gives_the_reason(name: str) -> None:
    """Asking again would only cost quota."""
    example = answers.fixture(name)
    with pytest.raises(UpstreamRefused) as caught:
        fetch(answering(httpx.Response(example["status"], json=example["body"])))
    assert example["body"]["reason"].rstrip(".") in str(caught.value)
    assert caught.value.exit_code == 64


@pytest.mark.parametrize("status", [301, 401, 403, 404])
def test_a_server_that_is_another_is_permanent(status: int) -> None:
    """A wrong address or key is a mistake in the settings."""
    with pytest.raises(UpstreamRefused, match=str(status)):
        fetch(answering(httpx.Response(status, text="<html>", headers={"Location": "http://elsewhere"})))


@pytest.mark.parametrize("status", [408, 429, 500, 502, 504])
def test_other_failures_of_a_server_may_pass(status: int) -> None:
    """A proxy in between has its own words, or none."""
    with pytest.raises(UpstreamTransient) as caught:
        fetch(answering(httpx.Response(status)))
    assert caught.value.status == str(status)


def test_a_broken_body_may_pass_but_has_cost_its_weight() -> None:
    """The server computed it; it counts as a request without a whole answer."""
    text = (answers.FIXTURES / "late_stream_error.txt").read_text(encoding="utf-8")
    with pytest.raises(UpstreamTransient, match="timeoutReached") as caught:
        fetch(answering(httpx.Response(200, text=text)))
    assert (caught.value.status, caught.value.cost) == ("error", None)


@pytest.mark.parametrize(
    ("error", "cost"),
    [
        (httpx.ConnectError("refused"), 1),
        (httpx.ConnectTimeout("late"), 1),
        (httpx.ReadTimeout("late"), None),
        (httpx.RemoteProtocolError("closed"), None),
    ],
)
def test_no_answer_may_pass(error: httpx.HTTPError, cost: int | None) -> None:
    """A request that may have been computed is taken to have been counted."""

    def handler(_: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(UpstreamTransient, match=str(error)) as caught:
        fetch(handler)
    assert (caught.value.status, caught.value.cost) == ("error", cost)


def test_a_trickling_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that sends a byte now and then does not hold a run for ever."""
    ticks = iter(range(0, 10_000, 20))
    monkeypatch.setattr("isotherm_fetcher.open_meteo.time.monotonic", lambda: float(next(ticks)))

    def trickle() -> Iterator[bytes]:
        while True:
            yield b" "

    with pytest.raises(UpstreamTransient, match="was not whole after 30 s"):
        fetch(answering(httpx.Response(200, content=trickle())))
