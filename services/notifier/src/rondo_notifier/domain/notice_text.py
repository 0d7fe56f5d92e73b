"""What an alert says, in the few words that a banner, a push or a line in a chat has room for."""

from __future__ import annotations

from rondo_common.alerts import AlertRecord

NAME_LENGTH_MAX = 100


def title_of(act: str) -> str:
    """The first line."""
    return "A chat for you" if act == "ring" else "Chat no longer waiting"


def body_of(visitor: str, act: str) -> str:
    """The second line: who waits."""
    who = visitor[:NAME_LENGTH_MAX] or "A visitor"
    return f"{who} waits for your answer." if act == "ring" else "There is nothing left to answer."


def tag_of(record: AlertRecord) -> str:
    """What replaces what on a device: one notification a conversation."""
    return f"rondo-{record.conversation_id}"
