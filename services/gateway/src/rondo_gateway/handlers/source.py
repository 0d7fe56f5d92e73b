"""How the gateway signs what it writes."""

from __future__ import annotations

SOURCE = "/rondo/gateway"
"""The CloudEvents source of every event and command from here."""
