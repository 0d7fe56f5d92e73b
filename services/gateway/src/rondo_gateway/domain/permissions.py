"""Who may do what. Existence is checked first: what is not there is 404 for everybody."""

from __future__ import annotations

from rondo_common.conversation_view import ConversationView
from rondo_common.directory.view import WorkspaceDirectory
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


def require_staff(caller: Principal) -> Backend | AgentCaller:
    """The caller, if it is a website's backend or an agent; else raises ``NotPermitted``."""
    if not isinstance(caller, Backend | AgentCaller):
        raise NotPermitted("Use an API key of the workspace, or the token of an agent who may do this.")
    return caller


def permissions_of(caller: Principal, found: WorkspaceDirectory) -> frozenset[Permission]:
    """What the caller may do in their workspace: a backend everything, an agent what their profile says."""
    match caller:
        case Backend():
            return frozenset(Permission)
        case AgentCaller(agent_id=agent_id) if agent_id in found.agents:
            return found.permissions_of(found.agents[agent_id].entry.profile)
    return frozenset()


def require_permission(
    caller: Principal, found: WorkspaceDirectory, *any_of: Permission
) -> Backend | AgentCaller:
    """The caller, if they hold one of the permissions in their workspace ``found``.

    Raises:
        NotPermitted: they hold none of them.
    """
    staff = require_staff(caller)
    if permissions_of(staff, found).isdisjoint(any_of):
        names = " or ".join(sorted(any_of))
        raise NotPermitted(f"This needs the permission {names}. Ask for a profile that has it.")
    return staff


def require_member(caller: Principal) -> Member:
    """The caller, if they belong to a workspace; else raises ``NotPermitted``."""
    if isinstance(caller, Operator):
        raise NotPermitted("The root key manages workspaces only. Use an API key or a token of one.")
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
        and view.request.visitor.id != caller.visitor_id
    )
    if view is None or another_visitors:
        raise NotFound("conversation", conversation_id)
    return view


def require_agent(caller: Member) -> AgentId:
    """The id of the calling agent; raises ``NotPermitted`` for anybody else."""
    if not isinstance(caller, AgentCaller):
        raise NotPermitted("Only an agent answers an offer. Use the agent's token.")
    return caller.agent_id


def require_visitor_side(caller: Member) -> None:
    """Raises ``NotPermitted`` unless it is the visitor, or the website's backend for them."""
    if isinstance(caller, AgentCaller):
        raise NotPermitted("Only the visitor withdraws a request. An agent declines or ends.")
