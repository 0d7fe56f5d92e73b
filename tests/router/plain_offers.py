"""Offering, plainly: along the plan to the next agent, into the queue, or back to the visitor."""

from __future__ import annotations

from rondo_common.conversation import (
    TAKEN,
    AgentCard,
    EndReason,
    FallbackReason,
    Party,
    RescindReason,
    Status,
)
from rondo_common.ids import AgentId, ConversationId
from rondo_router.domain import decision as decided
from rondo_router.domain.decision import ChatState, ChatStep, OpenOffer, Step, StepWhy
from rondo_router.domain.route_plan import TransferPlan
from tests.router.plain_chats import Chat, Transfer
from tests.router.plain_workspace import Workspace


class Offering:
    """One decision in the making: its steps, and the conversations they move."""

    def __init__(self, workspace: Workspace, now: int) -> None:
        self.workspace = workspace
        self.now = now
        self.steps: list[Step] = []
        self.moved: dict[ConversationId, Chat] = {}
        self.freed: list[AgentId] = []
        """Who may have room now for somebody who waits."""

    def states(self) -> tuple[ChatState, ...]:
        return tuple(chat.state() for chat in self.moved.values())

    def tell(self, chat: Chat, step: ChatStep) -> None:
        self.steps.append(step)  # type: ignore[arg-type]  # Each ChatStep is one of Step.
        if chat.conversation_id not in self.moved:
            self.moved[chat.conversation_id] = chat
            chat.version += 1

    # -- along the plan -------------------------------------------------------------------------

    def offer_next(self, chat: Chat) -> None:
        """To the first stage with a candidate. Without any: wait where that is provided for."""
        why = StepWhy(stage="route")
        for number, stage in chat.stages_ahead():
            agent = self.workspace.candidate(stage, chat.tried)
            why = self.workspace.why(stage, agent, chat.tried)
            if agent is not None:
                return self.offer(chat, number, agent, why)
        if chat.plan.queue is None:
            return self.fall_back(chat, chat.plan.nobody, why)
        return self.wait(chat, why)

    def go_on(self, chat: Chat) -> None:
        """After an offer that came to nothing: within the leg, or on to the next when that is used up."""
        stages = chat.plan.stages
        if stages:
            stage = stages[chat.stage]
            if chat.unanswered >= stage.attempts_max:
                later = [number for number, each in chat.stages_ahead() if each.leg != stage.leg]
                if not later:
                    why = StepWhy(stage=stage.name, pool=stage.pool)
                    return self.fall_back(chat, chat.plan.unanswered, why)
                chat.stage, chat.unanswered = later[0], 0
        return self.offer_next(chat)

    def offer(self, chat: Chat, number: int, agent: AgentId, why: StepWhy) -> None:
        stages = chat.plan.stages
        if stages[number].leg != stages[chat.stage].leg:
            chat.unanswered = 0  # Each leg has attempts of its own.
        chat.status, chat.stage = Status.OFFERED, number
        chat.tried.append(agent)
        left = stages[number].attempts_max - chat.unanswered - 1
        names = tuple(each.name for each in stages[number + 1 :])
        why = why.model_copy(update={"attempts_left": left, "stages_left": names})
        self._ring(chat, stages[number].pool, agent, why, chat.plan.offer_timeout_s)

    def _ring(self, chat: Chat, pool: str | None, agent: AgentId, why: StepWhy, timeout_s: int) -> None:
        if pool is not None:
            turn = self.workspace.circle(pool).serve(agent)
            why = why.model_copy(update={"place": turn.place, "turn": turn.number})
        chat.attempt += 1
        chat.offer = OpenOffer(
            agent=self.workspace.seats[agent].card,
            attempt=chat.attempt,
            offered_at=self.now,
            expires_at=self.now + timeout_s * 1000,
        )
        self.workspace.let_turns_pass()
        by = chat.agent if chat.transfer is not None else None
        self.tell(
            chat,
            decided.Offered(
                conversation_id=chat.conversation_id, **dict(chat.offer), why=why, transferred_by=by
            ),
        )

    def fall_back(self, chat: Chat, reason: FallbackReason, why: StepWhy) -> None:
        chat.status = Status.FELL_BACK
        fallback = chat.plan.fallback
        self.tell(
            chat,
            decided.FellBack(
                conversation_id=chat.conversation_id,
                reason=reason,
                message=fallback.message,
                offer_meeting=fallback.offer_meeting,
                why=why,
            ),
        )

    # -- offers that end ------------------------------------------------------------------------

    def close_offer(self, chat: Chat) -> None:
        """Whoever was offered it has their place back."""
        assert chat.offer is not None
        agent = chat.offer.agent.id
        chat.offer = None
        self.release(agent)

    def release(self, agent: AgentId) -> None:
        self.workspace.let_turns_pass()
        if agent in self.workspace.seats:
            self.freed.append(agent)

    def leave_unanswered(self, chat: Chat, step: type[decided.Declined | decided.TimedOut]) -> None:
        """Declined or missed: it uses one of the attempts."""
        assert chat.offer is not None
        self.tell(
            chat,
            step(conversation_id=chat.conversation_id, agent_id=chat.offer.agent.id, attempt=chat.attempt),
        )
        self.close_offer(chat)
        if chat.transfer is not None:
            chat.transfer.unanswered += 1
            return self.go_on_transferring(chat)
        chat.unanswered += 1
        return self.go_on(chat)

    def rescind(self, chat: Chat, reason: RescindReason) -> None:
        assert chat.offer is not None
        self.tell(
            chat,
            decided.Rescinded(
                conversation_id=chat.conversation_id,
                agent_id=chat.offer.agent.id,
                attempt=chat.attempt,
                reason=reason,
            ),
        )
        self.close_offer(chat)

    def take_back(self, chat: Chat, reason: RescindReason) -> None:
        """The agent can no longer answer: on to the next, at no attempt's cost."""
        self.rescind(chat, reason)
        return self.go_on(chat) if chat.transfer is None else self.go_on_transferring(chat)

    def end(self, chat: Chat, reason: EndReason, by: Party) -> None:
        """The talk is over, also where it was being handed over."""
        assert chat.agent is not None
        if chat.offer is not None:
            self.rescind(chat, RescindReason.ENDED)
        chat.transfer = None
        chat.status = Status.ENDED
        self.tell(
            chat,
            decided.Ended(conversation_id=chat.conversation_id, reason=reason, by=by, agent=chat.agent),
        )
        self.release(chat.agent.id)

    # -- handing over ---------------------------------------------------------------------------

    def begin_transfer(self, chat: Chat, plan: TransferPlan) -> str | None:
        """Ask whoever is there; gives a refusal when nobody is."""
        assert chat.agent is not None
        chat.transfer = Transfer(plan.stage, plan.offer_timeout_s, tried=[chat.agent.id])
        if not self._ask_receiver(chat, chat.transfer):
            chat.transfer = None
            return "nobody-available"
        return None

    def go_on_transferring(self, chat: Chat) -> None:
        """Ask the next, or leave it with who has it."""
        assert chat.transfer is not None
        assert chat.agent is not None
        if chat.transfer.unanswered < chat.transfer.stage.attempts_max and self._ask_receiver(
            chat, chat.transfer
        ):
            return
        chat.transfer = None
        self.tell(chat, decided.Returned(conversation_id=chat.conversation_id, agent_id=chat.agent.id))

    def _ask_receiver(self, chat: Chat, transfer: Transfer) -> bool:
        stage = transfer.stage
        agent = self.workspace.candidate(stage, transfer.tried)
        if agent is None:
            return False
        why = self.workspace.why(stage, agent, transfer.tried)
        left = stage.attempts_max - transfer.unanswered - 1
        transfer.tried.append(agent)
        why = why.model_copy(update={"attempts_left": left})
        self._ring(chat, stage.pool, agent, why, transfer.offer_timeout_s)
        return True

    def complete_transfer(self, chat: Chat, receiver: AgentCard) -> None:
        assert chat.agent is not None
        sender, chat.agent, chat.transfer = chat.agent, receiver, None
        self.tell(
            chat,
            decided.Transferred(conversation_id=chat.conversation_id, from_agent=sender, to_agent=receiver),
        )
        self.release(sender.id)

    # -- accepted -------------------------------------------------------------------------------

    def accept(self, chat: Chat) -> None:
        """Whom it is offered to has it now."""
        assert chat.offer is not None
        card, chat.offer = chat.offer.agent, None
        self.tell(
            chat, decided.Accepted(conversation_id=chat.conversation_id, agent=card, attempt=chat.attempt)
        )
        if chat.transfer is not None:
            self.complete_transfer(chat, card)
        else:
            chat.status, chat.agent = Status.ACTIVE, card

    def take(self, chat: Chat, agent: AgentId) -> None:
        """An agent takes it out of the queue. It is nobody's turn, and costs none."""
        self.workspace.learn_pace(self.now)
        chat.tried.append(agent)
        self._ring(chat, None, agent, StepWhy(stage=TAKEN), chat.plan.offer_timeout_s)
        self.accept(chat)

    # -- waiting --------------------------------------------------------------------------------

    def wait(self, chat: Chat, why: StepWhy) -> None:
        """Stand in line; whoever stood there before has their old place and their old end."""
        queue = chat.plan.queue
        assert queue is not None
        line = self.workspace.line()
        if chat.order == 0:
            if len(line) >= queue.size_max:
                return self.fall_back(chat, FallbackReason.QUEUE_FULL, why)
            self.workspace.queue_order += 1
            chat.order = self.workspace.queue_order
            chat.queue_until = self.now + queue.max_wait_s * 1000
        elif self.now >= chat.queue_until:
            return self.fall_back(chat, FallbackReason.QUEUE_TIMEOUT, why)
        if not line:
            self.workspace.queue_since = self.now
        chat.status = Status.QUEUED
        self.tell(
            chat,
            decided.Queued(
                conversation_id=chat.conversation_id,
                queue=self.workspace.queue_at(self.workspace.line().index(chat) + 1),
                order=chat.order,
                queued_at=self.now,
                expires_at=chat.queue_until,
                why=why,
            ),
        )
        return None

    def settle(self) -> None:
        """Whoever was freed takes the first of those who may go to them, as long as they have room."""
        for agent in self.freed:
            while self.workspace.unfit(agent) is None:
                chat = next(
                    (each for each in self.workspace.line() if self.workspace.may_take(agent, each)), None
                )
                if chat is None:
                    break
                self.workspace.learn_pace(self.now)
                number, stage = next(
                    (number, stage)
                    for number, stage in chat.stages_ahead()
                    if agent in self.workspace.members(stage)
                )
                self.offer(chat, number, agent, StepWhy(stage=stage.name, pool=stage.pool))
