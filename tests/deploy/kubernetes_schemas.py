"""Whether a resource is what Kubernetes expects: by its versions' schemas, and by the CRDs in ``crds``.

Strict: a field that no schema knows is a mistake too, as with ``kubectl apply --validate=strict``.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import kubernetes_validate
import yaml

VERSIONS = ("1.34", "1.35")
CRDS = Path(__file__).parent / "crds"

Schema = dict[str, Any]


def mistakes(resource: dict[str, Any], version: str) -> list[str]:
    """What is wrong with a resource, by its kind's schema."""
    own = custom_schemas().get((resource["apiVersion"], resource["kind"]))
    if own is not None:
        validator = jsonschema_rs.Draft7Validator(own)
        return [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(resource)]
    try:
        kubernetes_validate.validate(resource, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [f"{list(error.path)}: {error.message}"]
    return []


@cache
def custom_schemas() -> dict[tuple[str, str], Schema]:
    """The schema of every custom resource, by API version and kind."""
    found = {}
    for file in CRDS.glob("*.yaml"):
        crd = yaml.safe_load(file.read_text(encoding="utf-8"))["spec"]
        for version in crd["versions"]:
            schema = _strict(version["schema"]["openAPIV3Schema"])
            schema["properties"] |= {"metadata": {"type": "object"}}
            found[f"{crd['group']}/{version['name']}", crd["names"]["kind"]] = schema
    return found


def _strict(schema: Schema) -> Schema:
    """The schema as the API server applies it with strict validation: it prunes what it does not know."""
    strict = {key: _strict_part(key, value) for key, value in schema.items()}
    if "(?i)" in str(schema.get("pattern")):
        del strict["pattern"]  # A word of Go's regular expressions that JSON Schema's have not.
    is_open = "additionalProperties" in schema or schema.get("x-kubernetes-preserve-unknown-fields")
    if "properties" in schema and not is_open:
        strict["additionalProperties"] = False
    return strict


def _strict_part(key: str, value: Any) -> Any:
    if key == "properties":
        return {name: _strict(each) for name, each in value.items()}
    if key in {"items", "additionalProperties"} and isinstance(value, dict):
        return _strict(value)
    return value
