"""The public HTTP surface as OpenAPI, from the gateway's routes alone: nothing is connected."""

from __future__ import annotations

import json

from rondo_gateway.entrypoints.app import openapi_document


def openapi_json() -> str:
    """The document's text. Deterministic."""
    return json.dumps(openapi_document(), indent=2, ensure_ascii=False) + "\n"
