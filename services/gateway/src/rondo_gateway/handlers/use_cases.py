"""All use cases of the public surface, as the entrypoints are given them."""

from __future__ import annotations

from dataclasses import dataclass

from rondo_common.directory.entries import (
    AccountEntry,
    AgentEntry,
    ProfileEntry,
    RuleEntry,
    SavedReplyEntry,
    TeamEntry,
)
from rondo_gateway.domain.provisioned import Account, Agent, Profile, Rule, SavedReply, Team
from rondo_gateway.domain.provisioning import (
    AccountBody,
    AgentBody,
    ProfileBody,
    RuleBody,
    SavedReplyBody,
    TeamBody,
)
from rondo_gateway.handlers.account_import import AccountImport
from rondo_gateway.handlers.agent_tokens import AgentTokens
from rondo_gateway.handlers.alerts import AlertQueries
from rondo_gateway.handlers.api_keys import ApiKeys
from rondo_gateway.handlers.assignments import AssignmentStories
from rondo_gateway.handlers.attention import Attention
from rondo_gateway.handlers.authentication import Authentication
from rondo_gateway.handlers.availability import Availabilities
from rondo_gateway.handlers.chat_requests import ChatRequests
from rondo_gateway.handlers.conversation_lists import ConversationLists
from rondo_gateway.handlers.conversations import ConversationCommands
from rondo_gateway.handlers.desks import Desks
from rondo_gateway.handlers.erasures import Erasures
from rondo_gateway.handlers.live_metrics import MetricsQueries
from rondo_gateway.handlers.live_streams import LiveStreams
from rondo_gateway.handlers.messages import Messages
from rondo_gateway.handlers.notifications import NotificationPreferences
from rondo_gateway.handlers.oidc_sign_in import OidcSignIn
from rondo_gateway.handlers.origins import AllowedOrigins
from rondo_gateway.handlers.presence import PresenceKeeper
from rondo_gateway.handlers.provisioned import Provisioned
from rondo_gateway.handlers.push_subscriptions import PushSubscriptions
from rondo_gateway.handlers.ratings import Ratings
from rondo_gateway.handlers.reports import Reports
from rondo_gateway.handlers.roster import Rosters
from rondo_gateway.handlers.route_plans import RoutePlans
from rondo_gateway.handlers.rule_lint import RuleLint
from rondo_gateway.handlers.rule_order import RuleOrder
from rondo_gateway.handlers.sign_in_links import SignInLinks
from rondo_gateway.handlers.sign_ins import SignIns
from rondo_gateway.handlers.transcripts import Transcripts
from rondo_gateway.handlers.visitor_sessions import VisitorSessions
from rondo_gateway.handlers.webhooks import Webhooks
from rondo_gateway.handlers.workspaces import Workspaces


@dataclass(frozen=True, slots=True)
class UseCases:
    """What can be asked of the gateway."""

    authentication: Authentication
    workspaces: Workspaces
    api_keys: ApiKeys
    agents: Provisioned[AgentBody, AgentEntry, Agent]
    teams: Provisioned[TeamBody, TeamEntry, Team]
    rules: Provisioned[RuleBody, RuleEntry, Rule]
    accounts: Provisioned[AccountBody, AccountEntry, Account]
    profiles: Provisioned[ProfileBody, ProfileEntry, Profile]
    saved_replies: Provisioned[SavedReplyBody, SavedReplyEntry, SavedReply]
    webhooks: Webhooks
    account_import: AccountImport
    agent_tokens: AgentTokens
    sign_in_links: SignInLinks
    sign_ins: SignIns
    oidc_sign_in: OidcSignIn
    alerts: AlertQueries
    push_subscriptions: PushSubscriptions
    availabilities: Availabilities
    notification_preferences: NotificationPreferences
    desks: Desks
    chat_requests: ChatRequests
    conversations: ConversationCommands
    conversation_lists: ConversationLists
    messages: Messages
    ratings: Ratings
    transcripts: Transcripts
    reports: Reports
    erasures: Erasures
    assignments: AssignmentStories
    route_plans: RoutePlans
    presence: PresenceKeeper
    rosters: Rosters
    rule_lint: RuleLint
    rule_order: RuleOrder
    attention: Attention
    visitor_sessions: VisitorSessions
    allowed_origins: AllowedOrigins
    live_streams: LiveStreams
    live_metrics: MetricsQueries
