"""What a website asks when it wants a conversation for a visitor."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Annotated, Literal

from pydantic import EmailStr, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from rondo_common.conversation import (
    AgentRoute,
    CustomRulesRoute,
    Page,
    Request,
    RoundRobinRoute,
    Route,
    TeamRoute,
    Visitor,
)
from rondo_common.ids import AgentId, ConversationId, ExternalId, TeamId, VisitorId
from rondo_gateway.domain.limits import PRIORITY_MAX, Body, Scalars, Text, Url
from rondo_gateway.domain.principals import Backend, VisitorCaller
from rondo_gateway.domain.refusals import Invalid


class VisitorBody(Body):
    """The visitor as the website knows them. Without an ``id`` they are anonymous and get one."""

    id: ExternalId | None = None
    first_name: Text | None = None
    last_name: Text | None = None
    email: EmailStr | None = None
    job_title: Text | None = None
    company: Text | None = None
    phone: Text | None = None
    crm_status: Text | None = None
    language: Text | None = None
    country: Text | None = None
    state: Text | None = None
    city: Text | None = None
    company_size: Text | None = None
    industry: Text | None = None
    attributes: Scalars = Field(default_factory=dict)


class RouteBody(Body):
    """Where the request goes: `round_robin` (all live-chat agents, in sequence), `agent` (that one),
    `custom_rules` (the agents of the rules that the visitor meets) or `team` (the agents of that team)."""

    type: Literal["round_robin", "agent", "custom_rules", "team"]
    agent_id: Annotated[ExternalId | None, Field(validate_default=True)] = None
    team_id: Annotated[ExternalId | None, Field(validate_default=True)] = None

    @field_validator("agent_id", "team_id")
    @classmethod
    def _belongs_to_its_type(cls, name: str | None, info: ValidationInfo) -> str | None:
        type_ = info.data.get("type")
        is_its_own = info.field_name == f"{type_}_id"
        if type_ is not None and is_its_own and name is None:
            raise PydanticCustomError("route_id_missing", "the route '{type}' needs it", {"type": type_})
        if type_ is not None and not is_its_own and name is not None:
            raise PydanticCustomError("route_id_extra", "the route '{type}' takes none", {"type": type_})
        return name

    def route(self) -> Route:
        """The route as events carry it."""
        match self.type:
            case "round_robin":
                return RoundRobinRoute()
            case "agent":
                return AgentRoute(agent_id=AgentId(self.agent_id or ""))
            case "custom_rules":
                return CustomRulesRoute()
            case "team":
                return TeamRoute(team_id=TeamId(self.team_id or ""))


class PageBody(Body):
    """The page the visitor asks from."""

    url: Url


class ChatRequestBody(Body):
    """A chat request."""

    visitor: VisitorBody = VisitorBody()
    route: RouteBody
    page: PageBody | None = None
    answers: Scalars = Field(default_factory=dict)
    priority: int = Field(default=0, ge=-PRIORITY_MAX, le=PRIORITY_MAX)

    def fingerprint(self) -> str:
        """Equal for bodies that ask the same, however they are written down."""
        return hashlib.sha256(json.dumps(self.model_dump(), sort_keys=True).encode()).hexdigest()

    def request(self, conversation_id: ConversationId, requested_at: datetime) -> Request:
        """The request as events carry it; the same arguments always give the same."""
        known = self.visitor.model_dump(exclude={"id"})
        visitor_id = VisitorId(self.visitor.id) if self.visitor.id else anonymous(conversation_id)
        return Request(
            visitor=Visitor(id=visitor_id, **known),
            route=self.route.route(),
            page=None if self.page is None else Page(url=self.page.url),
            answers=self.answers,
            priority=self.priority,
            requested_at=requested_at,
        )


def asked_by(caller: Backend | VisitorCaller, body: ChatRequestBody) -> ChatRequestBody:
    """What ``caller`` asks. A visitor in the widget is who their session says; what their website signed of
    them counts more than what they say themselves.

    Raises:
        Invalid: they name another visitor.
    """
    if isinstance(caller, Backend):
        return body
    if body.visitor.id not in {None, caller.visitor_id}:
        raise Invalid("/visitor/id", "comes from the visitor's session; leave it out")
    signed = {} if caller.session is None else caller.session.profile
    said = body.visitor.model_dump(exclude_defaults=True)
    attributes = {**said.get("attributes", {}), **signed.get("attributes", {})}
    fields = {**said, **signed, "attributes": attributes, "id": caller.visitor_id}
    return body.model_copy(update={"visitor": VisitorBody.model_construct(**fields)})


def anonymous(conversation_id: ConversationId) -> VisitorId:
    """The id of a visitor whose website gave none.

    Derived from the conversation, so that every retry of one request speaks of the same visitor.
    """
    return VisitorId(f"vis_{conversation_id.removeprefix('cnv_')}")
