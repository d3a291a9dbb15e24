"""What each alert is tested with: a healthy system in which one thing goes wrong.

Series are written as promtool has them, one sample a step (a minute mostly): `0+60x600` begins at 0 and rises by 60 six hundred times.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from limits import WEB_CLIENTS_RATIO

DAY_STEPS = 144
"""Days are told in steps of ten minutes: minutes would take promtool minutes."""

CLIENTS_LIMIT = 12_000
FULL = int(CLIENTS_LIMIT * WEB_CLIENTS_RATIO)

FETCHER = 'namespace="weather", job="pods", instance="exporter:9101"'
CDC = 'namespace="weather", job="pods", instance="cdc:9102"'
STANDBY = 'namespace="weather", job="pods", instance="cdc-standby:9102"'
WEB = 'namespace="weather", job="pods", instance="web-1:9103"'
WEB_2 = 'namespace="weather", job="pods", instance="web-2:9103"'


def steady(steps: int, step_minutes: int = 1) -> dict[str, str]:
    """Return the series of a system in which all is well: a run every ten minutes, two web servers, a few browsers."""
    same = f"x{steps}"
    now = f"0+{60 * step_minutes}{same}"

    def rising(by: int) -> str:
        return f"0+{by * step_minutes}{same}"

    series = {
        f"isotherm_fetcher_exporter_refresh_timestamp_seconds{{{FETCHER}}}": now,
        f"isotherm_fetcher_last_run_timestamp_seconds{{{FETCHER}}}": now,
        f"isotherm_fetcher_last_success_timestamp_seconds{{{FETCHER}}}": now,
        f'isotherm_fetcher_last_run_outcome{{{FETCHER}, outcome="done"}}': f"1{same}",
        f'isotherm_fetcher_last_run_outcome{{{FETCHER}, outcome="failed"}}': f"0{same}",
        f'isotherm_fetcher_last_run_outcome{{{FETCHER}, outcome="died"}}': f"0{same}",
        f"isotherm_fetcher_points_asked_total{{{FETCHER}}}": rising(7),
        f"isotherm_fetcher_points_failed_total{{{FETCHER}}}": f"0{same}",
        f"isotherm_fetcher_quota_blocked_until_timestamp_seconds{{{FETCHER}}}": f"0{same}",
        f"isotherm_fetcher_locations_with_data{{{FETCHER}}}": f"612{same}",
        f"isotherm_fetcher_locations_wanted{{{FETCHER}}}": f"612{same}",
        f"isotherm_cdc_connected{{{CDC}}}": f"1{same}",
        f"isotherm_cdc_leader{{{CDC}}}": f"1{same}",
        f"isotherm_cdc_connected{{{STANDBY}}}": f"0{same}",
        f"isotherm_cdc_leader{{{STANDBY}}}": f"0{same}",
        f"isotherm_cdc_checkpoint_age_seconds{{{STANDBY}}}": f"9000{same}",
        f"isotherm_cdc_lag_seconds{{{CDC}}}": f"0{same}",
        f"isotherm_cdc_checkpoint_age_seconds{{{CDC}}}": f"5{same}",
        f'isotherm_cdc_reconnects_total{{{CDC}, side="mysql"}}': f"0{same}",
        f'isotherm_cdc_reconnects_total{{{CDC}, side="mongodb"}}': f"0{same}",
        f"isotherm_cdc_current_queue_size_in_bytes{{{CDC}}}": f"1000{same}",
        f"isotherm_cdc_max_queue_size_in_bytes{{{CDC}}}": f"1000000{same}",
        f"isotherm_cdc_paused{{{CDC}}}": f"0{same}",
        f"isotherm_cdc_snapshot_paused{{{CDC}}}": f"0{same}",
        f"isotherm_cdc_snapshot_running{{{CDC}}}": f"0{same}",
    }
    for web in (WEB, WEB_2):
        series |= {
            f"isotherm_web_change_stream_connected{{{web}}}": f"1{same}",
            f"isotherm_web_change_stream_age_seconds{{{web}}}": f"5{same}",
            f'isotherm_web_clients{{{web}, format="isotherm.v1.bin"}}': f"100{same}",
            f"isotherm_web_clients_limit{{{web}}}": f"{CLIENTS_LIMIT}{same}",
            f"isotherm_web_stale_after_seconds{{{web}}}": f"10800{same}",
            f'isotherm_web_connections_total{{{web}, format="isotherm.v1.bin"}}': rising(5),
            f"isotherm_web_slow_clients_closed_total{{{web}}}": f"0{same}",
            f"isotherm_web_event_loop_lag_seconds{{{web}}}": f"0.002{same}",
            f'isotherm_web_http_requests_total{{{web}, route="/", method="GET", status="200"}}': rising(60),
            f"isotherm_web_foreign_changes_total{{{web}}}": f"0{same}",
            f"isotherm_web_data_age_oldest_seconds{{{web}}}": f"6000{same}",
            f'isotherm_web_commit_to_broadcast_seconds_bucket{{{web}, le="1.0"}}': rising(10),
            f"isotherm_web_commit_to_broadcast_seconds_count{{{web}}}": rising(10),
        }
    for process in (FETCHER, CDC, WEB, WEB_2):
        series |= {
            f"up{{{process}}}": f"1{same}",
            f"process_start_time_seconds{{{process}}}": f"0{same}",
            f"process_open_fds{{{process}}}": f"200{same}",
            f"process_max_fds{{{process}}}": f"1048576{same}",
        }
    return series


@dataclass(frozen=True)
class Case:
    """One thing that goes wrong.

    Attributes:
        name: what goes wrong.
        series: the series that are other than in a healthy system; None: it is missing.
        at: steps after the start at which the alerts are looked at.
        firing: all alerts that fire then: what they mean includes that nothing else fires.
        steps: how long the series are.
        step_minutes: how long a step is.
        objectives: whether it changes what objectives are computed from; else these (costly) rules are left out.
        alone: whether it is about a metric that nobody has, so that no other case may run beside it.
    """

    name: str
    series: dict[str, str | None]
    at: int
    firing: set[str] = field(default_factory=set)
    steps: int = 300
    step_minutes: int = 1
    objectives: bool = False
    alone: bool = False


def _gone(prefix: str) -> dict[str, str | None]:
    return dict.fromkeys((name for name in steady(1) if name.startswith(prefix)), None)


_OUTCOME = "isotherm_fetcher_last_run_outcome"
_HTTP_500 = f'isotherm_web_http_requests_total{{{WEB}, route="/", method="GET", status="503"}}'
_FULL = f'isotherm_web_connections_refused_total{{{WEB}, reason="cap"}}'
_FOREIGN = f'isotherm_web_connections_refused_total{{{WEB}, reason="origin"}}'
_OLDEST, _OLDEST_2 = (f"isotherm_web_data_age_oldest_seconds{{{web}}}" for web in (WEB, WEB_2))
_IN_TIME = f'isotherm_web_commit_to_broadcast_seconds_bucket{{{WEB}, le="1.0"}}'
_DEAD = f'isotherm_cdc_dead_letters_total{{{CDC}, table="weather.weather_data"}}'
_CHUNKS = f'isotherm_cdc_snapshot_chunks_total{{{CDC}, table="weather.weather_data", outcome="kept"}}'
_RUNNING = f"isotherm_cdc_snapshot_running{{{CDC}}}"
_RETRIES = f'isotherm_cdc_retries_total{{{CDC}, reason="WriteConflict"}}'
_RECONNECTS = f'isotherm_cdc_reconnects_total{{{CDC}, side="mysql"}}'
_SUCCESS = f"isotherm_fetcher_last_success_timestamp_seconds{{{FETCHER}}}"
_RUN = f"isotherm_fetcher_last_run_timestamp_seconds{{{FETCHER}}}"
_REFRESH = f"isotherm_fetcher_exporter_refresh_timestamp_seconds{{{FETCHER}}}"
_BLOCKED = f"isotherm_fetcher_quota_blocked_until_timestamp_seconds{{{FETCHER}}}"
_START = f"process_start_time_seconds{{{CDC}}}"

CASES = [
    Case("all is well", {}, 290),
    # The fetcher
    Case("the exporter is gone", _gone("isotherm_fetcher"), 4, steps=20, alone=True),
    Case(
        "the exporter is gone for long", _gone("isotherm_fetcher"), 6, {"IsothermFetcherAbsent"}, steps=20, alone=True
    ),
    Case("the exporter cannot read", {_REFRESH: "0+60x60 3600x240"}, 61),
    Case("the exporter has not read for long", {_REFRESH: "0+60x60 3600x240"}, 66, {"IsothermFetcherExporterStale"}),
    Case("one schedule is missed", {_RUN: "0+60x60 3600x240"}, 85),
    Case("no run begins", {_RUN: "0+60x60 3600x240"}, 97, {"IsothermFetchOverdue"}),
    Case(
        "one run fails",
        {f'{_OUTCOME}{{{FETCHER}, outcome="failed"}}': "0x60 1x8 0x232"},
        72,
    ),
    Case(
        "run after run fails, each running for a minute",
        {f'{_OUTCOME}{{{FETCHER}, outcome="failed"}}': "0x60 1x8 0 1x9 0 1x9 0 1x210"},
        80,
        {"IsothermFetchFailing"},
    ),
    Case("a run dies", {f'{_OUTCOME}{{{FETCHER}, outcome="died"}}': "0x60 1x240"}, 80, {"IsothermFetchFailing"}),
    Case("half an hour without success", {_SUCCESS: "0+60x60 3600x240"}, 100),
    Case("an hour without success", {_SUCCESS: "0+60x60 3600x240"}, 127, {"IsothermFetchNoSuccess"}),
    Case("some points fail", {f"isotherm_fetcher_points_failed_total{{{FETCHER}}}": "0+1x300"}, 100),
    Case(
        "many points fail",
        {f"isotherm_fetcher_points_failed_total{{{FETCHER}}}": "0+3x300"},
        100,
        {"IsothermFetchPointsFailing"},
    ),
    Case("refused for the next minutes", {_BLOCKED: "0x60 4200x240"}, 74),
    Case("refused for the next hours", {_BLOCKED: "0x60 14400x240"}, 80, {"IsothermFetchBlocked"}),
    Case("the map fills", {f"isotherm_fetcher_locations_with_data{{{FETCHER}}}": "0+10x61 612x239"}, 119),
    Case(
        "the map does not fill",
        {f"isotherm_fetcher_locations_with_data{{{FETCHER}}}": "500x300"},
        125,
        {"IsothermMapIncomplete"},
    ),
    # The CDC
    Case("the CDC is gone", _gone("isotherm_cdc"), 6, {"IsothermCdcAbsent"}, steps=20, alone=True),
    Case(
        "the lease passes on",
        {
            f"isotherm_cdc_leader{{{CDC}}}": "1x60 0x240",
            f"isotherm_cdc_connected{{{CDC}}}": "1x60 0x240",
            f"isotherm_cdc_leader{{{STANDBY}}}": "0x61 1x239",
            f"isotherm_cdc_connected{{{STANDBY}}}": "0x61 1x239",
            f"isotherm_cdc_checkpoint_age_seconds{{{STANDBY}}}": "9000x61 5x239",
        },
        70,
    ),
    Case("nobody has the lease", {f"isotherm_cdc_leader{{{CDC}}}": "1x60 0x240"}, 66, {"IsothermCdcNoLeader"}),
    Case(
        "two have the lease",
        {
            f"isotherm_cdc_leader{{{STANDBY}}}": "0x60 1x240",
            f"isotherm_cdc_connected{{{STANDBY}}}": "1x300",
            f"isotherm_cdc_checkpoint_age_seconds{{{STANDBY}}}": "5x300",
        },
        66,
        {"IsothermCdcNoLeader"},
    ),
    Case("the CDC connects anew", {f"isotherm_cdc_connected{{{CDC}}}": "1x60 0x1 1x239"}, 62),
    Case(
        "the CDC is not connected",
        {f"isotherm_cdc_connected{{{CDC}}}": "1x60 0x240"},
        64,
        {"IsothermCdcDisconnected"},
    ),
    Case("a burst", {f"isotherm_cdc_lag_seconds{{{CDC}}}": "0x60 100x3 0x237"}, 64),
    Case("the CDC lags", {f"isotherm_cdc_lag_seconds{{{CDC}}}": "0x60 100x240"}, 67, {"IsothermCdcLagging"}),
    Case("a slow checkpoint", {f"isotherm_cdc_checkpoint_age_seconds{{{CDC}}}": "40x300"}, 100),
    Case(
        "the checkpoint stands",
        {f"isotherm_cdc_checkpoint_age_seconds{{{CDC}}}": "5x60 65+60x240"},
        63,
        {"IsothermCdcCheckpointOld"},
    ),
    Case("the first dead letter", {_DEAD: "_x60 1x240"}, 62, {"IsothermCdcDeadLetters"}),
    Case("another dead letter", {_DEAD: "1x60 2x240"}, 62, {"IsothermCdcDeadLetters"}),
    Case("a dead letter of yesterday", {_DEAD: "_x60 1x240"}, 90),
    Case("a dead letter that a restart has forgotten", {_DEAD: "3x60 0x240"}, 62),
    Case("two reconnections", {_RECONNECTS: "0x60 1 2x240"}, 65),
    Case("reconnections again and again", {_RECONNECTS: "0x60 0+1x240"}, 70, {"IsothermCdcReconnecting"}),
    Case("an election", {_RETRIES: "0x60 0+5x5 25x240"}, 70),
    Case("retries without end", {_RETRIES: "0x60 0+10x240"}, 75, {"IsothermCdcRetrying"}),
    Case(
        "a full queue for a moment", {f"isotherm_cdc_current_queue_size_in_bytes{{{CDC}}}": "0x60 800000x9 0x230"}, 69
    ),
    Case(
        "a full queue",
        {f"isotherm_cdc_current_queue_size_in_bytes{{{CDC}}}": "0x60 800000x240"},
        80,
        {"IsothermCdcBackPressure"},
    ),
    Case("a snapshot goes on", {_RUNNING: "1x300", _CHUNKS: "0+1x300"}, 100),
    Case("a snapshot stops", {_RUNNING: "1x300", _CHUNKS: "0+1x60 60x240"}, 95, {"IsothermCdcSnapshotStuck"}),
    Case(
        "a snapshot that an operator has paused",
        {_RUNNING: "1x300", f"isotherm_cdc_snapshot_paused{{{CDC}}}": "1x300"},
        95,
    ),
    Case(
        "an operator pauses for a quarter of an hour",
        {
            f"isotherm_cdc_paused{{{CDC}}}": "0x60 1x15 0x224",
            f"isotherm_cdc_connected{{{CDC}}}": "1x60 0x15 1x224",
            f"isotherm_cdc_checkpoint_age_seconds{{{CDC}}}": "5x60 60+60x15 5x224",
        },
        74,
    ),
    Case(
        "somebody forgets to resume",
        {
            f"isotherm_cdc_paused{{{CDC}}}": "0x60 1x240",
            f"isotherm_cdc_connected{{{CDC}}}": "1x60 0x240",
            f"isotherm_cdc_checkpoint_age_seconds{{{CDC}}}": "5x60 60+60x240",
        },
        95,
        {"IsothermCdcPaused"},
    ),
    Case("a snapshot never begins", {_RUNNING: "0x60 1x240"}, 80, {"IsothermCdcSnapshotStuck"}),
    # The web server
    Case("all web servers are gone", _gone("isotherm_web"), 6, {"IsothermWebAbsent"}, steps=20, alone=True),
    Case(
        "one web server is gone",
        {name: value for name, value in _gone("isotherm_web").items() if "web-2" in name},
        100,
    ),
    Case(
        "a web server does not follow",
        {f"isotherm_web_change_stream_connected{{{WEB}}}": "1x60 0x240"},
        64,
        {"IsothermWebNotFollowing"},
    ),
    Case("a quiet stream", {f"isotherm_web_change_stream_age_seconds{{{WEB}}}": "30x300"}, 100),
    Case(
        "a silent stream",
        {f"isotherm_web_change_stream_age_seconds{{{WEB}}}": "5x60 65+60x240"},
        63,
        {"IsothermWebChangeStreamSilent"},
    ),
    Case("many clients", {f'isotherm_web_clients{{{WEB}, format="isotherm.v1.bin"}}': f"{FULL}x300"}, 100),
    Case(
        "too many clients",
        {f'isotherm_web_clients{{{WEB}, format="isotherm.v1.bin"}}': f"{FULL + 1}x300"},
        100,
        {"IsothermWebFull"},
    ),
    Case("foreign pages are refused", {_FOREIGN: "0+100x300"}, 100),
    Case("few are slow", {f"isotherm_web_slow_clients_closed_total{{{WEB}}}": "0x60 0 1 2 2x240"}, 63),
    Case(
        "many are slow",
        {f"isotherm_web_slow_clients_closed_total{{{WEB}}}": "0x60 0+5x240"},
        65,
        {"IsothermWebSlowClients"},
    ),
    Case(
        "the only client is slow",
        {
            f"isotherm_web_slow_clients_closed_total{{{WEB}}}": "0x60 1x240",
            f'isotherm_web_clients{{{WEB}, format="isotherm.v1.bin"}}': "1x60 0x240",
        },
        62,
        {"IsothermWebSlowClients"},
    ),
    Case("a hiccup", {f"isotherm_web_event_loop_lag_seconds{{{WEB}}}": "0x60 1x2 0x238"}, 63),
    Case(
        "too much to do",
        {f"isotherm_web_event_loop_lag_seconds{{{WEB}}}": "0x60 1x240"},
        69,
        {"IsothermWebEventLoopBlocked"},
    ),
    Case("some requests fail", {_HTTP_500: "0+3x300"}, 100),
    Case("many requests fail", {_HTTP_500: "0x60 0+20x240"}, 72, {"IsothermWebHttpErrors"}),
    Case(
        "somebody writes",
        {f"isotherm_web_foreign_changes_total{{{WEB}}}": "0x60 1x240"},
        62,
        {"IsothermWebForeignWrites"},
    ),
    # Processes
    Case("a target is down for a moment", {f"up{{{CDC}}}": "1x60 0x3 1x237"}, 63),
    Case("a target is down", {f"up{{{WEB_2}}}": "1x60 0x240"}, 67, {"IsothermTargetDown"}),
    Case("somebody else's target is down", {'up{namespace="weather", job="else", instance="other:1"}': "0x300"}, 100),
    Case("a deployment", {_START: "0x60 3600x240"}, 62),
    Case("restarts", {_START: "0x60 3600+120x10 4800x230"}, 72, {"IsothermRestarting"}),
    Case("many files", {f"process_open_fds{{{WEB}}}": "800000x300"}, 100),
    Case("too many files", {f"process_open_fds{{{WEB}}}": "900000x300"}, 100, {"IsothermFilesRunOut"}),
    # The objectives
    Case("old for two minutes", {_OLDEST: "6000x60 11000x1 6000x239"}, 66, objectives=True),
    Case(
        "old for a quarter of an hour",
        {_OLDEST: "6000x60 11000x240"},
        75,
        {"IsothermFreshnessBudgetBurnsFast"},
        objectives=True,
    ),
    Case(
        "old for half an hour after good days",
        {_OLDEST: f"6000x{3 * DAY_STEPS} 11000x{DAY_STEPS}", _OLDEST_2: f"6000x{4 * DAY_STEPS}"},
        3 * DAY_STEPS + 3,
        {"IsothermFreshnessBudgetBurnsFast"},
        4 * DAY_STEPS,
        10,
        objectives=True,
    ),
    Case(
        "old for half an hour after good days, and well again: the short windows let go",
        {_OLDEST: f"6000x{3 * DAY_STEPS} 11000x2 6000x{DAY_STEPS}", _OLDEST_2: f"6000x{4 * DAY_STEPS}"},
        3 * DAY_STEPS + 8,
        set(),
        4 * DAY_STEPS,
        10,
        objectives=True,
    ),
    Case(
        "old for an hour every day, the last time four hours ago",
        {_OLDEST: " ".join(["6000x137 11000x5"] * 4), _OLDEST_2: f"6000x{4 * DAY_STEPS}"},
        3 * DAY_STEPS + 23,
        {"IsothermFreshnessBudgetBurnsSlowly"},
        4 * DAY_STEPS,
        10,
        objectives=True,
    ),
    Case(
        "old for ten minutes once a day: 0.7 % of the time",
        {_OLDEST: " ".join(["6000x142 11000x0"] * 4), _OLDEST_2: f"6000x{4 * DAY_STEPS}"},
        3 * DAY_STEPS + 23,
        set(),
        4 * DAY_STEPS,
        10,
        objectives=True,
    ),
    Case("a few are late", {_IN_TIME: "0+10x60 599 608 617 627+10x240"}, 65, objectives=True),
    Case(
        "a third is late, and Prometheus remembers only an hour",
        {_IN_TIME: "0+10x60 603+3x240"},
        90,
        {"IsothermLatencyBudgetBurnsFast", "IsothermLatencyBudgetBurnsSlowly"},
        objectives=True,
    ),
    Case(
        "2 % are late for days",
        {_IN_TIME: f"0+96x{4 * DAY_STEPS}"},
        3 * DAY_STEPS - 3,
        {"IsothermLatencyBudgetBurnsSlowly"},
        4 * DAY_STEPS,
        10,
        objectives=True,
    ),
    Case(
        "0.5 % are late for days",
        {_IN_TIME: f"0+99x{4 * DAY_STEPS}"},
        3 * DAY_STEPS - 3,
        set(),
        4 * DAY_STEPS,
        10,
        objectives=True,
    ),
    Case(
        "browsers are refused",
        {_FULL: "0x60 0+2x240"},
        75,
        {"IsothermWebsocketBudgetBurnsFast", "IsothermWebFull"},
        objectives=True,
    ),
    Case(
        "one browser in five hundred is refused for days",
        {f'isotherm_web_connections_refused_total{{{WEB}, reason="draining"}}': f"0+0.2x{4 * DAY_STEPS}"},
        3 * DAY_STEPS - 3,
        {"IsothermWebsocketBudgetBurnsSlowly"},
        4 * DAY_STEPS,
        10,
        objectives=True,
    ),
    Case(
        "one browser in five thousand is refused for days",
        {f'isotherm_web_connections_refused_total{{{WEB}, reason="draining"}}': f"0+0.02x{4 * DAY_STEPS}"},
        3 * DAY_STEPS - 3,
        set(),
        4 * DAY_STEPS,
        10,
        objectives=True,
    ),
]
