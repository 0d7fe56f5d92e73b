"""Chat systems that take ``{"text": …}`` at a secret address, as Slack's incoming webhooks do.

So do Mattermost, Rocket.Chat, Google Chat and, at an address that ends in ``/slack``, Discord.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence

import aiohttp

from rondo_common.alerts import ChannelName
from rondo_common.directory.entries import AgentEntry
from rondo_common.directory.view import Directory
from rondo_common.ids import WorkspaceId
from rondo_notifier.adapters.channels.guarded_post import Answer, post
from rondo_notifier.ports import Notice, Receipt

HEADERS: Mapping[str, str] = {"content-type": "application/json"}


class ChatHooksChannel:
    """See :class:`rondo_notifier.ports.Channel`. A room forgets nothing: a recall is one more line.

    No visitor's name goes into a room, which more people read than the agent.
    """

    name = ChannelName.CHAT_HOOKS
    is_confirmed = True

    def __init__(
        self, session: aiohttp.ClientSession, directory: Directory, *, allow_private: bool
    ) -> None:
        self._session = session
        self._directory = directory
        self._schemes = ("https://", "http://") if allow_private else ("https://",)

    def reaches(self, workspace_id: WorkspaceId, agent: AgentEntry) -> bool:  # noqa: ARG002 - the rooms are everybody's
        """See :class:`Channel`."""
        return bool(self._hooks(workspace_id))

    async def deliver(self, notices: Sequence[Notice]) -> list[Receipt]:
        """See :class:`Channel`."""
        return list(await asyncio.gather(*(self._tell(each) for each in notices)))

    async def say(self, workspace_id: WorkspaceId, text: str) -> Receipt:
        """Write one line into every room of the workspace. Told is what one of them took."""
        hooks = self._hooks(workspace_id)
        if not hooks:
            return Receipt("refused", "the workspace has no chat hooks")
        body = json.dumps({"text": text}).encode()
        answers = await asyncio.gather(*(self._post(each, body) for each in hooks))
        if any(each.is_good for each in answers):
            return Receipt("told")
        error = "; ".join(dict.fromkeys(each.detail for each in answers))
        later = [each for each in answers if each.may_come_later]
        return (
            Receipt("later", error, min(each.retry_after_s for each in later))
            if later
            else Receipt("refused", error)
        )

    async def _tell(self, notice: Notice) -> Receipt:
        if notice.act == "ring" and notice.alert.expires_at <= notice.at:
            return Receipt("refused", "the offer is over")
        return await self.say(notice.workspace_id, _line(notice))

    async def _post(self, url: str, body: bytes) -> Answer:
        if not url.startswith(self._schemes):
            return Answer(400, "only https is allowed here")
        return await post(self._session, url, body, HEADERS)

    def _hooks(self, workspace_id: WorkspaceId) -> Sequence[str]:
        found = self._directory.find(workspace_id)
        if found is None or found.workspace is None:
            return ()
        return found.workspace.settings.alerts.chat_hooks


def _line(notice: Notice) -> str:
    name = _plain(notice.agent.name)
    if notice.act == "recall":
        return f"The chat for {name} no longer waits for an answer."
    return f"A chat waits for {name} and is not answered yet: {notice.url}"


def _plain(text: str) -> str:
    """``text`` without what Slack takes for markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
