"""The dashboards: one of the pipeline, one of each service.

The first row says whether all is well, with the alerts' limits; then what comes in and goes out, how often it fails and
how long it takes; then what is particular to the service; last, collapsed, the process itself.
"""

from __future__ import annotations

from typing import Any

import limits
from limits import FAST, OBJECTIVES, SLOW
from panels import Limit, Query, build, by, chosen, lines, number, process_row, quantiles, rate, spread

Row = tuple[str, list[Any], bool]


def pipeline() -> str:
    """Return the dashboard of the whole pipeline."""
    lag = chosen("isotherm_cdc_lag_seconds")
    healthy: Row = (
        "Is it healthy?",
        [
            number(
                "Age of the map",
                "The oldest value that browsers show; red where the page calls it old.",
                "s",
                f"max({chosen('isotherm_web_data_age_oldest_seconds')})",
                Limit(limits.MAP_STALE_SECONDS),
            ),
            number(
                "Map filled",
                "Cells with data of all cells.",
                "percentunit",
                f"min({chosen('isotherm_web_cells_filled')} / {chosen('isotherm_web_cells')})",
                Limit(limits.MAP_FILLED_RATIO, below=True),
            ),
            number(
                "Commit to broadcast, p99",
                "From the commit in MySQL until all browsers have been handed the change.",
                "s",
                f"histogram_quantile(0.99, {by('le', rate('isotherm_web_commit_to_broadcast_seconds_bucket'))})",
                Limit(limits.BROADCAST_SECONDS),
            ),
            number(
                "CDC lag",
                "How far MongoDB is behind MySQL.",
                "s",
                f"max({lag})",
                Limit(limits.CDC_LAG_SECONDS),
            ),
            number(
                "Since the last fetch",
                "Since a run stored what it had asked for.",
                "s",
                f"time() - max({chosen('isotherm_fetcher_last_success_timestamp_seconds')})",
                Limit(limits.FETCH_NO_SUCCESS_SECONDS),
            ),
            number("Browsers", "Websockets open now.", "none", by("", chosen("isotherm_web_clients"))),
        ],
        False,
    )
    objectives: Row = (
        "Objectives",
        [_budget(objective, text) for objective, text in zip(OBJECTIVES, _BUDGET_TEXTS, strict=True)],
        False,
    )
    where: Row = (
        "Where is the time going?",
        [
            lines(
                "Commit to MongoDB and to broadcast, p99",
                "How long a change takes to be in MongoDB, and to be handed to the browsers.",
                "s",
                Query(
                    f"histogram_quantile(0.99, {by('le', rate('isotherm_cdc_commit_to_mongodb_seconds_bucket'))})",
                    "in MongoDB",
                ),
                Query(
                    f"histogram_quantile(0.99, {by('le', rate('isotherm_web_commit_to_broadcast_seconds_bucket'))})",
                    "broadcast",
                ),
                limit=Limit(limits.BROADCAST_SECONDS),
            ),
            lines(
                "Open-Meteo's answers, p50 and p99",
                "How long requests to Open-Meteo take.",
                "s",
                *[
                    query
                    for query in quantiles("isotherm_fetcher_upstream_latency_seconds")
                    if query.legend in {"p50", "p99"}
                ],
            ),
            lines(
                "Batches between CDC and web",
                "Batches that the CDC has committed and a web server has not applied; steadily above 0 is a web server behind.",
                "none",
                Query(
                    f"max({chosen('isotherm_cdc_seq')}) - min({chosen('isotherm_web_seq')})",
                    "the slowest web server",
                ),
            ),
        ],
        False,
    )
    flow: Row = (
        "What flows",
        [
            lines(
                "Points stored",
                "Weather points that runs stored, per second.",
                "ops",
                Query(by("", rate("isotherm_fetcher_points_stored_total")), "stored"),
                Query(by("", rate("isotherm_fetcher_points_failed_total")), "failed"),
            ),
            lines(
                "Row changes",
                "Changes that the CDC wrote to MongoDB, per second.",
                "ops",
                Query(by("operation", rate("isotherm_cdc_events_total")), "{{operation}}"),
            ),
            lines(
                "Bytes to browsers",
                "What is handed to browsers, per second.",
                "Bps",
                Query(by("", rate("isotherm_web_sent_bytes_total")), "sent"),
            ),
        ],
        False,
    )
    fresh: Row = (
        "How fresh is the map?",
        [
            lines(
                "Age of the oldest and newest value",
                "By the values' valid time, as a web server has them.",
                "s",
                Query(f"max({chosen('isotherm_web_data_age_oldest_seconds')})", "oldest"),
                Query(f"min({chosen('isotherm_web_data_age_newest_seconds')})", "newest"),
                limit=Limit(limits.MAP_STALE_SECONDS),
                width=12,
            ),
            lines(
                "Locations with data",
                "Of the region's locations.",
                "none",
                Query(f"max({chosen('isotherm_fetcher_locations_wanted')})", "wanted"),
                Query(f"max({chosen('isotherm_fetcher_locations_with_data')})", "with data"),
                Query(f"max({chosen('isotherm_fetcher_locations_simulated')})", "simulated"),
                width=12,
            ),
        ],
        False,
    )
    return build(
        "isotherm-pipeline",
        "Isotherm / Pipeline",
        "From Open-Meteo to the browsers: is it healthy, where is the time going, how fresh is the map?",
        '{__name__=~"isotherm_(fetcher_exporter_refresh_timestamp_seconds|cdc_connected|web_seq)"}',
        [healthy, objectives, where, flow, fresh],
    )


_BUDGET_TEXTS = (
    "How fast the budget for an old map burns: 1 spends exactly the 30 days' budget of 1 % of the time.",
    "How fast the budget for late changes burns: 1 spends exactly the 30 days' budget of 1 % of the changes.",
    "How fast the budget for refused browsers burns: 1 spends exactly the 30 days' budget of 0.1 % of the connections.",
)


def _budget(objective: limits.Objective, description: str) -> Any:
    windows = sorted({burn.long for burn in (*FAST, *SLOW)}, key=limits.WINDOWS.index)
    queries = [
        Query(
            f'max(isotherm:slo_{objective.name}:error_ratio_{window}{{namespace=~"$namespace"}}) / {objective.budget:g}',
            f"over {window}",
        )
        for window in windows
    ]
    title = f"{objective.title}: burn rate"
    return lines(title, description, "none", *queries, limit=Limit(FAST[0].rate))


def fetcher() -> str:
    """Return the fetcher's dashboard."""
    left = chosen("isotherm_fetcher_quota_left_points")
    healthy: Row = (
        "Is it healthy?",
        [
            number(
                "Since the last success",
                "Since a run stored what it had asked for.",
                "s",
                f"time() - max({chosen('isotherm_fetcher_last_success_timestamp_seconds')})",
                Limit(limits.FETCH_NO_SUCCESS_SECONDS),
            ),
            number(
                "Since the last run",
                "Since the newest run began; the schedule is every ten minutes.",
                "s",
                f"time() - max({chosen('isotherm_fetcher_last_run_timestamp_seconds')})",
                Limit(limits.FETCH_OVERDUE_SECONDS),
            ),
            number(
                "Stalest location",
                "Since the location was fetched whose data is oldest.",
                "s",
                f"time() - min({chosen('isotherm_fetcher_stalest_fetched_timestamp_seconds')})",
                Limit(limits.MAP_STALE_SECONDS),
            ),
            number(
                "Locations with data",
                "Of the region's locations.",
                "percentunit",
                f"max({chosen('isotherm_fetcher_locations_with_data')}) / max({chosen('isotherm_fetcher_locations_wanted')})",
                Limit(limits.MAP_FILLED_RATIO, below=True),
            ),
            number(
                "Points failed",
                "Of the points asked for within the last hour.",
                "percentunit",
                f"sum(increase({chosen('isotherm_fetcher_points_failed_total', window='1h')})) / "
                f"sum(increase({chosen('isotherm_fetcher_points_asked_total', window='1h')}))",
                Limit(limits.POINTS_FAILED_RATIO),
            ),
            number(
                "Exporter's view",
                "How old it is what the exporter says.",
                "s",
                f"time() - max({chosen('isotherm_fetcher_exporter_refresh_timestamp_seconds')})",
                Limit(limits.EXPORTER_STALE_SECONDS),
            ),
        ],
        False,
    )
    runs: Row = (
        "Runs",
        [
            lines(
                "Runs by outcome",
                "Runs that ended, within the last hour.",
                "none",
                Query(
                    f"sum by (outcome) (increase({chosen('isotherm_fetcher_runs_total', window='1h')}))", "{{outcome}}"
                ),
            ),
            lines(
                "Outcome of the newest run",
                "1 for the outcome that the newest run has.",
                "none",
                Query(f"max by (outcome) ({chosen('isotherm_fetcher_last_run_outcome')})", "{{outcome}}"),
                stacked=True,
            ),
            lines(
                "Duration",
                "Of the newest run that ended, and on average.",
                "s",
                Query(f"max({chosen('isotherm_fetcher_last_run_duration_seconds')})", "newest"),
                Query(
                    f"{by('', rate('isotherm_fetcher_run_duration_seconds_sum'))} / "
                    f"{by('', rate('isotherm_fetcher_run_duration_seconds_count'))}",
                    "average",
                ),
            ),
            lines(
                "Points",
                "Asked for, stored and failed, per second.",
                "ops",
                Query(by("", rate("isotherm_fetcher_points_asked_total")), "asked"),
                Query(by("", rate("isotherm_fetcher_points_stored_total")), "stored"),
                Query(by("", rate("isotherm_fetcher_points_failed_total")), "failed"),
            ),
            lines(
                "Age of the data",
                "Of the stalest and the newest location, by the time of fetching, and of the newest model time.",
                "s",
                Query(f"time() - min({chosen('isotherm_fetcher_stalest_fetched_timestamp_seconds')})", "stalest"),
                Query(f"time() - max({chosen('isotherm_fetcher_newest_fetched_timestamp_seconds')})", "newest"),
                Query(
                    f"time() - max({chosen('isotherm_fetcher_newest_valid_timestamp_seconds')})", "newest model time"
                ),
                limit=Limit(limits.MAP_STALE_SECONDS),
            ),
            lines(
                "Locations",
                "Of the region, with data, and with simulated data.",
                "none",
                Query(f"max({chosen('isotherm_fetcher_locations_wanted')})", "wanted"),
                Query(f"max({chosen('isotherm_fetcher_locations_with_data')})", "with data"),
                Query(f"max({chosen('isotherm_fetcher_locations_simulated')})", "simulated"),
            ),
        ],
        False,
    )
    upstream: Row = (
        "Open-Meteo and its quota",
        [
            lines(
                "Requests by status",
                "Per second; error: no whole answer.",
                "reqps",
                Query(by("status", rate("isotherm_fetcher_upstream_requests_total")), "{{status}}"),
            ),
            spread(
                "How long answers take",
                "Requests to Open-Meteo by their duration.",
                "s",
                "isotherm_fetcher_upstream_latency_seconds",
            ),
            lines(
                "Quota left",
                "Of each window; 0 while Open-Meteo refuses to answer. No line without a limit.",
                "percentunit",
                Query(
                    f"min by (window) ({left}) / max by (window) ({chosen('isotherm_fetcher_quota_limit_points')})",
                    "{{window}}",
                ),
            ),
            lines(
                "Quota spent",
                "Points that runs were charged for, per second.",
                "ops",
                Query(by("", rate("isotherm_fetcher_quota_spent_points_total")), "spent"),
            ),
            lines(
                "Refused for",
                "For how much longer Open-Meteo refuses to answer; 0 when it does not.",
                "s",
                Query(
                    f"clamp_min(max({chosen('isotherm_fetcher_quota_blocked_until_timestamp_seconds')}) - time(), 0)",
                    "refused",
                ),
                limit=Limit(1),
            ),
            lines(
                "Exporter's failed reads",
                "Attempts to read MySQL that failed, per second.",
                "ops",
                Query(rate("isotherm_fetcher_exporter_refresh_errors_total")),
            ),
        ],
        False,
    )
    return build(
        "isotherm-fetcher",
        "Isotherm / Fetcher",
        "Runs, quota and freshness, as the exporter reads them from MySQL.",
        "isotherm_fetcher_exporter_refresh_errors_total",
        [healthy, runs, upstream, process_row("fetcher's exporter", "isotherm_fetcher_exporter_refresh_errors_total")],
    )


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
                "Most clients of a pod",
                "Websockets of the fullest web server.",
                "none",
                f"max({by('instance', chosen('isotherm_web_clients'))})",
                Limit(limits.WEB_CLIENTS),
            ),
            number(
                "Commit to broadcast, p99",
                "From the commit in MySQL until all browsers have been handed the change.",
                "s",
                f"histogram_quantile(0.99, {by('le', rate('isotherm_web_commit_to_broadcast_seconds_bucket'))})",
                Limit(limits.BROADCAST_SECONDS),
            ),
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
                "How late the busiest web server's last tick was.",
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
                limit=Limit(limits.WEB_CLIENTS),
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
                "By wire format, per second, frames not counted.",
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
            lines(
                "Age of the data",
                "Of the oldest and newest value's valid time.",
                "s",
                Query(f"max({chosen('isotherm_web_data_age_oldest_seconds')})", "oldest"),
                Query(f"min({chosen('isotherm_web_data_age_newest_seconds')})", "newest"),
                limit=Limit(limits.MAP_STALE_SECONDS),
            ),
            lines(
                "Event loop late by",
                "How late each pod's last tick was.",
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


_FAILED = 'status=~"5.."'


def simulator() -> str:
    """Return the simulator's dashboard."""
    answers: Row = (
        "Answers",
        [
            lines(
                "Requests by status",
                "Forecast requests per second.",
                "reqps",
                Query(by("status", rate("isotherm_simulator_requests_total")), "{{status}}"),
                width=12,
            ),
            lines(
                "Locations",
                "Locations whose weather was answered, per second.",
                "ops",
                Query(by("", rate("isotherm_simulator_locations_total")), "locations"),
                width=12,
            ),
            spread(
                "How long answers take",
                "Time to compute and write an answer.",
                "s",
                "isotherm_simulator_answer_seconds",
                width=12,
            ),
            lines(
                "Faults injected",
                "By kind, per second.",
                "ops",
                Query(by("kind", rate("isotherm_simulator_faults_total")), "{{kind}}"),
                width=12,
            ),
        ],
        False,
    )
    return build(
        "isotherm-simulator",
        "Isotherm / Simulator",
        "The simulated Open-Meteo of demonstrations and tests.",
        "isotherm_simulator_locations_total",
        [answers, process_row("simulator", "isotherm_simulator_locations_total")],
    )
