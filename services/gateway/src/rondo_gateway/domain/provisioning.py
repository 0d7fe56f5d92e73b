"""What operators, backends and admins provision: workspaces, API keys, agents, teams, and the rest."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    ConfigDict,
    EmailStr,
    Field,
    Strict,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from rondo_common.availability import ClockTime, ScheduleBlock, TimeZone
from rondo_common.condition_checks import condition_defects
from rondo_common.conditions import Condition
from rondo_common.directory.entries import (
    AccountEntry,
    AgentEntry,
    Notifications,
    ProfileEntry,
    RuleEntry,
    SavedReplyEntry,
    TeamEntry,
    places_after,
)
from rondo_common.ids import AccountId, AgentId, ExternalId, ProfileId, RuleId, SavedReplyId, TeamId
from rondo_common.permissions import LIVE_AGENT, Permission
from rondo_gateway.domain.email_domains import DOMAIN_LENGTH_MAX, normal_domain
from rondo_gateway.domain.limits import (
    ACCOUNT_DOMAINS_MAX,
    AGENT_TOKEN_TTL_S_DEFAULT,
    AGENT_TOKEN_TTL_S_MAX,
    CAPACITY_MAX,
    POOL_AGENTS_MAX,
    RULE_PRIORITY_MAX,
    RULES_ORDERED_MAX,
    SCHEDULE_BLOCKS_MAX,
    SHORTCUT_LENGTH_MAX,
    Body,
    Name,
    Url,
)
from rondo_gateway.domain.message import MessageText


class WorkspaceBody(Body):
    """A new workspace, under an id of the operator's choice."""

    id: ExternalId
    name: Name


class ApiKeyBody(Body):
    """A new API key; the name is for people to tell keys apart."""

    name: Name | None = None


class ScheduleBlockBody(Body):
    """When an agent is there, in their own time zone; a `to` at or before `from` is on the next day."""

    model_config = ConfigDict(validate_by_alias=True, validate_by_name=False)

    weekday: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    from_: ClockTime = Field(alias="from")
    to: ClockTime

    def block(self) -> ScheduleBlock:
        """The block as the directory keeps it."""
        return ScheduleBlock.model_validate(dict(self))


class NotificationsBody(Body):
    """How the agent wants to be told of a chat."""

    sound: bool = True
    web_push: bool = True
    email: bool = True


class NotificationsPatch(NotificationsBody):
    """What an agent wants changed; what is left out stays."""

    def applied_to(self, notifications: Notifications) -> Notifications:
        """The agent's preferences after that."""
        return notifications.model_copy(update=self.model_dump(exclude_unset=True))


class AgentBody(Body):
    """An agent. Without a `capacity`, the workspace's `agent_capacity` applies; without a `time_zone`,
    UTC. Without a `schedule` they are always available, with an empty one never."""

    name: Name
    email: EmailStr
    avatar_url: Annotated[Url, StringConstraints(pattern="^https?://")] | None = None
    time_zone: TimeZone | None = None
    capacity: int | None = Field(default=None, ge=1, le=CAPACITY_MAX)
    profile: ExternalId = LIVE_AGENT
    live_chat: bool = True
    schedule: list[ScheduleBlockBody] | None = Field(default=None, max_length=SCHEDULE_BLOCKS_MAX)
    notifications: NotificationsBody = NotificationsBody()

    def entry(self, agent_id: AgentId, place: int) -> AgentEntry:
        """The agent as the directory keeps them."""
        return AgentEntry(
            id=agent_id,
            name=self.name,
            email=self.email,
            avatar_url=self.avatar_url,
            time_zone=self.time_zone,
            capacity=self.capacity,
            profile=ProfileId(self.profile),
            live_chat=self.live_chat,
            schedule=None if self.schedule is None else tuple(each.block() for each in self.schedule),
            notifications=Notifications(**dict(self.notifications)),
            place=place,
        )


class AgentTokenBody(Body):
    """How long the token is valid, in seconds."""

    ttl_s: int = Field(default=AGENT_TOKEN_TTL_S_DEFAULT, ge=1, le=AGENT_TOKEN_TTL_S_MAX)


class AvailabilityBody(Body):
    """What to switch an agent's availability to; null: back to the schedule."""

    available: bool | None


def _without_repetition(agent_ids: list[str]) -> list[str]:
    first = {each: index for index, each in reversed(list(enumerate(agent_ids)))}
    repeated = [index for index, each in enumerate(agent_ids) if first[each] != index]
    if repeated:
        raise _at_each({(index,): "stands here a second time" for index in repeated})
    return agent_ids


AgentIds = Annotated[
    list[ExternalId], Field(max_length=POOL_AGENTS_MAX), AfterValidator(_without_repetition)
]
"""Agents, each of them once, in the order in which they take their places."""


class TeamBody(Body):
    """Agents who are asked for together."""

    name: Name
    agent_ids: AgentIds

    def entry(self, team_id: TeamId, previous: TeamEntry | None) -> TeamEntry:
        """The team as the directory keeps it. Who was in it keeps their place."""
        agent_ids = tuple(AgentId(each) for each in self.agent_ids)
        places = places_after({} if previous is None else previous.places, agent_ids)
        return TeamEntry(id=team_id, name=self.name, agent_ids=agent_ids, places=places)


def _checked_condition(tree: Any, build: ValidatorFunctionWrapHandler) -> Any:
    defects = condition_defects(tree)
    if defects:
        raise _at_each({each.path: each.detail for each in defects})
    return build(tree)


class RuleBody(Body):
    """Which visitors go to which agents. Rules are tried by `priority`, 1 first.

    `conditions` is a tree of `{"all": […]}`, `{"any": […]}` and comparisons.
    """

    name: Name
    priority: int = Field(ge=1, le=RULE_PRIORITY_MAX)
    conditions: Annotated[Condition, WrapValidator(_checked_condition)]
    agent_ids: AgentIds
    enabled: bool = True

    def entry(self, rule_id: RuleId, previous: RuleEntry | None) -> RuleEntry:
        """The rule as the directory keeps it. Who was in it keeps their place."""
        agent_ids = tuple(AgentId(each) for each in self.agent_ids)
        return RuleEntry(
            id=rule_id,
            name=self.name,
            priority=self.priority,
            conditions=self.conditions,
            agent_ids=agent_ids,
            enabled=self.enabled,
            places=places_after({} if previous is None else previous.places, agent_ids),
        )


class RuleOrderBody(Body):
    """The ids of all rules of the workspace, in the order in which they are to be tried."""

    rule_ids: list[ExternalId] = Field(max_length=RULES_ORDERED_MAX)


def _normal(domain: str) -> str:
    try:
        return normal_domain(domain)
    except ValueError as error:
        raise PydanticCustomError("email_domain", "{detail}", {"detail": str(error)}) from None


Domain = Annotated[str, StringConstraints(max_length=DOMAIN_LENGTH_MAX), AfterValidator(_normal)]


class AccountBody(Body):
    """A target account: visitors of its domains, or of its company, go to its owner first."""

    company: Annotated[Name, StringConstraints(pattern=r"\S")]
    domains: list[Domain] = Field(default=[], max_length=ACCOUNT_DOMAINS_MAX)
    owner_id: ExternalId

    def entry(self, account_id: AccountId) -> AccountEntry:
        """The account as the directory keeps it."""
        return AccountEntry(
            id=account_id,
            company=self.company,
            domains=tuple(dict.fromkeys(self.domains)),
            owner_id=AgentId(self.owner_id),
        )


class ProfileBody(Body):
    """A named set of permissions."""

    name: Name
    permissions: list[Annotated[Permission, Strict(False)]] = Field(max_length=100)

    def entry(self, profile_id: ProfileId) -> ProfileEntry:
        """The profile as the directory keeps it."""
        return ProfileEntry(id=profile_id, name=self.name, permissions=in_order(self.permissions))


class SavedReplyBody(Body):
    """A text that agents write often. They find it by its `shortcut`, which no other one has."""

    shortcut: Annotated[str, StringConstraints(pattern=r"^[^\s/\x00]+$", max_length=SHORTCUT_LENGTH_MAX)]
    title: Annotated[Name, StringConstraints(pattern=r"\S")]
    text: MessageText

    def entry(self, saved_reply_id: SavedReplyId) -> SavedReplyEntry:
        """The reply as the directory keeps it."""
        return SavedReplyEntry(id=saved_reply_id, shortcut=self.shortcut, title=self.title, text=self.text)


def in_order(permissions: list[Permission] | frozenset[Permission]) -> tuple[Permission, ...]:
    """Each of them once, in the order they are declared."""
    return tuple(each for each in Permission if each in permissions)


def _at_each(details: dict[tuple[str | int, ...], str]) -> ValidationError:
    """An error for each place inside the value that is being checked."""
    return ValidationError.from_exception_data(
        "value",
        [
            InitErrorDetails(
                type=PydanticCustomError("invalid", "{detail}", {"detail": detail}), loc=path, input=None
            )
            for path, detail in details.items()
        ],
    )
