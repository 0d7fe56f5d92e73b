#!/usr/bin/env python3
"""Write the generated documentation, or check that it is fresh.

``python docs/generate.py`` writes the files; ``--check`` writes nothing and exits with 1 when one of
them is stale, naming each.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # Run as a file, so that the checkout is not on the path.

from docs.generators.access_page import access_markdown  # noqa: E402 - the path comes first
from docs.generators.asyncapi import asyncapi_yaml, schema_json  # noqa: E402 - the same
from docs.generators.chart import facts_json, monitoring_copies  # noqa: E402 - the same
from docs.generators.chart_readme import chart_readme  # noqa: E402 - the same
from docs.generators.dashboards import DASHBOARDS, Dashboard, dashboard_json  # noqa: E402 - the same
from docs.generators.metrics_page import metrics_markdown  # noqa: E402 - the same
from docs.generators.openapi import openapi_json  # noqa: E402 - the same
from docs.generators.settings_page import settings_markdown  # noqa: E402 - the same
from rondo_common.events import EVENT_TYPES, Event  # noqa: E402 - the same
from rondo_common.redis.users import acl_template  # noqa: E402 - the same


def _schema(model: type[Event]) -> Callable[[], str]:
    return lambda: schema_json(model)


def _dashboard(dashboard: Dashboard) -> Callable[[], str]:
    return lambda: dashboard_json(dashboard)


CHART = ROOT / "deploy/helm/rondo"

GENERATED: Mapping[str, Callable[[], str]] = {
    "deploy/helm/rondo/README.md": lambda: chart_readme(
        ROOT / "docs/generators/chart_readme.md", CHART / "values.yaml"
    ),
    "deploy/helm/rondo/files/facts.json": facts_json,
    **{f"deploy/monitoring/dashboards/{each.uid}.json": _dashboard(each) for each in DASHBOARDS},
    "docs/api/asyncapi.yaml": lambda: asyncapi_yaml(ROOT / "tests/schemas"),
    "docs/api/openapi.json": openapi_json,
    **{f"docs/api/schemas/{name}.json": _schema(model) for name, model in EVENT_TYPES.items()},
    "docs/operations/kafka-access.md": lambda: access_markdown(ROOT / "docs/generators/access.md"),
    "docs/operations/metrics.md": lambda: metrics_markdown(ROOT / "docs/generators/metrics.md"),
    "docs/operations/redis-users.acl": acl_template,
    "docs/settings.md": lambda: settings_markdown(ROOT / "docs/generators/settings.md"),
    **monitoring_copies(ROOT),  # The last, because they may be copies of what is written above.
}
"""Each generated file, by its path in the checkout, with what writes its text."""


def main(arguments: list[str]) -> int:
    """Write or check; the exit status."""
    parser = argparse.ArgumentParser(description="Write the generated documentation.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is stale")
    if parser.parse_args(arguments).check:
        return _report(stale_files(ROOT))
    for path in stale_files(ROOT):
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(GENERATED[path](), encoding="utf-8")
        print(f"written: {path}")
    return 0


def stale_files(checkout: Path) -> list[str]:
    """The generated files whose text in ``checkout`` is not what the code says now, or missing."""
    return [path for path, text in GENERATED.items() if _read(checkout / path) != text()]


def _report(stale: list[str]) -> int:
    for path in stale:
        print(f"stale: {path}", file=sys.stderr)
    if stale:
        print("run `make generate` and commit what it writes", file=sys.stderr)
    return 1 if stale else 0


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
