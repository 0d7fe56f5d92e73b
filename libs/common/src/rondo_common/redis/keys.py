"""The names of Redis keys that more than one service uses.

All keys of a workspace share the hash tag ``{workspace}``, so that a function may touch them together
on a cluster. A key's doorbell is the pub/sub channel of the same name.
"""

from __future__ import annotations

from rondo_common.ids import AgentId, AlertId, CommandId, ConversationId, WorkspaceId


def workspace_key(workspace_id: WorkspaceId, *parts: str) -> str:
    """A key of one workspace."""
    return ":".join((f"rondo:{{{workspace_id}}}", *parts))


def epoch_key(workspace_id: WorkspaceId) -> str:
    """The newest epoch seen. Not there while a Redis that lost everything is filled again: then a view
    that is missing may still come. Written by the router."""
    return workspace_key(workspace_id, "epoch")


def view_key(workspace_id: WorkspaceId, conversation_id: ConversationId) -> str:
    """The conversation as everybody may see it: a hash. Written by the router."""
    return workspace_key(workspace_id, "conversation", conversation_id)


def answer_key(workspace_id: WorkspaceId, command_id: CommandId) -> str:
    """The router's answer to a command: a string that expires. Its doorbell rings once."""
    return workspace_key(workspace_id, "answer", command_id)


def agent_conversations_key(workspace_id: WorkspaceId, agent_id: AgentId) -> str:
    """The conversations offered to or active with an agent: a set. Written by the router."""
    return workspace_key(workspace_id, "agent", agent_id, "conversations")


def conversation_mailbox_key(workspace_id: WorkspaceId, conversation_id: ConversationId) -> str:
    """What a conversation's parties are told: a stream. Written by the notifier."""
    return workspace_key(workspace_id, "mailbox", "conversation", conversation_id)


def agent_mailbox_key(workspace_id: WorkspaceId, agent_id: AgentId) -> str:
    """What an agent is told: a stream. Written by the notifier."""
    return workspace_key(workspace_id, "mailbox", "agent", agent_id)


def queue_key(workspace_id: WorkspaceId) -> str:
    """The conversations that wait for an agent, the next one first: a sorted set. Written by the router.

    Its doorbell rings at every change: whoever waits looks where they stand.
    """
    return workspace_key(workspace_id, "queue")


def queue_pace_key(workspace_id: WorkspaceId) -> str:
    """How many seconds a place in the queue has lately been worth: a number. Written by the router."""
    return workspace_key(workspace_id, "queue", "pace_s")


def presence_key(workspace_id: WorkspaceId) -> str:
    """Until when each agent is present, in ms: a sorted set. Written by the gateway."""
    return workspace_key(workspace_id, "presence")


def alert_key(workspace_id: WorkspaceId, alert_id: AlertId) -> str:
    """An alert: a hash, whose field ``record`` everybody may read. Written by the notifier.

    Its doorbell rings at every change.
    """
    return workspace_key(workspace_id, "alert", alert_id)


def agent_alerts_key(workspace_id: WorkspaceId, agent_id: AgentId) -> str:
    """An agent's alerts by when they were created, in ms: a sorted set. Written by the notifier."""
    return workspace_key(workspace_id, "agent", agent_id, "alerts")


def visitor_presence_key(workspace_id: WorkspaceId) -> str:
    """Until when each conversation's visitor was seen, in ms, while a stream of theirs is open a little
    ahead of time: a sorted set. Written by the gateway."""
    return workspace_key(workspace_id, "visitor_presence")
