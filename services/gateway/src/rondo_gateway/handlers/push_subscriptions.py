"""The browsers in which an agent wants to be told of chats."""

from __future__ import annotations

from rondo_common.clock import Clock
from rondo_common.directory.entries import Kind
from rondo_common.errors import Conflict
from rondo_common.events import PushSubscribed
from rondo_common.ids import AgentId, PushSubscriptionId
from rondo_gateway.domain.permissions import named_agent, require_staff
from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.push import (
    PushKey,
    PushSubscription,
    PushSubscriptionBody,
    require_pushable,
    surplus,
)
from rondo_gateway.domain.refusals import NotFound
from rondo_gateway.handlers.alerts import permitted_agent
from rondo_gateway.ports import Definition, DirectoryLog, DirectoryView


class PushSubscriptions:
    """Subscribes browsers, and lets them go. ``public_key`` None: this installation does not push."""

    def __init__(
        self,
        directory: DirectoryView,
        log: DirectoryLog,
        clock: Clock,
        public_key: str | None,
        *,
        allow_private: bool,
    ) -> None:
        self._directory = directory
        self._log = log
        self._clock = clock
        self._public_key = public_key
        self._allow_private = allow_private

    def key(self, caller: Principal) -> PushKey:
        """What a browser subscribes with. Raises ``Conflict`` when nobody pushes here."""
        require_staff(caller)
        return PushKey(public_key=self._configured())

    async def subscribe(
        self, caller: Principal, agent_id: AgentId, body: PushSubscriptionBody
    ) -> PushSubscription:
        """Have the agent told in a browser. The same browser again is the same subscription."""
        member = require_staff(caller)
        agent_id = named_agent(member, agent_id)
        self._configured()
        async with self._log.changing(member.workspace_id):
            found = await permitted_agent(self._directory, member, agent_id)
            require_pushable(body.endpoint, allow_private=self._allow_private)
            entry = body.entry(agent_id, self._clock())
            definitions = [
                Definition(Kind.PUSH_SUBSCRIPTION, each, None)
                for each in surplus(found.push_subscriptions_of(agent_id), entry)
            ]
            event = PushSubscribed(subscription=entry)
            definitions.append(Definition(Kind.PUSH_SUBSCRIPTION, entry.id, event))
            await self._log.write(member.workspace_id, definitions)
        return PushSubscription(id=entry.id)

    async def unsubscribe(
        self, caller: Principal, agent_id: AgentId, subscription_id: PushSubscriptionId
    ) -> None:
        """Tell the agent nothing more in that browser. Raises ``NotFound``."""
        member = require_staff(caller)
        agent_id = named_agent(member, agent_id)
        async with self._log.changing(member.workspace_id):
            found = await permitted_agent(self._directory, member, agent_id)
            entry = found.push_subscriptions.get(subscription_id)
            if entry is None or entry.agent_id != agent_id:
                raise NotFound("push subscription", subscription_id)
            removal = Definition(Kind.PUSH_SUBSCRIPTION, subscription_id, None)
            await self._log.write(member.workspace_id, [removal])

    def _configured(self) -> str:
        if self._public_key is None:
            raise Conflict("push-not-configured", "Nobody pushes from here. Set RONDO_VAPID_PRIVATE_KEY.")
        return self._public_key
