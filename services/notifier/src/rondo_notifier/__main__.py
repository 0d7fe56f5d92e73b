"""``python -m rondo_notifier``: run the notifier until it is told to stop."""

from __future__ import annotations

import sys

from rondo_common.service import run_service
from rondo_notifier.bootstrap import run
from rondo_notifier.settings import NotifierSettings

if __name__ == "__main__":
    sys.exit(run_service("notifier", NotifierSettings, run))
