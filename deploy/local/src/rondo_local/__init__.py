"""Rondo's local stack: Kafka, Valkey, PostgreSQL and the services, rootless, on loopback."""

from __future__ import annotations
