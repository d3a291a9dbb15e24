"""The alerts. Each has a runbook in docs/runbooks and tests in tests/observability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from limits import (
    CDC_CHECKPOINT_SECONDS,
    CDC_LAG_SECONDS,
    CDC_QUEUE_RATIO,
    CDC_RECONNECTS,
    CDC_RETRIES,
    EXPORTER_STALE_SECONDS,
    FAST,
    FETCH_NO_SUCCESS_SECONDS,
    FETCH_OVERDUE_SECONDS,
    FILES_RATIO,
    FRESHNESS,
    LATENCY,
    LEAST_BAD_EVENTS,
    MAP_FILLED_RATIO,
    POINTS_FAILED_RATIO,
    RESTARTS,
    SLOW,
    WEB_CLIENTS_RATIO,
    WEB_ERROR_RATIO,
    WEB_LOOP_LAG_SECONDS,
    WEB_SLOW_RATIO,
    WEB_STREAM_SECONDS,
    WEBSOCKET,
    Burn,
    Objective,
)
from promql import appeared, increase, metric, total

Severity = Literal["critical", "warning"]

PRESENT = {
    "fetcher": "isotherm_fetcher_exporter_refresh_timestamp_seconds",
    "cdc": "isotherm_cdc_connected",
    "web": "isotherm_web_change_stream_connected",
}
"""A metric that each service has from its start on."""


_AT_CAP = 'reason="cap"'
_FAILED = 'status=~"5.."'


@dataclass(frozen=True)
class Alert:
    """One alert.

    Attributes:
        name: unique.
        service: whose runbook it is: fetcher, cdc, web or pipeline.
        severity: critical wakes somebody, warning waits for the morning.
        expression: PromQL.
        hold: how long it has to be true.
        summary: one line.
        description: what it means to the people who look at the map.
        consequences: alerts that fire because of the same cause.
    """

    name: str
    service: str
    severity: Severity
    expression: str
    hold: str
    summary: str
    description: str
    consequences: tuple[str, ...] = ()


def burning(objective: Objective, burns: tuple[Burn, ...], counted_over: str) -> str:
    """Return the multi-window condition of an objective's burn rate."""

    def ratio(window: str) -> str:
        return metric(f"isotherm:slo_{objective.name}:error_ratio_{window}")

    def either(burn: Burn) -> str:
        limit = f"{round(burn.rate * objective.budget, 6):g}"
        return f"({ratio(burn.long)} > {limit} and {ratio(burn.short)} > {limit})"

    condition = " or ".join(either(burn) for burn in burns)
    if objective.countable:
        bad = metric(f"isotherm:slo_{objective.name}:errors_{counted_over}")
        condition = f"({condition}) and {bad} > {LEAST_BAD_EVENTS}"
    return condition


def objective_alerts(objective: Objective, name: str, meaning: str, consequences: tuple[str, ...] = ()) -> list[Alert]:
    """Return the fast and the slow alert of an objective."""
    share = f"{objective.target:.1%}".replace(".0%", "%")
    return [
        Alert(
            f"Isotherm{name}BudgetBurnsFast",
            "pipeline",
            "critical",
            burning(objective, FAST, "1h"),
            "2m",
            f"{objective.title}: the error budget burns fast",
            f"{meaning} The objective is {share} over 30 days; {{{{ $value | humanizePercentage }}}} is bad now.",
            consequences,
        ),
        Alert(
            f"Isotherm{name}BudgetBurnsSlowly",
            "pipeline",
            "warning",
            burning(objective, SLOW, "1d"),
            "15m",
            f"{objective.title}: the error budget burns slowly",
            f"{meaning} The objective is {share} over 30 days; {{{{ $value | humanizePercentage }}}} is bad over a day or more.",
            consequences,
        ),
    ]


def absence(service: str, title: str, meaning: str, *consequences: str) -> Alert:
    """Return the alert about a service whose metrics are missing."""
    return Alert(
        f"Isotherm{service.capitalize()}Absent",
        service,
        "critical",
        f"absent({metric(PRESENT[service])})",
        "5m",
        f"No metrics of {title}",
        f"Prometheus has no metrics of {title}: it does not run, or it is not scraped. {meaning}",
        ("IsothermTargetDown", *consequences),
    )


def ours(expression: str) -> str:
    """Keep of an expression about processes only those of Isotherm."""
    known = " or ".join(f"last_over_time({metric(name, window='30m')})" for name in PRESENT.values())
    return f"{expression} and on (namespace, job, instance) ({known})"


def reading(expression: str) -> str:
    """Keep of an expression about the CDC only the reader that holds the lease, for others stand by, and is not paused."""
    leads = f"and on (namespace, job, instance) {metric('isotherm_cdc_leader')} == 1"
    return f"{expression} {leads} unless on (namespace, job, instance) {metric('isotherm_cdc_paused')} == 1"


FETCHER = [
    absence("fetcher", "the fetcher's exporter", "Nobody would notice when the weather is no longer fetched."),
    Alert(
        "IsothermFetcherExporterStale",
        "fetcher",
        "warning",
        f"time() - {metric('isotherm_fetcher_exporter_refresh_timestamp_seconds')} > {EXPORTER_STALE_SECONDS}",
        "2m",
        "The fetcher's exporter cannot read MySQL",
        "What it says of runs and quota is {{ $value | humanizeDuration }} old.",
    ),
    Alert(
        "IsothermFetchOverdue",
        "fetcher",
        "warning",
        f"time() - {metric('isotherm_fetcher_last_run_timestamp_seconds')} > {FETCH_OVERDUE_SECONDS}",
        "5m",
        "No run of the fetcher has begun",
        "The last one began {{ $value | humanizeDuration }} ago; the schedule is every ten minutes.",
        ("IsothermFetchNoSuccess",),
    ),
    Alert(
        "IsothermFetchFailing",
        "fetcher",
        "warning",
        "max_over_time("
        + metric("isotherm_fetcher_last_run_outcome", 'outcome=~"failed|died"', window="5m")
        + ") == 1",
        "15m",
        "The fetcher's runs fail",
        "The newest runs ended with outcome {{ $labels.outcome }}: the map keeps its values, and they grow old.",
        ("IsothermFetchNoSuccess", "IsothermFetchPointsFailing"),
    ),
    Alert(
        "IsothermFetchNoSuccess",
        "fetcher",
        "critical",
        f"time() - {metric('isotherm_fetcher_last_success_timestamp_seconds')} > {FETCH_NO_SUCCESS_SECONDS}",
        "5m",
        "Nothing has been fetched for a long time",
        "The last run that stored what it asked for ended {{ $value | humanizeDuration }} ago.",
    ),
    Alert(
        "IsothermFetchPointsFailing",
        "fetcher",
        "warning",
        f"{total(increase('isotherm_fetcher_points_failed_total', '1h'))} / "
        f"{total(increase('isotherm_fetcher_points_asked_total', '1h'))} > {POINTS_FAILED_RATIO}",
        "15m",
        "Open-Meteo does not answer for many locations",
        "{{ $value | humanizePercentage }} of the points asked for in the last hour were not stored.",
    ),
    Alert(
        "IsothermFetchBlocked",
        "fetcher",
        "warning",
        f"{metric('isotherm_fetcher_quota_blocked_until_timestamp_seconds')} - time() > 0",
        "15m",
        "Open-Meteo refuses to answer: the quota is spent",
        "It answers again in {{ $value | humanizeDuration }}. Somebody else behind the same address spends the quota, "
        "or the limits are set too high.",
    ),
    Alert(
        "IsothermMapIncomplete",
        "fetcher",
        "warning",
        f"{metric('isotherm_fetcher_locations_with_data')} / {metric('isotherm_fetcher_locations_wanted')} < {MAP_FILLED_RATIO}",
        "2h",
        "Many locations of the map have no data",
        "Only {{ $value | humanizePercentage }} of the region's locations have ever been fetched.",
    ),
]

CDC = [
    absence(
        "cdc",
        "the CDC",
        "Changes wait in MySQL's binary log, and the map stands still.",
        "IsothermWebChangeStreamSilent",
        "IsothermCdcLagging",
        "IsothermLatencyBudgetBurnsFast",
    ),
    Alert(
        "IsothermCdcNoLeader",
        "cdc",
        "critical",
        f"sum by (namespace) ({metric('isotherm_cdc_leader')}) != 1",
        "3m",
        "{{ $value }} CDC readers hold the lease, where it should be one",
        "With none nobody reads the binary log, and the map stands still. With several the checkpoint's term lets only one "
        "of them write, so nothing is lost; they take over from each other.",
        ("IsothermWebChangeStreamSilent",),
    ),
    Alert(
        "IsothermCdcPaused",
        "cdc",
        "warning",
        f"{metric('isotherm_cdc_paused')} == 1 and on (namespace, job, instance) {metric('isotherm_cdc_leader')} == 1",
        "30m",
        "The CDC is paused",
        "An operator has paused it, and half an hour is over: the map stands still, and changes wait in the binary log.",
        ("IsothermWebChangeStreamSilent", "IsothermFreshnessBudgetBurnsFast"),
    ),
    Alert(
        "IsothermCdcDisconnected",
        "cdc",
        "critical",
        reading(f"{metric('isotherm_cdc_connected')} == 0"),
        "2m",
        "The CDC does not read the binary log",
        "It runs and is not connected to MySQL; the map stands still.",
        ("IsothermCdcCheckpointOld", "IsothermCdcReconnecting", "IsothermWebChangeStreamSilent"),
    ),
    Alert(
        "IsothermCdcLagging",
        "cdc",
        "warning",
        f"{metric('isotherm_cdc_lag_seconds')} > {CDC_LAG_SECONDS}",
        "5m",
        "The CDC is behind MySQL",
        "MongoDB is {{ $value | humanizeDuration }} behind. Longer than MySQL keeps its binary log, and changes are lost.",
        ("IsothermLatencyBudgetBurnsFast",),
    ),
    Alert(
        "IsothermCdcCheckpointOld",
        "cdc",
        "critical",
        reading(f"{metric('isotherm_cdc_checkpoint_age_seconds')} > {CDC_CHECKPOINT_SECONDS}"),
        "1m",
        "The CDC's checkpoint does not move",
        "It has not moved for {{ $value | humanizeDuration }}, though it should every ten seconds: MongoDB takes nothing, "
        "or the reader is stuck.",
        ("IsothermWebChangeStreamSilent",),
    ),
    Alert(
        "IsothermCdcDeadLetters",
        "cdc",
        "warning",
        appeared("isotherm_cdc_dead_letters_total", "15m"),
        "0m",
        "Rows of {{ $labels.table }} went to the dead letters",
        "They could not become documents, so MongoDB lacks them until they are put right and requeued.",
    ),
    Alert(
        "IsothermCdcReconnecting",
        "cdc",
        "warning",
        f"{increase('isotherm_cdc_reconnects_total', '15m')} > {CDC_RECONNECTS}",
        "0m",
        "The CDC loses its connection to {{ $labels.side }} again and again",
        "{{ $value | humanize }} times in 15 minutes.",
    ),
    Alert(
        "IsothermCdcRetrying",
        "cdc",
        "warning",
        f"sum by (namespace, instance) ({increase('isotherm_cdc_retries_total', '15m')}) > {CDC_RETRIES}",
        "5m",
        "The CDC's calls to MongoDB fail again and again",
        "{{ $value | humanize }} were tried again in 15 minutes: an election that does not end, a full disk, a write conflict.",
    ),
    Alert(
        "IsothermCdcBackPressure",
        "cdc",
        "warning",
        f"min_over_time({metric('isotherm_cdc_current_queue_size_in_bytes', window='5m')}) / "
        f"{metric('isotherm_cdc_max_queue_size_in_bytes')} > {CDC_QUEUE_RATIO}",
        "10m",
        "The CDC waits for MongoDB",
        "The queue has been {{ $value | humanizePercentage }} full for 15 minutes: MongoDB is slower than MySQL's changes come.",
        ("IsothermCdcLagging",),
    ),
    Alert(
        "IsothermCdcSnapshotStuck",
        "cdc",
        "warning",
        f"{metric('isotherm_cdc_snapshot_running')} == 1 "
        f"unless on (namespace, instance) ({metric('isotherm_cdc_snapshot_paused')} == 1 or {metric('isotherm_cdc_paused')} == 1) "
        "unless on (namespace, instance) "
        f"sum by (namespace, instance) ({appeared('isotherm_cdc_snapshot_chunks_total', '15m')}) > 0",
        "15m",
        "A snapshot does not go on",
        "Tables are to be read whole, and no chunk of them has been for half an hour.",
    ),
]

WEB = [
    absence("web", "any web server", "The page cannot be opened."),
    Alert(
        "IsothermWebNotFollowing",
        "web",
        "critical",
        f"{metric('isotherm_web_change_stream_connected')} == 0",
        "2m",
        "A web server does not follow MongoDB",
        "{{ $labels.instance }} shows its last state; browsers that it serves get no changes.",
        ("IsothermWebChangeStreamSilent",),
    ),
    Alert(
        "IsothermWebChangeStreamSilent",
        "web",
        "warning",
        f"{metric('isotherm_web_change_stream_age_seconds')} > {WEB_STREAM_SECONDS}",
        "1m",
        "A web server has heard nothing from MongoDB",
        "{{ $labels.instance }} has heard nothing for {{ $value | humanizeDuration }}, though the CDC moves its checkpoint "
        "every ten seconds: the CDC stands still, or the change stream does.",
    ),
    Alert(
        "IsothermWebFull",
        "web",
        "warning",
        f"sum by (namespace, instance) ({metric('isotherm_web_clients')}) / "
        f"sum by (namespace, instance) ({metric('isotherm_web_clients_limit')}) > {WEB_CLIENTS_RATIO} or "
        f"sum by (namespace, instance) ({increase('isotherm_web_connections_refused_total', '5m', _AT_CAP)}) > 0",
        "5m",
        "A web server is full, or nearly so",
        "{{ $labels.instance }} refuses browsers or will soon (WEB_MAX_CONNECTIONS, WEB_MAX_CONNECTIONS_PER_ADDRESS): "
        "more pods are needed, or one address opens too many connections.",
        ("IsothermWebsocketBudgetBurnsFast",),
    ),
    Alert(
        "IsothermWebSlowClients",
        "web",
        "warning",
        f"sum by (namespace, instance) ({increase('isotherm_web_slow_clients_closed_total', '5m')}) / "
        "clamp_min(sum by (namespace, instance) "
        f"(max_over_time({metric('isotherm_web_clients', window='5m')})), 1) > {WEB_SLOW_RATIO}",
        "0m",
        "Many browsers are too slow for what they are sent",
        "{{ $value | humanizePercentage }} of the clients of {{ $labels.instance }} were closed as too slow within five minutes.",
    ),
    Alert(
        "IsothermWebEventLoopBlocked",
        "web",
        "warning",
        f"min_over_time({metric('isotherm_web_event_loop_lag_seconds', window='2m')}) > {WEB_LOOP_LAG_SECONDS}",
        "5m",
        "A web server has too much to do",
        "The event loop of {{ $labels.instance }} is late by {{ $value | humanizeDuration }} again and again: it lacks CPU, or has too many clients.",
        ("IsothermLatencyBudgetBurnsFast",),
    ),
    Alert(
        "IsothermWebHttpErrors",
        "web",
        "warning",
        f"{total(increase('isotherm_web_http_requests_total', '5m', _FAILED))} / "
        f"{total(increase('isotherm_web_http_requests_total', '5m'))} > {WEB_ERROR_RATIO}",
        "5m",
        "HTTP requests fail",
        "{{ $value | humanizePercentage }} of the requests are answered with 5xx; with 503 because MongoDB is away.",
    ),
    Alert(
        "IsothermWebForeignWrites",
        "web",
        "warning",
        f"{increase('isotherm_web_foreign_changes_total', '15m')} > 0",
        "0m",
        "Somebody other than the CDC writes to the weather's collections",
        "{{ $value | humanize }} changes without a seq in 15 minutes: browsers do not get them, and MongoDB no longer "
        "equals MySQL.",
    ),
]

PROCESSES = [
    Alert(
        "IsothermTargetDown",
        "pipeline",
        "warning",
        ours(f"{metric('up')} == 0"),
        "5m",
        "{{ $labels.instance }} cannot be scraped",
        "It was there within the last half hour and does not answer now.",
    ),
    Alert(
        "IsothermRestarting",
        "pipeline",
        "warning",
        ours(f"changes({metric('process_start_time_seconds', window='30m')}) > {RESTARTS}"),
        "0m",
        "{{ $labels.instance }} restarts again and again",
        "{{ $value }} times in half an hour; the last lines of its log say why.",
    ),
    Alert(
        "IsothermFilesRunOut",
        "pipeline",
        "warning",
        ours(f"{metric('process_open_fds')} / {metric('process_max_fds')} > {FILES_RATIO}"),
        "5m",
        "{{ $labels.instance }} has nearly as many open files as it may",
        "{{ $value | humanizePercentage }} of the limit; every websocket is one.",
    ),
]

OBJECTIVES = [
    *objective_alerts(
        FRESHNESS,
        "Freshness",
        "The oldest value on the map is older than it may be (WEB_STALE_AFTER_SECONDS) for too much of the time.",
    ),
    *objective_alerts(
        LATENCY,
        "Latency",
        "Too many changes reach the browsers later than a second after their commit in MySQL.",
    ),
    *objective_alerts(WEBSOCKET, "Websocket", "Too many browsers are refused."),
]

GROUPS = {
    "isotherm-fetcher": FETCHER,
    "isotherm-cdc": CDC,
    "isotherm-web": WEB,
    "isotherm-processes": PROCESSES,
    "isotherm-objectives": OBJECTIVES,
}
ALERTS = [alert for group in GROUPS.values() for alert in group]
