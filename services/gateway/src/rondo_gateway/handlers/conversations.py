"""Reading a conversation, and the commands on it. The router decides; the gateway asks and waits."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from rondo_common.clock import Clock
from rondo_common.conversation import Status
from rondo_common.conversation_view import ConversationView
from rondo_common.envelope import Envelope
from rondo_common.errors import Conflict, Unavailable
from rondo_common.events import (
    AcceptChat,
    ConversationEvent,
    DeclineChat,
    EndChat,
    TakeChat,
    TransferChat,
    WithdrawChat,
)
from rondo_common.ids import AgentId, CommandId, ConversationId, TeamId
from rondo_common.permissions import Permission
from rondo_gateway.domain.permissions import (
    require_agent,
    require_in_talk,
    require_its_agent,
    require_member,
    require_permission,
    require_visitor_side,
)
from rondo_gateway.domain.principals import Member, Principal
from rondo_gateway.domain.representation import Conversation, conversation_of
from rondo_gateway.domain.transfer import TransferBody
from rondo_gateway.handlers.own_workspace import seen_workspace
from rondo_gateway.handlers.receivers import require_receiver
from rondo_gateway.handlers.source import SOURCE
from rondo_gateway.handlers.telling import Telling
from rondo_gateway.handlers.visible_conversations import (
    existing_conversation,
    party_conversation,
    readable_conversation,
)
from rondo_gateway.ports import Answers, Conversations, DirectoryView, EventLog, History

DECISION_WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Decided:
    """The conversation after the decision; None while the router has not decided yet."""

    conversation_id: ConversationId
    conversation: Conversation | None


class ConversationCommands:
    """Reads conversations, and has them accepted, declined, taken, transferred, withdrawn and ended."""

    def __init__(
        self,
        directory: DirectoryView,
        conversations: Conversations,
        history: History,
        log: EventLog,
        answers: Answers,
        telling: Telling,
        clock: Clock,
        new_command_id: Callable[[], CommandId],
    ) -> None:
        self._directory = directory
        self._conversations = conversations
        self._history = history
        self._log = log
        self._answers = answers
        self._telling = telling
        self._clock = clock
        self._new_command_id = new_command_id

    async def read(self, caller: Principal, conversation_id: ConversationId) -> Conversation:
        """The conversation, for its parties, the backend and those who may view all."""
        member = require_member(caller)

        async def look() -> ConversationView:
            return await readable_conversation(
                self._directory, self._conversations, self._history, member, conversation_id
            )

        view = await self._telling.shown_first(member, conversation_id, look)
        return conversation_of(view, member)

    async def accept(self, caller: Principal, conversation_id: ConversationId) -> Decided:
        """An agent takes the offer. Raises ``Conflict`` when the router refuses."""
        member = await self._knowing(caller, conversation_id)
        agent_id = require_agent(member)
        command = AcceptChat(conversation_id=conversation_id, agent_id=agent_id)
        return await self._decide(member, command)

    async def decline(self, caller: Principal, conversation_id: ConversationId) -> Decided:
        """An agent refuses the offer. Raises ``Conflict`` when the router refuses."""
        member = await self._knowing(caller, conversation_id)
        agent_id = require_agent(member)
        command = DeclineChat(conversation_id=conversation_id, agent_id=agent_id)
        return await self._decide(member, command)

    async def take(self, caller: Principal, conversation_id: ConversationId) -> Decided:
        """An agent who sees the queue takes a conversation out of it. Raises ``Conflict`` when the router
        refuses."""
        member = await self._knowing(caller, conversation_id)
        agent_id = require_agent(member)
        found = await seen_workspace(self._directory, member.workspace_id)
        require_permission(member, found, Permission.LIVE_CHAT_VIEW_ALL)
        offset = await self._directory.newest_offset(member.workspace_id)
        command = TakeChat(conversation_id=conversation_id, agent_id=agent_id, directory_offset=offset)
        return await self._decide(member, command)

    async def withdraw(self, caller: Principal, conversation_id: ConversationId) -> Decided:
        """The visitor no longer waits. Raises ``Conflict`` when the router refuses."""
        member = await self._knowing(caller, conversation_id)
        require_visitor_side(member)
        command = WithdrawChat(conversation_id=conversation_id, by=member.party())
        return await self._decide(member, command)

    async def end(self, caller: Principal, conversation_id: ConversationId) -> Decided:
        """Either side ends the talk; again is fine. Raises ``Conflict`` when the router refuses."""
        member = require_member(caller)

        async def look() -> ConversationView:
            view = await party_conversation(self._conversations, member, conversation_id)
            require_in_talk(member, view)
            return view

        view = await self._telling.shown_first(member, conversation_id, look)
        if view.status is Status.ENDED:
            return Decided(view.id, conversation_of(view, member))
        command = EndChat(conversation_id=conversation_id, by=member.party())
        return await self._decide(member, command)

    async def close(self, member: Member, view: ConversationView) -> None:
        """See to it that nothing more happens in a conversation: withdraw it, or end it.

        Raises:
            Unavailable: it is not decided yet; repeat it.
        """
        party = member.party()
        commands: list[ConversationEvent] = [
            WithdrawChat(conversation_id=view.id, by=party),
            EndChat(conversation_id=view.id, by=party),
        ]
        if view.status is Status.ACTIVE:
            commands.reverse()
        for command in commands:  # It may be accepted, or end, just now: then the other one fits.
            with contextlib.suppress(Conflict):
                decided = await self._decide(member, command)
                if decided.conversation is not None and decided.conversation.status.is_final:
                    return
        known = await self._conversations.find(member.workspace_id, view.id)
        if known is not None and not known.status.is_final:
            raise Unavailable("router", "it has not closed the visitor's conversations yet")

    async def transfer(
        self, caller: Principal, conversation_id: ConversationId, body: TransferBody
    ) -> Decided:
        """Its agent hands it over: another is offered it, and until they accept it stays.

        Raises:
            Invalid: there is no such agent or team, or it is the agent themselves.
            Conflict: the router refuses.
        """
        member = require_member(caller)

        async def look() -> AgentId:
            view = await party_conversation(self._conversations, member, conversation_id)
            return require_its_agent(member, view)

        by = await self._telling.shown_first(member, conversation_id, look)
        await require_receiver(self._directory, member.workspace_id, by, body)
        command = TransferChat(
            conversation_id=conversation_id,
            by=by,
            agent_id=None if body.agent_id is None else AgentId(body.agent_id),
            team_id=None if body.team_id is None else TeamId(body.team_id),
            directory_offset=await self._directory.newest_offset(member.workspace_id),
        )
        return await self._decide(member, command)

    async def _knowing(self, caller: Principal, conversation_id: ConversationId) -> Member:
        """The caller, if there is such a conversation for them."""
        member = require_member(caller)
        look = partial(existing_conversation, self._conversations, member, conversation_id)
        await self._telling.shown_first(member, conversation_id, look)
        return member

    async def _decide(self, member: Member, command: ConversationEvent) -> Decided:
        command_id = self._new_command_id()
        envelope = Envelope(command_id, SOURCE, self._clock(), member.workspace_id, command)
        async with self._answers.expected(member.workspace_id, command_id) as answer:
            await self._log.publish(envelope)
            decision = await answer(DECISION_WAIT_S)
        if decision is None:
            return Decided(command.conversation_id, None)
        if decision.refusal is not None:
            raise Conflict(decision.refusal, decision.detail or "Look at the conversation's status.")
        return Decided(command.conversation_id, await self._shown(member, command.conversation_id))

    async def _shown(self, member: Member, conversation_id: ConversationId) -> Conversation | None:
        try:
            view = await self._conversations.find(member.workspace_id, conversation_id)
        except Unavailable:
            return None  # The command was taken, so this is no refusal: the caller looks later.
        return None if view is None else conversation_of(view, member)
