"""``python -m rondo_router``: run the router until it is told to stop."""

from __future__ import annotations

import sys

from rondo_common.logs import configure_logs
from rondo_common.process import run_process
from rondo_router.bootstrap import run
from rondo_router.settings import RouterSettings


def main() -> int:
    """Read the settings, run; the exit status."""
    settings = RouterSettings()
    configure_logs(
        log_format=settings.log_format,
        level=settings.log_level,
        service="router",
        instance=settings.instance,
    )
    return run_process(lambda stop: run(settings, stop))


if __name__ == "__main__":
    sys.exit(main())
