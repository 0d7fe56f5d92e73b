"""Rondo measured against the raw limits of what it stands on, in one run on one machine."""
