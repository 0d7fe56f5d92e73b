"""Who may do what. Existence is checked first: what is not there is 404 for everybody."""

from __future__ import annotations

from collections.abc import Set

from rondo_common.conversation_view import ConversationView
from rondo_common.ids import AgentId, ConversationId
from rondo_common.permissions import Permission
from rondo_gateway.domain.principals import AgentCaller, Backend, Member, Operator, Principal, VisitorCaller
from rondo_gateway.domain.refusals import NotFound, NotPermitted

OWN_AGENT = "me"
"""Stands for the calling agent's own id in paths."""


def require_operator(caller: Principal) -> None:
    """Raises ``NotPermitted`` unless the caller runs this installation."""
    if not isinstance(caller, Operator):
        raise NotPermitted("Only the operator may do this. Use the root key.")


def require_backend(caller: Principal) -> Backend:
    """The caller, if it is a website's backend; else raises ``NotPermitted``."""
    if not isinstance(caller, Backend):
        raise NotPermitted("Only a website's backend may do this. Use an API key of the workspace.")
    return caller


def require_member(caller: Principal) -> Member:
    """The caller, if they belong to a workspace; else raises ``NotPermitted``."""
    if isinstance(caller, Operator):
        raise NotPermitted("The root key manages workspaces only. Use an API key or a token of one.")
    return caller


def require_backend_or_agent(caller: Principal) -> Backend | AgentCaller:
    """The caller, if it is a website's backend or an agent; else raises ``NotPermitted``."""
    if not isinstance(caller, Backend | AgentCaller):
        raise NotPermitted(
            "Only a website's backend or an agent may do this. Use an API key or their token."
        )
    return caller


def require_own_agent(caller: Principal, agent_id: str) -> AgentCaller:
    """The caller, if they are that agent (or say ``me``); else raises ``NotPermitted``."""
    if not isinstance(caller, AgentCaller) or agent_id not in {OWN_AGENT, caller.agent_id}:
        raise NotPermitted("Only that agent may do this. Use the agent's own token.")
    return caller


def require_party(
    caller: Member, view: ConversationView | None, conversation_id: ConversationId
) -> ConversationView:
    """The conversation, if the caller takes part in it or is the website's backend.

    Raises:
        NotFound: there is none, or it is another visitor's.
        NotPermitted: the calling agent has no part in it.
    """
    view = require_existing(caller, view, conversation_id)
    if isinstance(caller, AgentCaller) and view.agent_id != caller.agent_id:
        raise NotPermitted("This conversation is neither offered to you nor with you.")
    return view


def require_existing(
    caller: Member, view: ConversationView | None, conversation_id: ConversationId
) -> ConversationView:
    """The conversation, if the caller may know that it exists; else raises ``NotFound``."""
    another_visitors = (
        view is not None
        and isinstance(caller, VisitorCaller)
        and view.request.visitor.id not in caller.visitor_ids
    )
    if view is None or another_visitors:
        raise NotFound("conversation", conversation_id)
    return view


def require_requester(caller: Principal) -> Backend | VisitorCaller:
    """The caller, if they may ask for conversations: a website's backend, or a visitor in the widget.

    Raises:
        NotPermitted: they may not; a visitor whose token the backend gave out asks through that.
    """
    if isinstance(caller, Backend) or (isinstance(caller, VisitorCaller) and caller.session is not None):
        return caller
    raise NotPermitted("Ask with an API key of the workspace, or in a visitor session of its widget.")


def require_agent(caller: Member) -> AgentId:
    """The id of the calling agent; raises ``NotPermitted`` for anybody else."""
    if not isinstance(caller, AgentCaller):
        raise NotPermitted("Only an agent answers an offer. Use the agent's token.")
    return caller.agent_id


def require_visitor_side(caller: Member) -> None:
    """Raises ``NotPermitted`` unless it is the visitor, or the website's backend for them."""
    if isinstance(caller, AgentCaller):
        raise NotPermitted("Only the visitor withdraws a request. An agent declines or ends.")


def named_agent(caller: Principal, agent_id: AgentId) -> AgentId:
    """The agent that a path names: ``me`` stands for the calling one."""
    if isinstance(caller, AgentCaller) and agent_id == OWN_AGENT:
        return caller.agent_id
    return agent_id


def require_availability_permission(
    caller: Backend | AgentCaller, agent_id: AgentId, permissions: Set[Permission]
) -> None:
    """Raises ``NotPermitted`` unless the caller may see and switch that agent's availability: their
    own with ``own_availability``, anybody's with ``admin_agents``, among ``permissions``."""
    if isinstance(caller, Backend) or Permission.ADMIN_AGENTS in permissions:
        return
    if caller.agent_id != agent_id:
        raise NotPermitted("The availability of others needs a profile with admin_agents.")
    if Permission.OWN_AVAILABILITY not in permissions:
        raise NotPermitted("Your own availability needs a profile with own_availability.")
