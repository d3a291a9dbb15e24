"""From a run of the fetcher to what browsers got: one correlation, in traces, logs and documents."""

from __future__ import annotations

import contextlib
import json
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from isotherm_common.tracing import of_batch, of_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isotherm_local.harness import Pipeline, Servers


class Collector:
    """Takes spans by OTLP over HTTP.

    Attributes:
        spans: what came, by name, each with the service that sent it.
    """

    def __init__(self) -> None:
        self.spans: dict[str, list[tuple[str, Any]]] = defaultdict(list)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    @property
    def endpoint(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Serve."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        spans = self.spans

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    self.send_error(415)
                    return
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    names = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
                    for scope in resource.scope_spans:
                        for span in scope.spans:
                            spans[span.name].append((names["service.name"], span))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        return Handler


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector of traces."""
    made = Collector()
    with made.running():
        yield made


@pytest.fixture
def traced(servers: Servers, collector: Collector) -> Iterator[Pipeline]:
    """A pipeline whose services send traces."""
    settings = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "LOG_FORMAT": "json",
    }
    with servers.weather(settings=settings) as prepared:
        yield prepared.start_all()


def attributes(span: Any) -> dict[str, Any]:
    return {pair.key: pair.value.int_value or pair.value.string_value for pair in span.attributes}


def log(pipeline: Pipeline, name: str) -> list[dict[str, Any]]:
    """Return the lines of a service's log."""
    text = pipeline.processes[name].spec.log.read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def runs_of(collector: Collector) -> set[int]:
    """Return the runs whose spans have come."""
    return {attributes(span)["run_id"] for _, span in collector.spans["fetch_run"]}


def test_a_run_can_be_followed_to_the_browsers(traced: Pipeline, collector: Collector) -> None:
    """The broadcast's span is within the batch's and because of the run's; logs and documents name the same."""

    def followed() -> Any:
        """A broadcast, the batch that it is part of, and a run that led to it; not of rows that a snapshot read."""
        batches = {attributes(span)["seq"]: span for _, span in collector.spans["apply_batch"]}
        for service, broadcast in collector.spans["broadcast"]:
            batch = batches.get(attributes(broadcast)["seq"])
            causes = {link.trace_id for link in broadcast.links}
            for run_id in runs_of(collector):
                known_as = of_run(traced.database, run_id).trace_id.to_bytes(16, "big")
                if batch is not None and attributes(batch)["gtids"] and known_as in causes:
                    return service, broadcast, batch, run_id
        return None

    traced.until(lambda: followed() is not None, seconds=60, what="a broadcast that a run has led to")
    with traced.mongodb() as client:
        # The first rows may all have come by the snapshot, which knows no transaction: the next run's do not.
        weather = client[traced.database]["weather_data"]
        told = {"_cdc.gtid": {"$ne": None}}
        traced.until(lambda: weather.find_one(told) is not None, seconds=60, what="weather of a transaction")
    traced.processes["fetcher"].stop()
    service, broadcast, batch, run_id = followed()
    seq = attributes(batch)["seq"]
    assert service == "isotherm-web"
    assert broadcast.trace_id == of_batch(attributes(batch)["stream"], seq).trace_id.to_bytes(16, "big")
    assert (broadcast.trace_id, broadcast.parent_span_id) == (batch.trace_id, batch.span_id)
    lines = {name: log(traced, name) for name in ("fetcher", "cdc", "web")}
    (committed,) = [line for line in lines["cdc"] if line["event"] == "batch_committed" and line["seq"] == seq]
    (applied,) = [line for line in lines["web"] if line["event"] == "batch_applied" and line["seq"] == seq]
    assert run_id in {line.get("run_id") for line in lines["fetcher"] if line["event"] == "part_stored"}
    assert applied["run_ids"]
    assert applied["gtids"]
    assert set(applied["gtids"]) <= set(committed["gtids"])
    with traced.mongodb() as client:
        # Others are of the snapshot, which knows no transaction.
        document = client[traced.database]["weather_data"].find_one({"_cdc.gtid": {"$ne": None}})
    assert document is not None
    assert document["run_id"] in runs_of(collector)


def test_without_an_endpoint_nothing_of_it_is_loaded(shared_pipeline: Pipeline) -> None:
    """Off costs nothing: what encodes spans is not even in memory."""
    for name in ("fetcher", "cdc", "web"):
        mapped = Path(f"/proc/{shared_pipeline.processes[name].pid}/maps").read_text(encoding="utf-8")
        assert "/python" in mapped
        assert "google/_upb" not in mapped
