"""What a side says, and who says it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, StringConstraints

from rondo_common.conversation import Author
from rondo_common.conversation_view import ConversationView
from rondo_gateway.domain.limits import CLIENT_ID_LENGTH_MAX, MESSAGE_LENGTH_MAX, Body, storable
from rondo_gateway.domain.principals import AgentCaller, Member

ClientMessageId = Annotated[
    str, StringConstraints(min_length=1, max_length=CLIENT_ID_LENGTH_MAX), AfterValidator(storable)
]
MessageText = Annotated[
    str, StringConstraints(min_length=1, max_length=MESSAGE_LENGTH_MAX), AfterValidator(storable)
]


Order = Literal["oldest_first", "newest_first"]
"""Where a reader of messages begins."""


class MessageBody(Body):
    """A message. The same `client_message_id` from the same side is the same message."""

    client_message_id: ClientMessageId
    text: MessageText


def author_of(caller: Member, view: ConversationView, agent_name: str | None) -> Author:
    """Who speaks when ``caller`` writes: an agent for themselves, everybody else for the visitor."""
    if isinstance(caller, AgentCaller):
        return Author(type="agent", id=caller.agent_id, name=agent_name)
    visitor = view.request.visitor
    name = " ".join(part for part in (visitor.first_name, visitor.last_name) if part)
    return Author(type="visitor", id=visitor.id, name=name or None)
