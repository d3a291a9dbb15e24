"""The OpenAPI document, with the media types that are really answered (contract H5)."""

from __future__ import annotations

from typing import Any

from quart_schema.openapi import OpenAPIProvider

from isotherm_web.models import CsvFile, Frames, Problem
from isotherm_web.problems import PROBLEM_TYPE

JSON, BINARY, CSV = "application/json", "application/octet-stream", "text/csv"
_BYTES = {"schema": {"type": "string", "format": "binary"}}


class Provider(OpenAPIProvider):
    """Describes what is no plain JSON as what it is."""

    def build_response_object(
        self, model: type[Any], headers_model: type[Any] | None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the description of an answer and the schemas that it refers to."""
        answer, definitions = super().build_response_object(model, headers_model)
        content = answer["content"]
        if model is Problem:
            answer["content"] = {PROBLEM_TYPE: content[JSON]}
        elif model is CsvFile:
            return {"content": {CSV: {"schema": {"type": "string"}}}, "description": answer["description"]}, {}
        elif model is Frames:
            content[BINARY] = _BYTES
        return answer, definitions
