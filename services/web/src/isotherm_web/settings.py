"""Settings of the web service: the only reader of its environment."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from isotherm_common.observability import ObservabilitySettings
from isotherm_common.settings import LogSettings, MongodbSettings, group, setting
from isotherm_common.tracing import TracingSettings


def _bad_origin(origins: tuple[str, ...]) -> str | None:
    for origin in origins:
        parts = urlsplit(origin)
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path or parts.query:
            return f"must list origins such as https://weather.example.org, not {origin!r}"
    return None


def _bad_network(networks: tuple[str, ...]) -> str | None:
    for network in networks:
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError:
            return f"must list addresses or networks such as 10.0.0.0/8, not {network!r}"
    return None


@dataclass(frozen=True)
class WebObservabilitySettings(ObservabilitySettings):
    """Where metrics and health are served."""

    port: int = setting("METRICS_PORT", default=9103, minimum=0, maximum=65535, help="Their port; 0: any free one.")


@dataclass(frozen=True)
class ServerSettings:
    """The public port and who may use it."""

    host: str = setting("WEB_HOST", default="0.0.0.0", help="Address that the page is served on.")  # noqa: S104
    port: int = setting("WEB_PORT", default=5000, minimum=0, maximum=65535, help="Its port; 0: any free one.")
    allowed_origins: tuple[str, ...] = setting(
        "WEB_ALLOWED_ORIGINS",
        default=(),
        check=_bad_origin,
        help="Origins whose pages may open the websocket, besides the page's own host (comma-separated).",
    )
    trusted_proxies: tuple[str, ...] = setting(
        "WEB_TRUSTED_PROXIES",
        default=(),
        check=_bad_network,
        help="Addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed "
        "(comma-separated); from anyone else these headers are ignored.",
    )
    cors_origins: tuple[str, ...] = setting(
        "WEB_CORS_ORIGINS",
        default=(),
        check=_bad_origin,
        help="Origins whose pages may read the HTTP API (comma-separated); none without it.",
    )
    frame_origins: tuple[str, ...] = setting(
        "WEB_FRAME_ORIGINS",
        default=(),
        check=_bad_origin,
        help="Origins whose pages may show this one in a frame, as with `?embed=1` (comma-separated), besides its own.",
    )
    requests_per_second: float = setting(
        "WEB_REQUESTS_PER_SECOND",
        default=20.0,
        minimum=0.1,
        help="Requests a second that one address may send to the HTTP API in the long run.",
    )
    request_burst: int = setting(
        "WEB_REQUEST_BURST",
        default=200,
        minimum=1,
        help="Requests that one address may send to the HTTP API at once: many people can share one address.",
    )
    request_timeout_seconds: float = setting(
        "WEB_REQUEST_TIMEOUT_SECONDS",
        default=10.0,
        minimum=0.1,
        help="How long a request may take to arrive whole, a websocket's handshake too, in seconds. As long a client may read "
        "nothing of an answer.",
    )
    direct_writer: bool = setting(
        "WEB_DIRECT_WRITER",
        default=True,
        help="Whether websockets are opened and written to below ASGI: a fraction of the CPU time and memory for each client, "
        "and compressed messages. Off, each goes through Quart and uvicorn.",
    )
    drain_seconds: float = setting(
        "WEB_DRAIN_SECONDS",
        default=20.0,
        minimum=0,
        maximum=3600,
        help="How long the end of the process may take, in seconds: clients are closed in steps so that they do not "
        "all reconnect at once. Keep it below the time after which the process is killed.",
    )


@dataclass(frozen=True)
class HubSettings:
    """What clients get and what they may do."""

    maximum_connections: int = setting(
        "WEB_MAX_CONNECTIONS", default=12_000, minimum=1, help="Websockets of this process at most."
    )
    maximum_connections_per_address: int = setting(
        "WEB_MAX_CONNECTIONS_PER_ADDRESS",
        default=100,
        minimum=1,
        help="Websockets from one address (of IPv6: from one /64 network) at most: many people can share one, so it is not small.",
    )
    ping_interval_seconds: float = setting(
        "WEB_PING_INTERVAL_SECONDS",
        default=20.0,
        minimum=0.1,
        help="How often each client is pinged, in seconds (10 % earlier or later by chance); below the idle limit of "
        "every usual proxy.",
    )
    silent_after_seconds: float = setting(
        "WEB_SILENT_AFTER_SECONDS",
        default=60.0,
        minimum=0.1,
        help="A client that has said nothing for this many seconds is closed: three pings missed.",
    )
    resume_timeout_seconds: float = setting(
        "WEB_RESUME_TIMEOUT_SECONDS",
        default=10.0,
        minimum=0.1,
        help="How long a new connection may take to send its resume, in seconds.",
    )
    slow_after_seconds: float = setting(
        "WEB_SLOW_AFTER_SECONDS",
        default=10.0,
        minimum=0.1,
        help="A client to which one message cannot be written within this many seconds is closed as too slow.",
    )
    catch_up_seconds: float = setting(
        "WEB_CATCH_UP_SECONDS",
        default=10.0,
        minimum=0.1,
        help="How long a client that is ahead of this process is held, in seconds, before it is sent to another.",
    )
    inbound_messages_per_second: float = setting(
        "WEB_INBOUND_MESSAGES_PER_SECOND",
        default=2.0,
        minimum=0.1,
        help="Messages a second that one client may send in the long run; the protocol needs one in 20 s.",
    )
    inbound_burst: int = setting(
        "WEB_INBOUND_BURST", default=20, minimum=1, help="Messages that one client may send at once."
    )
    stale_after_seconds: int = setting(
        "WEB_STALE_AFTER_SECONDS",
        default=10_800,
        minimum=1,
        help="Data older than this many seconds is shown as stale. Three hours: a free quota sweeps the default grid "
        "in 90 minutes, and a sweep may fail once.",
    )


@dataclass(frozen=True)
class FeedSettings:
    """How MongoDB is followed."""

    coalesce_ms: int = setting(
        "WEB_COALESCE_MS",
        default=100,
        minimum=0,
        maximum=10_000,
        help="Milliseconds between two deltas at least; what changes meanwhile leaves as one.",
    )
    pipeline: str | None = setting(
        "WEB_CDC_PIPELINE",
        default=None,
        help="The _id of the CDC's checkpoint to follow; without it, the only one in _cdc_checkpoints.",
    )


@dataclass(frozen=True)
class Settings:
    """All settings of `isotherm-web`."""

    server: ServerSettings = group(ServerSettings)
    hub: HubSettings = group(HubSettings)
    feed: FeedSettings = group(FeedSettings)
    mongodb: MongodbSettings = group(MongodbSettings)
    observability: WebObservabilitySettings = group(WebObservabilitySettings)
    log: LogSettings = group(LogSettings)
    tracing: TracingSettings = group(TracingSettings)
