"""``python -m rondo_history.live_metrics``: count until told to stop."""

from __future__ import annotations

import sys

from rondo_common.service import run_service
from rondo_history.live_metrics.bootstrap import run
from rondo_history.live_metrics.settings import LiveMetricsSettings

if __name__ == "__main__":
    sys.exit(run_service("live-metrics", LiveMetricsSettings, run))
