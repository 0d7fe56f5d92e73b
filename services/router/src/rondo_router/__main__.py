"""``python -m rondo_router``: run the router until it is told to stop."""

from __future__ import annotations

import sys

from rondo_common.service import run_service
from rondo_router.bootstrap import run
from rondo_router.settings import RouterSettings

if __name__ == "__main__":
    sys.exit(run_service("router", RouterSettings, run))
