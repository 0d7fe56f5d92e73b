"""Who may do what. Existence is checked first: what is not there is 404 for everybody."""

from __future__ import annotations

from collections.abc import Iterable, Set

from rondo_common.conversation_view import ConversationView
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.ids import AgentId, ConversationId
from rondo_common.permissions import Permission
from rondo_gateway.domain.principals import AgentCaller, Backend, Member, Operator, Principal, VisitorCaller
from rondo_gateway.domain.refusals import NotFound, NotPermitted

OWN_AGENT = "me"
"""Stands for the calling agent's own id in paths."""
ADMIN_PERMISSIONS = frozenset(each for each in Permission if each.startswith("admin_"))
"""Any of them lets an agent see the workspace's settings."""


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


def require_no_escalation(
    caller: Principal, found: WorkspaceDirectory, permissions: Iterable[Permission]
) -> None:
    """Raises ``NotPermitted`` if somebody would be given permissions that the caller does not hold."""
    lacking = frozenset(permissions) - permissions_of(caller, found)
    if lacking:
        names = ", ".join(sorted(lacking))
        raise NotPermitted(f"This is about permissions that you do not hold yourself: {names}.")


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
    if isinstance(caller, AgentCaller) and caller.agent_id not in view.agent_ids:
        raise NotPermitted("This conversation is neither offered to you nor with you.")
    return view


def require_in_talk(caller: Member, view: ConversationView) -> None:
    """Raises ``NotPermitted`` for an agent whom another's conversation is offered to: until they accept
    it, it is the other's."""
    if isinstance(caller, AgentCaller) and view.agent is not None and view.agent.id != caller.agent_id:
        raise NotPermitted("This conversation is offered to you and not with you yet. Accept it first.")


def require_its_agent(caller: Member, view: ConversationView) -> AgentId:
    """The id of the calling agent, if the conversation is with them; else raises ``NotPermitted``."""
    its_agent = None if view.agent is None else view.agent.id
    if not isinstance(caller, AgentCaller) or its_agent != caller.agent_id:
        raise NotPermitted("Only the agent whom the conversation is with may do this.")
    return caller.agent_id


def require_agents_side(caller: Member) -> None:
    """Raises ``NotPermitted`` for a visitor, who may not know what went on behind a conversation."""
    if isinstance(caller, VisitorCaller):
        raise NotPermitted("A visitor is not told why agents were rung. Use an API key.")


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


def require_rater(caller: Member) -> None:
    """Raises ``NotPermitted`` unless it is the visitor, or the website's backend for them."""
    if isinstance(caller, AgentCaller):
        raise NotPermitted("Only the visitor rates a conversation.")


def require_analytics(caller: Principal, directory: WorkspaceDirectory | None) -> Backend | AgentCaller:
    """The caller, if they may see figures: a website's backend, or an agent whose profile permits it.

    Raises:
        NotPermitted: they may not.
    """
    if isinstance(caller, Backend):
        return caller
    if isinstance(caller, AgentCaller) and directory is not None:
        defined = directory.agents.get(caller.agent_id)
        if defined is not None and Permission.ANALYTICS_VIEW in directory.permissions_of(
            defined.entry.profile
        ):
            return caller
    raise NotPermitted(
        "Seeing figures needs an API key, or an agent whose profile has the permission analytics_view."
    )


def named_agent(caller: Principal, agent_id: AgentId) -> AgentId:
    """The agent that a path names: ``me`` stands for the calling one."""
    if isinstance(caller, AgentCaller) and agent_id == OWN_AGENT:
        return caller.agent_id
    return agent_id


def require_tellable(
    caller: Backend | AgentCaller, agent_id: AgentId, permissions: Set[Permission]
) -> None:
    """Raises ``NotPermitted`` unless the caller may see to how that agent is told of chats: the agent,
    the backend, or somebody with ``admin_agents`` among their ``permissions``."""
    if isinstance(caller, Backend) or Permission.ADMIN_AGENTS in permissions:
        return
    if caller.agent_id != agent_id:
        raise NotPermitted("The alerts of others need a profile with admin_agents.")


def require_desk(caller: Backend | AgentCaller, agent_id: AgentId, permissions: Set[Permission]) -> None:
    """Raises ``NotPermitted`` unless the caller may see what that agent has to do: the agent, the
    backend, or somebody with ``live_chat_view_all`` among their ``permissions``."""
    if isinstance(caller, Backend) or Permission.LIVE_CHAT_VIEW_ALL in permissions:
        return
    if caller.agent_id != agent_id:
        raise NotPermitted("What others have to do needs a profile with live_chat_view_all.")


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
