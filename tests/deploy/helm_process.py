"""Helm, in a process of its own: it is Go, and brings threads and signal handlers of its own along.

Everything here is called in that process; arguments and results are plain values.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import helm_python as helm
import yaml

CHART = Path(__file__).resolve().parents[2] / "deploy/helm/rondo"
RELEASE = "rondo"
NAMESPACE = "chat"


def render(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Every resource of an installation with ``values``, hooks included, as it is sent to Kubernetes."""
    with helm.Chart.load(CHART) as chart:
        texts = chart.render(values, name=RELEASE, namespace=NAMESPACE)
    rendered = [text for path, text in sorted(texts.items()) if path.endswith(".yaml")]
    return [each for text in rendered for each in yaml.safe_load_all(text) if each]


def refusal(values: dict[str, Any]) -> str:
    """Why Helm refuses ``values``; empty where it takes them."""
    try:
        render(values)
    except helm.HelmError as error:
        return str(error)
    return ""


def schema_refusal(values: dict[str, Any]) -> str:
    """Why the schema of the values refuses ``values``; empty where it takes them."""
    with helm.Chart.load(CHART) as chart:
        try:
            chart.validate_schema(values)
        except helm.HelmError as error:
            return str(error)
    return ""


def complaints(values: dict[str, Any]) -> list[str]:
    """What ``helm lint --strict`` complains about."""
    report = helm.lint(CHART, values, strict=True, namespace=NAMESPACE)
    told = [f"{each['path']}: {each['error']}" for each in report["messages"] if each["severity"] > 1]
    return [*told, *report["errors"]]


def lifecycle(kubeconfig: str, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Install with one set of values, upgrade to another, and roll back: the manifest after each."""
    with helm.Config(kubeconfig_content=kubeconfig, namespace=NAMESPACE) as config:
        config.install(CHART, RELEASE, before, namespace=NAMESPACE)
        first = config.status(RELEASE)["manifest"]
        config.upgrade(CHART, RELEASE, after, namespace=NAMESPACE)
        second = config.status(RELEASE)["manifest"]
        config.rollback(RELEASE, version=1)
        third = config.status(RELEASE)["manifest"]
    return [first, second, third]


def uninstall(kubeconfig: str) -> None:
    """Remove the release."""
    with helm.Config(kubeconfig_content=kubeconfig, namespace=NAMESPACE) as config:
        config.uninstall(RELEASE)
