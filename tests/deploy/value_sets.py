"""The value sets that the chart is rendered with: one a file in ``values``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

Resource = dict[str, Any]

FOLDER = Path(__file__).parent / "values"
NAMES = sorted(each.stem for each in FOLDER.glob("*.yaml"))


def value_set(name: str, **changes: Any) -> dict[str, Any]:
    """The values of a file, with some at the top replaced."""
    values: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return values | changes


def of_kind(resources: list[Resource], kind: str) -> dict[str, Resource]:
    """The resources of a kind, by name."""
    return {each["metadata"]["name"]: each for each in resources if each["kind"] == kind}


def pods(resources: list[Resource]) -> dict[str, Resource]:
    """The spec of every pod that Deployments and Jobs make, by its owner."""
    owners = [each for each in resources if each["kind"] in {"Deployment", "Job"}]
    return {
        f"{each['kind']}/{each['metadata']['name']}": each["spec"]["template"]["spec"] for each in owners
    }


def variables(pod: Resource) -> dict[str, Resource]:
    """The environment of a pod's only container, by name."""
    (container,) = pod["containers"]
    return {each["name"]: each for each in container.get("env", [])}
