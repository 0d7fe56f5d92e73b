"""All use cases of the public surface, as the entrypoints are given them."""

from __future__ import annotations

from dataclasses import dataclass

from rondo_gateway.handlers.agents import Agents
from rondo_gateway.handlers.api_keys import ApiKeys
from rondo_gateway.handlers.authentication import Authentication
from rondo_gateway.handlers.chat_requests import ChatRequests
from rondo_gateway.handlers.conversation_lists import ConversationLists
from rondo_gateway.handlers.conversations import ConversationCommands
from rondo_gateway.handlers.erasures import Erasures
from rondo_gateway.handlers.live_streams import LiveStreams
from rondo_gateway.handlers.messages import Messages
from rondo_gateway.handlers.reports import Reports
from rondo_gateway.handlers.transcripts import Transcripts
from rondo_gateway.handlers.workspaces import Workspaces


@dataclass(frozen=True, slots=True)
class UseCases:
    """What can be asked of the gateway."""

    authentication: Authentication
    workspaces: Workspaces
    api_keys: ApiKeys
    agents: Agents
    chat_requests: ChatRequests
    conversations: ConversationCommands
    conversation_lists: ConversationLists
    messages: Messages
    transcripts: Transcripts
    reports: Reports
    erasures: Erasures
    live_streams: LiveStreams
