"""The panels that the dashboards are made of: each has a title, a description and a unit."""

# ruff: noqa: FBT003 - the builders of Grafana's library take booleans by position

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import heatmap, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models import heatmap as heatmap_models
from grafana_foundation_sdk.models import prometheus as prometheus_models
from limits import FILES_RATIO

CHOSEN = 'namespace=~"$namespace", job=~"$job", instance=~"$instance"'
SOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
GOOD, WARN, BAD = "green", "orange", "red"
Row = tuple[str, list[Any], bool]
"""A row of a dashboard: title, panels, and whether it is collapsed at first."""

_WIDTH = 24


@dataclass(frozen=True)
class Limit:
    """Where a panel turns red.

    Attributes:
        value: the alert's number.
        below: whether what is below is bad.
    """

    value: float
    below: bool = False


@dataclass(frozen=True)
class Query:
    """A line of a panel.

    Attributes:
        expression: PromQL, its selectors made by `chosen`.
        legend: what the line is called.
    """

    expression: str
    legend: str = "{{instance}}"


def chosen(name: str, *matchers: str, window: str = "") -> str:
    """Return a selector of what is chosen at the top of the dashboard."""
    return f"{name}{{{', '.join((CHOSEN, *matchers))}}}" + (f"[{window}]" if window else "")


def rate(name: str, *matchers: str) -> str:
    """Return a counter's rate over Grafana's interval."""
    return f"rate({chosen(name, *matchers, window='$__rate_interval')})"


def by(labels: str, expression: str) -> str:
    """Sum up by labels."""
    return f"sum by ({labels}) ({expression})" if labels else f"sum({expression})"


def p99(name: str) -> str:
    """Return the 99th percentile of a histogram."""
    return f"histogram_quantile(0.99, {by('le', rate(f'{name}_bucket'))})"


def quantiles(name: str) -> list[Query]:
    """Return the 50th, 90th and 99th percentile of a histogram."""
    buckets = by("le", rate(f"{name}_bucket"))
    return [Query(f"histogram_quantile({share}, {buckets})", f"p{share * 100:g}") for share in (0.5, 0.9, 0.99)]


def number(
    title: str, description: str, unit: str, expression: str, limit: Limit | None = None, legend: str = ""
) -> stat.Panel:
    """Return a panel with one number and its recent course."""
    reduce = common_builders.ReduceDataOptions().calcs(["lastNotNull"]).values(False)
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .unit(unit)
        .reduce_options(reduce)
        .color_mode(common.BigValueColorMode.BACKGROUND if limit else common.BigValueColorMode.VALUE)
        .graph_mode(common.BigValueGraphMode.AREA)
        .thresholds(_thresholds(limit))
        .with_target(_target(Query(expression, legend), 0))
    )
    return _place(panel, 4, 4)


def lines(
    title: str,
    description: str,
    unit: str,
    *queries: Query,
    limit: Limit | None = None,
    width: int = 8,
    stacked: bool = False,
) -> timeseries.Panel:
    """Return a panel with lines over time; an alert's limit is drawn as a dashed line."""
    style = common.GraphTresholdsStyleMode.DASHED if limit else common.GraphTresholdsStyleMode.OFF
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .unit(unit)
        .line_width(1)
        .fill_opacity(30 if stacked else 8)
        .span_nulls(False)
        .thresholds(_thresholds(limit))
        .thresholds_style(common_builders.GraphThresholdsStyleConfig().mode(style))
        .tooltip(
            common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING)
        )
        .legend(
            common_builders.VizLegendOptions()
            .display_mode(common.LegendDisplayMode.LIST)
            .placement(common.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
    )
    if stacked:
        panel.stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL).group("A"))
    for index, query in enumerate(queries):
        panel.with_target(_target(query, index))
    return _place(panel, width, 8)


def spread(title: str, description: str, unit: str, name: str, width: int = 8) -> heatmap.Panel:
    """Return a heatmap of a histogram."""
    query = Query(by("le", rate(f"{name}_bucket")), "{{le}}")
    panel = (
        heatmap.Panel()
        .title(title)
        .description(description)
        .unit(unit)
        .calculate(False)
        .y_axis(heatmap.YAxisConfig().unit(unit))
        .color(heatmap.HeatmapColorOptions().mode(heatmap_models.HeatmapColorMode.SCHEME).scheme("Viridis").steps(64))
        .with_target(_target(query, 0).format(prometheus_models.PromQueryFormat.HEATMAP))
    )
    return _place(panel, width, 8)


def process_row(service: str, present: str) -> Row:
    """Return the collapsed row about the process itself.

    Args:
        service: for the descriptions.
        present: a metric that only this service has.
    """
    own = f" and on (namespace, job, instance) {chosen(present)}"
    cpu = rate("process_cpu_seconds_total")
    collected = rate("python_gc_objects_collected_total")
    return (
        "The process",
        [
            lines("CPU", f"Cores that the {service} uses.", "none", Query(cpu + own), width=6),
            lines(
                "Memory",
                f"Resident memory of the {service}; compare with the container's limit.",
                "bytes",
                Query(chosen("process_resident_memory_bytes") + own),
                width=6,
            ),
            lines(
                "Open files",
                "Open file descriptors as a share of what the process may have.",
                "percentunit",
                Query(f"{chosen('process_open_fds')} / {chosen('process_max_fds')}{own}"),
                limit=Limit(FILES_RATIO),
                width=6,
            ),
            lines(
                "Garbage collected",
                "Objects that Python's cyclic collector freed per second; a rise costs latency.",
                "ops",
                Query(by("instance", collected + own)),
                width=6,
            ),
            lines(
                "Uptime",
                "Since the process started.",
                "s",
                Query(f"time() - {chosen('process_start_time_seconds')}{own}"),
                width=6,
            ),
        ],
        True,
    )


def build(uid: str, title: str, description: str, present: str, rows: list[Row]) -> str:
    """Return a dashboard's JSON.

    Args:
        uid: stable, so that links live.
        title: of the dashboard.
        description: of the dashboard.
        present: a metric by which namespaces, jobs and instances are found.
        rows: in their order.
    """
    board = (
        builders.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(["isotherm"])
        .timezone("browser")
        .refresh("30s")
        .time("now-3h", "now")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .readonly()
        .link(
            builders.DashboardLink("Isotherm")
            .type(models.DashboardLinkType.DASHBOARDS)
            .tags(["isotherm"])
            .as_dropdown(True)
            .include_vars(False)
            .keep_time(True)
            .icon("external link")
        )
        .with_variable(builders.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    )
    found = present
    for name in ("namespace", "job", "instance"):
        board.with_variable(_variable(name, found))
        matcher = f'{name}=~"${name}"'
        found = f"{found[:-1]}, {matcher}}}" if found.endswith("}") else f"{found}{{{matcher}}}"
    identifier = 0
    for row_title, panels, collapsed in rows:
        row = builders.Row(row_title)
        identifier += 1
        row.id(identifier)
        for panel in panels:
            identifier += 1
            panel.id(identifier)
        if collapsed:
            for panel in panels:
                row.with_panel(panel)
            board.with_row(row)
        else:
            board.with_row(row)
            for panel in panels:
                board.with_panel(panel)
    return JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False).encode(board.build()) + "\n"


def _variable(name: str, found: str) -> builders.QueryVariable:
    return (
        builders.QueryVariable(name)
        .label(name.capitalize())
        .query(f"label_values({found}, {name})")
        .datasource(SOURCE)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(models.VariableOption(selected=True, text="All", value="$__all"))
    )


def _target(query: Query, index: int) -> prometheus.Dataquery:
    target = prometheus.Dataquery().expr(query.expression).ref_id(chr(ord("A") + index)).range()
    return target.legend_format(query.legend).datasource(SOURCE)


def _thresholds(limit: Limit | None) -> builders.ThresholdsConfig:
    steps = [models.Threshold(value=None, color=GOOD)]
    if limit is not None:
        first, then = (BAD, GOOD) if limit.below else (GOOD, BAD)
        steps = [models.Threshold(value=None, color=first), models.Threshold(value=limit.value, color=then)]
    return builders.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)


def _place(panel: Any, width: int, height: int) -> Any:
    return panel.span(min(width, _WIDTH)).height(height).datasource(SOURCE)
