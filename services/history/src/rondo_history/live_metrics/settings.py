"""The settings of live metrics, from the environment (``RONDO_…``)."""

from __future__ import annotations

from pydantic import Field

from rondo_common.settings import ReaderSettings


class LiveMetricsSettings(ReaderSettings):
    """Everything live metrics can be told."""

    service_level_s: float = Field(
        default=30.0, ge=1, le=86_400, description="Waiting longer for an agent breaches the service level"
    )
