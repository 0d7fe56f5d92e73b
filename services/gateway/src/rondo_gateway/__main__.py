"""``python -m rondo_gateway``: run the gateway until it is told to stop."""

from __future__ import annotations

import sys

from rondo_common.service import run_service
from rondo_gateway.bootstrap import run
from rondo_gateway.settings import GatewaySettings

if __name__ == "__main__":
    sys.exit(run_service("gateway", GatewaySettings, run))
