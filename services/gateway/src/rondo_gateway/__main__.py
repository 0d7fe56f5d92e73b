"""``python -m rondo_gateway``: run the gateway until it is told to stop."""

from __future__ import annotations

import sys

from rondo_common.logs import configure_logs
from rondo_common.process import run_process
from rondo_gateway.bootstrap import run
from rondo_gateway.settings import GatewaySettings


def main() -> int:
    """Read the settings, run; the exit status."""
    settings = GatewaySettings()
    configure_logs(
        log_format=settings.log_format,
        level=settings.log_level,
        service="gateway",
        instance=settings.instance,
    )
    return run_process(lambda stop: run(settings, stop))


if __name__ == "__main__":
    sys.exit(main())
