"""`/faults`: what goes wrong on purpose, turned on and off while the simulator runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from quart import Blueprint, Response, request

from isotherm_simulator.faults import read

if TYPE_CHECKING:
    from isotherm_simulator.errors import RefusedError
    from isotherm_simulator.faults import FaultBox

JSON = "application/json; charset=utf-8"


def create_control(box: FaultBox) -> Blueprint:
    """Return the pages that turn faults on and off."""
    control = Blueprint("control", __name__)

    @control.get("/faults")
    async def list_faults() -> Response:
        return as_json({"faults": box.listed(), "happened": dict(box.happened)})

    @control.post("/faults")
    async def add_fault() -> Response:
        return as_json(box.add(read(await request.get_json(force=True))), 201)

    @control.delete("/faults")
    async def clear_faults() -> Response:
        box.clear()
        return as_json({"faults": []})

    @control.delete("/faults/<int:number>")
    async def clear_fault(number: int) -> Response:
        if not box.clear(number):
            return as_json({"error": True, "reason": f"There is no fault {number}."}, 404)
        return as_json({"faults": box.listed()})

    return control


def refusal(error: RefusedError) -> Response:
    """Return what a refused request is answered with."""
    return as_json({"error": True, "reason": str(error)}, error.status)


def as_json(document: Any, status: int = 200) -> Response:
    """Return a JSON answer."""
    return Response(json.dumps(document, ensure_ascii=False), status=status, content_type=JSON)
