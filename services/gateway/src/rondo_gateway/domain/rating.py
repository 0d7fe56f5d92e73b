"""Rating a conversation: what a visitor may say, and when."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from rondo_common.conversation import RATING_MAX, AgentCard, Rating, Status
from rondo_common.conversation_view import ConversationView
from rondo_common.errors import Conflict
from rondo_gateway.domain.limits import COMMENT_LENGTH_MAX, Body, storable


class RatingBody(Body):
    """How good it was, 5 being best, and what the visitor has to say about it."""

    score: int = Field(ge=1, le=RATING_MAX)
    comment: (
        Annotated[str, StringConstraints(max_length=COMMENT_LENGTH_MAX), AfterValidator(storable)] | None
    ) = None

    def rating(self, now: datetime) -> Rating:
        """The rating, given now. A comment of blanks only is none."""
        comment = self.comment if self.comment and self.comment.strip() else None
        return Rating(score=self.score, comment=comment, rated_at=now)


def require_rateable(view: ConversationView) -> AgentCard:
    """The agent who is rated; raises ``Conflict`` unless the conversation has ended."""
    if view.status is not Status.ENDED or view.agent is None:
        raise Conflict("conversation-not-ended", "Only a conversation that has ended is rated.")
    return view.agent
