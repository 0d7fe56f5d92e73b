"""What the log remembers, made a workspace of the plain switchboard again."""

from __future__ import annotations

from rondo_common.clock import milliseconds
from rondo_common.conversation import Status
from rondo_common.ids import ConversationId
from rondo_router.domain.decision import Decision, OpenOffer
from rondo_router.domain.instruction import idle_timer, offer_timer, queue_timer, visitor_timer
from rondo_router.domain.memory import ChatMemory, WorkspaceMemory
from rondo_router.domain.outcome import WAITING
from rondo_router.domain.route_plan import Stage
from tests.router.plain_chats import Chat, Transfer
from tests.router.plain_workspace import Shown, Workspace

PRESENCE_GRACE_MS = 75_000


def restore_workspace(memory: WorkspaceMemory, now: int) -> Workspace:
    """Everything but seats and pools, which the directory has."""
    workspace = Workspace(engagements=dict(memory.engagements), queue_order=memory.queue_order)
    for conversation_id, told in memory.chats.items():
        _restore_chat(workspace, conversation_id, told, now)
    for name, pool in memory.pools.items():
        workspace.circle(name).restore(pool.counter, pool.served, pool.kept)
    for cause in memory.causes:
        workspace.decisions[cause] = Decision(cause=cause, at=now, repeated=True)
    until = now + PRESENCE_GRACE_MS
    for agent in memory.present:
        workspace.present.add(agent)
        workspace.leases[agent] = max(workspace.leases.get(agent, 0), until)
        workspace.timers[f"presence/{agent}/{until}"] = until
    return workspace


def _restore_chat(
    workspace: Workspace, conversation_id: ConversationId, told: ChatMemory, now: int
) -> None:
    chat = Chat(
        conversation_id,
        told.request,
        told.plan,
        status=told.status,
        stage=told.stage,
        attempt=told.attempt,
        unanswered=told.unanswered,
        tried=list(told.tried),
        agent=told.agent,
        offer=_open_offer(told),
        version=told.version,
    )
    if told.queued is not None:
        chat.order, chat.queue_until = told.queued.order, milliseconds(told.queued.expires_at)
    if chat.offer is not None and chat.agent is not None:
        # Whom else it was to be handed to is not in the log.
        stage = Stage(name="agent", leg=0, attempts_max=1, agent_id=chat.offer.agent.id)
        tried = [chat.agent.id, chat.offer.agent.id]
        chat.transfer = Transfer(stage, chat.plan.offer_timeout_s, tried)
    _restore_liveness(chat, told, now)
    workspace.chats[conversation_id] = chat
    if told.last_message_at is not None:
        workspace.last_message_at[conversation_id] = milliseconds(told.last_message_at)
    for agent in chat.holders:
        workspace.desks.setdefault(agent, set()).add(conversation_id)
    view = told.view(conversation_id)
    workspace.shown[conversation_id] = Shown(told.version, view, told.log_offset, told.state_offset)
    if chat.offer is not None:
        name = offer_timer(conversation_id, chat.offer.attempt)
        workspace.timers[name] = chat.offer.expires_at
    if chat.status is Status.QUEUED:
        workspace.timers[queue_timer(conversation_id, chat.attempt)] = chat.queue_until
    if chat.idle_due:
        workspace.timers[idle_timer(conversation_id, chat.idle_due)] = chat.idle_due
    if chat.lease_due:
        workspace.timers[visitor_timer(conversation_id, chat.lease_due)] = chat.lease_due


def _restore_liveness(chat: Chat, told: ChatMemory, now: int) -> None:
    """Who waits has a whole lease to be seen again; silence counts from where the log has it."""
    if chat.status in WAITING and chat.plan.visitor_lease_s:
        chat.lease_due = now + chat.plan.visitor_lease_s * 1000
    if chat.status is not Status.ACTIVE or told.active_at is None:
        return
    chat.active_at = milliseconds(told.active_at)
    said = 0 if told.last_message_at is None else milliseconds(told.last_message_at)
    since = max(said, chat.active_at)
    chat.idle_due = since + chat.plan.idle.timeout_ms - chat.plan.idle.notice_ms
    if told.idle_ends_at is not None:
        chat.idle_warned = since
        chat.idle_due = chat.idle_ends = milliseconds(told.idle_ends_at)


def _open_offer(told: ChatMemory) -> OpenOffer | None:
    offer = told.offer
    if offer is None or told.status.is_final:
        return None
    return OpenOffer(
        agent=offer.agent,
        attempt=offer.attempt,
        offered_at=milliseconds(offer.offered_at),
        expires_at=milliseconds(offer.expires_at),
    )
