"""Rondo's history: keeps what happened in every conversation, and tells it again."""
