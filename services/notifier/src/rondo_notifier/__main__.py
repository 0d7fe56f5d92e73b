"""``python -m rondo_notifier``: run the notifier until it is told to stop."""

from __future__ import annotations

import sys

from rondo_common.logs import configure_logs
from rondo_common.process import run_process
from rondo_notifier.bootstrap import run
from rondo_notifier.settings import NotifierSettings


def main() -> int:
    """Read the settings, run; the exit status."""
    settings = NotifierSettings()
    configure_logs(
        log_format=settings.log_format,
        level=settings.log_level,
        service="notifier",
        instance=settings.instance,
    )
    return run_process(lambda stop: run(settings, stop))


if __name__ == "__main__":
    sys.exit(main())
