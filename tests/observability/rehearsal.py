"""A running system that a real Prometheus watches, with rules in a hurry: what breaks is to be seen within a minute."""

from __future__ import annotations

import contextlib
import json
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import yaml
from alerts import ALERTS

from isotherm_local import ports
from isotherm_local.ports import HOST
from isotherm_local.process import ManagedProcess, ProcessSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from isotherm_local.harness import Pipeline

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "charts/isotherm/rules/isotherm.yaml"
NAMESPACE = "rehearsal"
HOLD = "8s"
WINDOWS = {
    "2m": "12s",
    "5m": "20s",
    "15m": "60s",
    "30m": "40s",
    "1h": "40s",
    "2h": "44s",
    "6h": "48s",
    "1d": "52s",
    "3d": "56s",
}
"""What `metrics.rules.for` and `metrics.rules.windows` of the chart are for a rehearsal."""

OF_A_SLOW_MACHINE = frozenset({"IsothermLatencyBudgetBurnsFast", "IsothermLatencyBudgetBurnsSlowly"})
"""Where tests share few cores, a change may be late at any time: these count only where they are expected."""

SILENT_SECONDS = 300.0
FIRING_SECONDS = 300.0
_CALM_SECONDS = 5.0


def hurry(text: str, windows: Mapping[str, str] = WINDOWS, hold: str = HOLD) -> str:
    """Replace windows and `for` as the chart does."""
    for before, after in windows.items():
        text = text.replace(f"[{before}]", f"[@{after}]").replace(f"offset {before})", f"offset @{after})")
    document = yaml.safe_load(text.replace("[@", "[").replace("offset @", "offset "))
    for rule in (rule for group in document["groups"] for rule in group["rules"] if "alert" in rule):
        rule["for"] = hold
    return yaml.safe_dump(document, sort_keys=False, width=10_000)


def may_follow(names: set[str]) -> set[str]:
    """Return the alerts that are declared to follow from these, and from those that follow."""
    consequences = {alert.name: set(alert.consequences) for alert in ALERTS}
    found: set[str] = set()
    ahead = set(names)
    while ahead:
        new = consequences[ahead.pop()] - found
        found |= new
        ahead |= new
    return found


@dataclass
class Watch:
    """A Prometheus.

    Attributes:
        address: where it answers.
        namespace: whose alerts are looked at.
    """

    address: str
    namespace: str = NAMESPACE

    @classmethod
    @contextlib.contextmanager
    def running(cls, command: str, folder: Path, rules: str, targets: Mapping[str, str]) -> Iterator[Self]:
        """Start a Prometheus on targets (component to address), and end it."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "rules.yaml").write_text(rules, encoding="utf-8")
        static = [
            {"targets": [address], "labels": {"namespace": NAMESPACE, "component": component}}
            for component, address in targets.items()
        ]
        configuration = {
            "global": {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "2s"},
            "rule_files": ["rules.yaml"],
            "scrape_configs": [{"job_name": "pods", "static_configs": static}],
        }
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
        port = ports.free()
        arguments = [
            f"--config.file={folder / 'prometheus.yaml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={HOST}:{port}",
        ]
        address = f"http://{HOST}:{port}"
        spec = ProcessSpec("prometheus", [command, *arguments], folder, ready=lambda: _answers(f"{address}/-/ready"))
        process = ManagedProcess(spec).start()
        try:
            process.wait_ready(60)
            yield cls(address)
        finally:
            process.stop()

    def ask(self, query: str) -> list[dict[str, Any]]:
        """Return the series that a query is answered with now."""
        found: list[dict[str, Any]] = self._get("query", query=query)
        return found

    def states(self) -> dict[str, str]:
        """Return the alerts that are pending or firing now, those of a slow machine too."""
        found = self.ask(f'ALERTS{{namespace=~"({self.namespace})?"}}')
        states = {(series["metric"]["alertname"], series["metric"]["alertstate"]) for series in found}
        return {name: "firing" if (name, "firing") in states else "pending" for name, _ in states}

    def fired(self, since: float) -> set[str]:
        """Return the alerts that have fired since a time."""
        now = time.time()
        firing = f'ALERTS{{alertstate="firing", namespace=~"({self.namespace})?"}}'
        found = self._get("query_range", query=firing, start=since, end=now, step=1)
        return {series["metric"]["alertname"] for series in found}

    def _get(self, what: str, **parameters: Any) -> Any:
        address = f"{self.address}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(address, timeout=20) as response:
            return json.load(response)["data"]["result"]

    def wait_firing(self, names: set[str]) -> None:
        """Wait until all of these fire at once or have fired one after the other."""
        missing = set(names)
        deadline = time.monotonic() + FIRING_SECONDS
        while missing:
            states = self.states()
            missing -= {name for name, state in states.items() if state == "firing"}
            assert time.monotonic() < deadline, f"{sorted(missing)} did not fire; instead: {states}"
            time.sleep(0.5)

    def wait_silent(self) -> None:
        """Wait until no alert has been pending or firing for some seconds."""
        deadline = time.monotonic() + SILENT_SECONDS
        calm_since = time.monotonic()
        while time.monotonic() - calm_since < _CALM_SECONDS:
            states = self.states()
            if states.keys() - OF_A_SLOW_MACHINE:
                calm_since = time.monotonic()
            assert time.monotonic() < deadline, f"not silent: {states}"
            time.sleep(0.5)

    @contextlib.contextmanager
    def expecting(self, *names: str, beside: tuple[str, ...] = ()) -> Iterator[Callable[[], None]]:
        """Expect that within the block exactly these alerts fire, and what is declared to follow from them.

        Args:
            names: the alerts that have to fire.
            beside: what may fire too, besides the consequences that the alerts declare.

        Yields:
            A function that waits until all of them fire.
        """
        self.wait_silent()
        began = time.time()
        yield lambda: self.wait_firing(set(names))
        self.wait_silent()
        fired = self.fired(began)
        unexpected = fired - set(names) - may_follow(set(names)) - set(beside) - OF_A_SLOW_MACHINE
        assert set(names) <= fired
        assert unexpected == set(), f"{sorted(unexpected)} fired, which nobody has declared to follow from {names}"


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as response:
            return bool(response.status == HTTPStatus.OK)
    except OSError:
        return False


def targets_of(pipeline: Pipeline) -> dict[str, str]:
    """Return where the services of a pipeline serve their metrics."""
    return {component: f"{HOST}:{port}" for component, port in pipeline.metrics_ports.items()}
