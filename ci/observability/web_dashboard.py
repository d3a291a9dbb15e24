"""The web server's dashboard."""

from __future__ import annotations

import limits
from panels import Limit, Query, Row, build, by, chosen, lines, number, process_row, rate, spread
from shared_panels import age_of_data, commit_to_broadcast

_FAILED = 'status=~"5.."'


def web() -> str:
    """Return the web server's dashboard."""
    healthy: Row = (
        "Is it healthy?",
        [
            number(
                "Following MongoDB",
                "The share of web servers that follow the change stream.",
                "percentunit",
                f"avg({chosen('isotherm_web_change_stream_connected')})",
                Limit(1, below=True),
            ),
            number(
                "Change stream silent for",
                "Since its last event; the CDC moves its checkpoint every 10 s.",
                "s",
                f"max({chosen('isotherm_web_change_stream_age_seconds')})",
                Limit(limits.WEB_STREAM_SECONDS),
            ),
            number(
                "Fullest pod",
                "Websockets of the fullest web server, of those that it may have.",
                "percentunit",
                f"max({by('instance', chosen('isotherm_web_clients'))} / {by('instance', chosen('isotherm_web_clients_limit'))})",
                Limit(limits.WEB_CLIENTS_RATIO),
            ),
            commit_to_broadcast(),
            number(
                "HTTP errors",
                "Requests answered with 5xx, within five minutes.",
                "percentunit",
                f"sum(increase({chosen('isotherm_web_http_requests_total', _FAILED, window='5m')})) / "
                f"sum(increase({chosen('isotherm_web_http_requests_total', window='5m')})) or vector(0)",
                Limit(limits.WEB_ERROR_RATIO),
            ),
            number(
                "Event loop late by",
                "How late the busiest web server's event loop has been within 15 seconds.",
                "s",
                f"max({chosen('isotherm_web_event_loop_lag_seconds')})",
                Limit(limits.WEB_LOOP_LAG_SECONDS),
            ),
        ],
        False,
    )
    http: Row = (
        "HTTP",
        [
            lines(
                "Requests by route",
                "Per second.",
                "reqps",
                Query(by("route", rate("isotherm_web_http_requests_total")), "{{route}}"),
            ),
            lines(
                "Answers by status",
                "Per second; limited: refused because their address asks too often.",
                "reqps",
                Query(by("status", rate("isotherm_web_http_requests_total")), "{{status}}"),
                Query(by("", rate("isotherm_web_http_requests_limited_total")), "limited"),
                stacked=True,
            ),
            lines(
                "Duration, p99, by route",
                "How long answers take.",
                "s",
                Query(
                    f"histogram_quantile(0.99, {by('le, route', rate('isotherm_web_http_request_seconds_bucket'))})",
                    "{{route}}",
                ),
            ),
        ],
        False,
    )
    sockets: Row = (
        "Websockets",
        [
            lines(
                "Clients",
                "Websockets open now, by pod and wire format.",
                "none",
                Query(by("instance, format", chosen("isotherm_web_clients")), "{{instance}} {{format}}"),
            ),
            lines(
                "Accepted and refused",
                "Connections per second; refused by reason.",
                "cps",
                Query(by("", rate("isotherm_web_connections_total")), "accepted"),
                Query(by("reason", rate("isotherm_web_connections_refused_total")), "refused: {{reason}}"),
            ),
            lines(
                "Closed by the server",
                "By close code (contract W10) per second, and those that were too slow.",
                "cps",
                Query(by("code", rate("isotherm_web_closes_total")), "{{code}}"),
                Query(by("", rate("isotherm_web_slow_clients_closed_total")), "too slow"),
            ),
            lines(
                "Resumes",
                "How clients go on: with what they missed, or with a whole snapshot.",
                "ops",
                Query(by("outcome", rate("isotherm_web_resumes_total")), "{{outcome}}"),
            ),
            lines(
                "Messages sent",
                "By type, per second.",
                "ops",
                Query(by("type", rate("isotherm_web_messages_sent_total")), "{{type}}"),
            ),
            lines(
                "Messages received",
                "By type, per second.",
                "ops",
                Query(by("type", rate("isotherm_web_messages_received_total")), "{{type}}"),
            ),
            lines(
                "Bytes sent",
                "By wire format, per second, as they are compressed, frame headers not counted.",
                "Bps",
                Query(by("format", rate("isotherm_web_sent_bytes_total")), "{{format}}"),
            ),
            lines(
                "Deltas published and coalesced",
                "Coalesced: merged into one that still waited for a slow client.",
                "ops",
                Query(by("", rate("isotherm_web_deltas_published_total")), "published"),
                Query(by("", rate("isotherm_web_deltas_coalesced_total")), "coalesced"),
            ),
            lines(
                "Handing out a delta, p99",
                "Time to hand one delta to all clients of a pod.",
                "s",
                Query(
                    f"histogram_quantile(0.99, {by('le, instance', rate('isotherm_web_publish_seconds_bucket'))})",
                ),
            ),
        ],
        False,
    )
    data: Row = (
        "From MongoDB",
        [
            spread(
                "Commit to broadcast",
                "Changes by the time from their commit in MySQL until they were handed to the browsers.",
                "s",
                "isotherm_web_commit_to_broadcast_seconds",
            ),
            lines(
                "Batches applied",
                "Complete batches of the CDC per second, and loads of the whole map.",
                "ops",
                Query(rate("isotherm_web_batches_total")),
                Query(by("instance, outcome", rate("isotherm_web_state_loads_total")), "{{instance}} load {{outcome}}"),
            ),
            lines(
                "Change stream silent for",
                "Since its last event.",
                "s",
                Query(chosen("isotherm_web_change_stream_age_seconds")),
                limit=Limit(limits.WEB_STREAM_SECONDS),
            ),
            lines(
                "Foreign changes",
                "Changes of the weather's collections that did not come from the CDC, per second.",
                "ops",
                Query(rate("isotherm_web_foreign_changes_total")),
            ),
            lines(
                "Cells",
                "Of the map, and those with data.",
                "none",
                Query(chosen("isotherm_web_cells"), "{{instance}} all"),
                Query(chosen("isotherm_web_cells_filled"), "{{instance}} with data"),
            ),
            lines(
                "Seq",
                "The last complete batch in each pod's map; all lines should be one.",
                "none",
                Query(chosen("isotherm_web_seq")),
            ),
            age_of_data(),
            lines(
                "Event loop late by",
                "How late each pod's event loop has been within 15 seconds.",
                "s",
                Query(chosen("isotherm_web_event_loop_lag_seconds")),
                limit=Limit(limits.WEB_LOOP_LAG_SECONDS),
            ),
        ],
        False,
    )
    return build(
        "isotherm-web",
        "Isotherm / Web",
        "The page's server: websockets, HTTP, and how it follows MongoDB.",
        "isotherm_web_seq",
        [healthy, http, sockets, data, process_row("web server", "isotherm_web_seq")],
    )
