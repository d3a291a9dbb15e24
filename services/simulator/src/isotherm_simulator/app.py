"""HTTP in and out: Open-Meteo's `/v1/forecast`."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from quart import Quart, Response, request
from werkzeug.exceptions import BadRequest, HTTPException

from isotherm_simulator import answer, faults
from isotherm_simulator.control import JSON, as_json, create_control, refusal
from isotherm_simulator.errors import BadRequestError, LimitExceededError, OverloadedError, RefusedError
from isotherm_simulator.query import parse
from isotherm_simulator.quota import FAILED_COST, Concurrency, Quota
from isotherm_simulator.wire import DROP_HEADER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from isotherm_simulator.faults import Fault, FaultBox
    from isotherm_simulator.metrics import Metrics
    from isotherm_simulator.query import Query
    from isotherm_simulator.weather import Weather

_TOO_MUCH = (
    "Your API call requests too much data. Please reduce the number of variables, locations and/or weather models."
)


@dataclass
class Simulator:
    """What answers.

    Attributes:
        weather: what is answered from.
        faults: what goes wrong on purpose.
        metrics: what is counted.
        quota: what each client has spent; None: no limits.
        concurrency: what each client has under way; heeded when there is a quota.
        interval_seconds: how far apart the times of the present are.
        clock: Unix time in seconds.
    """

    weather: Weather
    faults: FaultBox
    metrics: Metrics
    quota: Quota | None = None
    concurrency: Concurrency = field(default_factory=Concurrency)
    interval_seconds: int = 900
    clock: Callable[[], float] = time.time
    _turns: dict[str, asyncio.Lock] = field(default_factory=dict)

    @asynccontextmanager
    async def admitted(self, client: str) -> AsyncIterator[None]:
        """Let one request of a client run at a time, and some wait.

        Raises:
            LimitExceededError: its quota is spent, or too many wait.
        """
        if self.quota is None:
            yield
            return
        self.quota.check(client, self.clock())
        self.concurrency.enter(client)
        try:
            async with self._turns.setdefault(client, asyncio.Lock()):
                yield
        finally:
            self.concurrency.leave(client)

    async def forecast(self, client: str, met: Sequence[Fault]) -> Response:
        """Answer the present request.

        Args:
            client: whose quota it counts against.
            met: the faults that it meets.
        """
        async with self.admitted(client):
            try:
                query = parse(await _parameters())
                self._check_weight(query)
            except RefusedError:
                self._spend(client, FAILED_COST)
                raise
            self._spend(client, query.weight)
            with self.metrics.seconds.time():
                body = await asyncio.to_thread(self._body, query, met)
            self.metrics.locations.inc(len(query.latitude))
            return Response(body, content_type=JSON)

    def _check_weight(self, query: Query) -> None:
        if self.quota is not None and query.weight > min(window.limit for window in self.quota.windows[1:]):
            raise BadRequestError(_TOO_MUCH)

    def _spend(self, client: str, weight: float) -> None:
        if self.quota is not None:
            self.quota.spend(client, weight, self.clock())

    def _body(self, query: Query, met: Sequence[Fault]) -> str:
        answers = answer.build(query, self.weather, self.clock(), self.interval_seconds)
        kinds = {fault.kind: fault for fault in met}
        if "nulls" in kinds:
            self.faults.take_away(answers, kinds["nulls"].fraction)
        one = len(answers) == 1 or "single_object" in kinds
        body = json.dumps(answers[0] if one else answers, ensure_ascii=False, separators=(",", ":"))
        if "stream_error" in kinds:
            return body[: len(body) * 2 // 3] + faults.LATE_ERROR
        return body


def create_app(simulator: Simulator) -> Quart:
    """Return the application."""
    app = Quart("isotherm_simulator", static_folder=None)

    @app.route("/v1/forecast", methods=["GET", "POST"])
    async def forecast() -> Response:
        met = simulator.faults.draw()
        for fault in met:
            simulator.metrics.faults.labels(fault.kind).inc()
            if fault.kind == "slow":
                await asyncio.sleep(fault.seconds)
        try:
            response = _ending(met) or await simulator.forecast(request.remote_addr or "", met)
        except RefusedError as error:
            response = refusal(error)
        simulator.metrics.requests.labels(str(response.status_code)).inc()
        return response

    app.register_blueprint(create_control(simulator.faults))

    @app.errorhandler(RefusedError)
    async def refused(error: RefusedError) -> Response:
        return refusal(error)

    @app.errorhandler(HTTPException)
    async def failed(error: HTTPException) -> Response:
        return as_json({"error": True, "reason": error.description or error.name}, error.code or 500)

    return app


def _ending(met: Sequence[Fault]) -> Response | None:
    for fault in met:
        if fault.kind == "overloaded":
            raise OverloadedError(faults.OVERLOADED)
        if fault.kind in faults.REASONS:
            raise LimitExceededError(faults.REASONS[fault.kind])
        if fault.kind == "garbage":
            return Response(faults.GARBAGE, content_type="text/html")
        if fault.kind == "drop":
            return Response("[" + " " * 1000, content_type=JSON, headers={DROP_HEADER: "yes"})
    return None


async def _parameters() -> dict[str, list[object]]:
    """Return the request's parameters: a GET has them in its address, a POST in its body, as a form or as JSON."""
    if request.method == "GET":
        return {name: list(values) for name, values in request.args.lists()}
    if request.mimetype != "application/json":
        form = await request.form
        return {name: list(values) for name, values in form.lists()}
    try:
        document = await request.get_json()
    except BadRequest as error:
        message = "The body is not JSON."
        raise BadRequestError(message) from error
    if not isinstance(document, dict):
        message = "The body must be a JSON object."
        raise BadRequestError(message)
    return {
        name: list(value) if isinstance(value, list) else [value]
        for name, value in document.items()
        if value is not None
    }
