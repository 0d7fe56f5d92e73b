"""All use cases of the public surface, as the entrypoints are given them."""

from __future__ import annotations

from dataclasses import dataclass

from rondo_gateway.handlers.agents import Agents
from rondo_gateway.handlers.api_keys import ApiKeys
from rondo_gateway.handlers.attention import Attention
from rondo_gateway.handlers.authentication import Authentication
from rondo_gateway.handlers.availability import Availabilities
from rondo_gateway.handlers.chat_requests import ChatRequests
from rondo_gateway.handlers.conversations import ConversationCommands
from rondo_gateway.handlers.live_streams import LiveStreams
from rondo_gateway.handlers.messages import Messages
from rondo_gateway.handlers.origins import AllowedOrigins
from rondo_gateway.handlers.rule_lint import RuleLint
from rondo_gateway.handlers.transcripts import Transcripts
from rondo_gateway.handlers.visitor_sessions import VisitorSessions
from rondo_gateway.handlers.workspaces import Workspaces


@dataclass(frozen=True, slots=True)
class UseCases:
    """What can be asked of the gateway."""

    authentication: Authentication
    workspaces: Workspaces
    api_keys: ApiKeys
    agents: Agents
    availabilities: Availabilities
    chat_requests: ChatRequests
    conversations: ConversationCommands
    messages: Messages
    transcripts: Transcripts
    rule_lint: RuleLint
    attention: Attention
    visitor_sessions: VisitorSessions
    allowed_origins: AllowedOrigins
    live_streams: LiveStreams
