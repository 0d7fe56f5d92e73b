"""Rondo's own services, as far as they have an address: are they ready, and what time is it there?"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version

import httpx

from rondo_common.examination import Finding, clock_finding, doubtful, fine, not_examined, wrong

ADDRESSES = {"gateway": "RONDO_URL", "history": "RONDO_HISTORY_URL"}
TIMEOUT_S = 10.0
DATE_GRAIN_S = 1.0
"""A Date header has whole seconds."""


async def examine_services(environ: Mapping[str, str]) -> Sequence[Finding]:
    """See :data:`rondo_common.examination.Examination`."""
    found = [_packages()]
    async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as http:
        for service, variable in ADDRESSES.items():
            url = environ.get(variable, "")
            found += await _service(http, service, url) if url else [not_examined(service, variable)]
    return found


def _packages() -> Finding:
    """The packages that are installed here, which should all be of one version."""
    versions = {}
    for name in ("common", "command", "gateway", "router", "notifier", "history"):
        try:
            versions[name] = version(f"rondo-{name}")
        except PackageNotFoundError:
            continue
    if len(set(versions.values())) > 1:
        told = ", ".join(f"{name} {each}" for name, each in versions.items())
        return wrong(
            "packages", f"several versions are installed side by side: {told}", "install one version"
        )
    return fine("packages", f"Rondo {next(iter(versions.values()))}")


async def _service(http: httpx.AsyncClient, service: str, url: str) -> list[Finding]:
    try:
        answer = await http.get(f"{url}/readyz")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        says = f"does not answer at {url} ({type(error).__name__})"
        return [wrong(service, says, f"start it, or correct {ADDRESSES[service]}")]
    found = [_readiness(service, answer)]
    if "date" in answer.headers:
        ahead_s = parsedate_to_datetime(answer.headers["date"]).timestamp() - time.time()
        found.append(clock_finding(service, beyond_grain(ahead_s)))
    return found


def beyond_grain(ahead_s: float) -> float:
    """As far ahead as is certain: the header was cut to a whole second."""
    return min(ahead_s + DATE_GRAIN_S, 0.0) if ahead_s < 0 else ahead_s


def _readiness(service: str, answer: httpx.Response) -> Finding:
    try:
        told = answer.json()
        checks = dict(told["checks"])
    except (ValueError, KeyError, TypeError):
        remedy = f"see that {ADDRESSES[service]} leads to it"
        return doubtful(service, f"what answers is no {service} of Rondo ({answer.status_code})", remedy)
    waiting = [f"{name}: {result}" for name, result in checks.items() if result != "ok"]
    if answer.is_success:
        return fine(service, "it is ready")
    return wrong(
        service, f"it is not ready: {'; '.join(waiting) or 'it is not alive'}", "mend what it names"
    )
