"""What people in a workspace may do: permissions, and the profiles that bundle them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from rondo_common.ids import ProfileId


class Permission(StrEnum):
    """One thing a profile can permit, by area."""

    DIALOGUES_VIEW = "dialogues_view"
    DIALOGUES_MANAGE = "dialogues_manage"
    DIALOGUES_PUBLISH = "dialogues_publish"
    LIVE_CHAT_VIEW_MY = "live_chat_view_my"
    """Take part in live chat: be offered chats, see one's own."""
    LIVE_CHAT_VIEW_ALL = "live_chat_view_all"
    """See everybody's conversations."""
    MEETINGS = "meetings"
    ANALYTICS_VIEW = "analytics_view"
    ANALYTICS_EXPORT = "analytics_export"
    OWN_AVAILABILITY = "own_availability"
    ADMIN_ROUND_ROBIN = "admin_round_robin"
    """How chats are offered: the workspace's routing settings."""
    ADMIN_CUSTOM_RULES = "admin_custom_rules"
    ADMIN_ACCOUNTS = "admin_accounts"
    ADMIN_TEAMS = "admin_teams"
    ADMIN_AGENTS = "admin_agents"
    ADMIN_SECURITY = "admin_security"
    """Profiles, API keys, blocked domains, allowed origins, limits and retention."""
    ADMIN_INTEGRATIONS = "admin_integrations"


LIVE_AGENT = ProfileId("live_agent")

_DIALOGUES = {Permission.DIALOGUES_VIEW, Permission.DIALOGUES_MANAGE, Permission.DIALOGUES_PUBLISH}
_ANALYTICS = {Permission.ANALYTICS_VIEW, Permission.ANALYTICS_EXPORT}
_SALES_ADMIN = {
    Permission.ADMIN_ROUND_ROBIN,
    Permission.ADMIN_CUSTOM_RULES,
    Permission.ADMIN_ACCOUNTS,
    Permission.ADMIN_TEAMS,
    Permission.ADMIN_AGENTS,
}

DEFAULT_PROFILES: Mapping[ProfileId, tuple[str, frozenset[Permission]]] = {
    ProfileId("marketing_user"): ("Marketing User", frozenset(_DIALOGUES | _ANALYTICS)),
    LIVE_AGENT: (
        "Live Agent",
        frozenset({Permission.LIVE_CHAT_VIEW_MY, Permission.OWN_AVAILABILITY}),
    ),
    ProfileId("calendar_agent"): (
        "Calendar Agent",
        frozenset({Permission.MEETINGS, Permission.OWN_AVAILABILITY}),
    ),
    ProfileId("marketing_admin"): ("Marketing Admin", frozenset(Permission)),
    ProfileId("sales_admin"): (
        "Sales Admin",
        frozenset(
            _SALES_ADMIN
            | _ANALYTICS
            | {
                Permission.LIVE_CHAT_VIEW_MY,
                Permission.LIVE_CHAT_VIEW_ALL,
                Permission.MEETINGS,
                Permission.OWN_AVAILABILITY,
            }
        ),
    ),
}
"""The profiles every workspace has, with name and permissions, until it defines one of the same id."""
