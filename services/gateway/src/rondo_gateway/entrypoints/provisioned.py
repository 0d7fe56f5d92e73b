"""Routes to what a workspace provisions: agents, teams, rules, accounts, profiles and saved replies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from fastapi import APIRouter, Response
from pydantic import BaseModel

from rondo_gateway.domain.preconditions import Preconditions
from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.provisioned import (
    Account,
    AccountList,
    Agent,
    AgentList,
    Profile,
    ProfileList,
    Rule,
    RuleList,
    SavedReply,
    SavedReplyList,
    Team,
    TeamList,
)
from rondo_gateway.domain.provisioning import (
    AccountBody,
    AgentBody,
    ProfileBody,
    RuleBody,
    SavedReplyBody,
    TeamBody,
)
from rondo_gateway.entrypoints.answers import json_answer, no_content
from rondo_gateway.entrypoints.callers import Caller, Gateway
from rondo_gateway.entrypoints.documentation import NOT_MODIFIED, documented, shown
from rondo_gateway.entrypoints.parameters import LIMIT_DEFAULT, Cursor, EntryInPath, Limit
from rondo_gateway.entrypoints.versions import IfToChange, IfToRead, IfToWrite, read, written
from rondo_gateway.handlers.provisioned import Versioned
from rondo_gateway.handlers.use_cases import UseCases


class KindUseCase(Protocol):
    """What every kind's routes call, but for the ``PUT``, which each kind has its own of."""

    async def read(self, caller: Principal, entry_id: str) -> Versioned[Any]:
        """One of them."""
        ...

    async def list_page(
        self, caller: Principal, limit: int, after: str | None
    ) -> tuple[list[Any], str | None]:
        """A page of them."""
        ...

    async def delete(self, caller: Principal, entry_id: str, preconditions: Preconditions) -> None:
        """Remove one."""
        ...


@dataclass(frozen=True, slots=True)
class KindRoutes:
    """One kind on the surface. ``removal`` says what else deleting one does."""

    plural: str
    singular: str
    use_case: Callable[[UseCases], KindUseCase]
    put: Callable[..., Any]
    shown: type[BaseModel]
    listed: type[BaseModel]
    removal: str


def provisioned_routes() -> list[APIRouter]:
    """The routes of every kind. All kinds have the same."""
    kinds = (
        KindRoutes(
            "agents",
            "agent",
            lambda use_cases: use_cases.agents,
            put_agent,
            Agent,
            AgentList,
            "They are taken out of every team and rule, nothing is offered to them any more, and their "
            "tokens open nothing.",
        ),
        KindRoutes(
            "teams",
            "team",
            lambda use_cases: use_cases.teams,
            put_team,
            Team,
            TeamList,
            "Requests for it are refused from then on.",
        ),
        KindRoutes(
            "rules",
            "rule",
            lambda use_cases: use_cases.rules,
            put_rule,
            Rule,
            RuleList,
            "No visitor is sent by it any more.",
        ),
        KindRoutes(
            "accounts",
            "account",
            lambda use_cases: use_cases.accounts,
            put_account,
            Account,
            AccountList,
            "Its visitors go where they ask to.",
        ),
        KindRoutes(
            "profiles",
            "profile",
            lambda use_cases: use_cases.profiles,
            put_profile,
            Profile,
            ProfileList,
            "One that agents have stays (409), unless every workspace has one of that id: then that is "
            "theirs again.",
        ),
        KindRoutes(
            "saved_replies",
            "saved_reply",
            lambda use_cases: use_cases.saved_replies,
            put_saved_reply,
            SavedReply,
            SavedReplyList,
            "Agents do not find it any more.",
        ),
    )
    return [kind_routes(kind) for kind in kinds]


async def put_agent(
    gateway: Gateway, caller: Caller, entry_id: EntryInPath, body: AgentBody, preconditions: IfToWrite
) -> Response:
    """Define an agent, new (201) or anew (200). From the answer on, requests are routed by it."""
    return written(await gateway.agents.put(caller, entry_id, body, preconditions))


async def put_team(
    gateway: Gateway, caller: Caller, entry_id: EntryInPath, body: TeamBody, preconditions: IfToWrite
) -> Response:
    """Define a team, new (201) or anew (200). From the answer on, requests are routed by it."""
    return written(await gateway.teams.put(caller, entry_id, body, preconditions))


async def put_rule(
    gateway: Gateway, caller: Caller, entry_id: EntryInPath, body: RuleBody, preconditions: IfToWrite
) -> Response:
    """Define a rule, new (201) or anew (200). From the answer on, requests are routed by it."""
    return written(await gateway.rules.put(caller, entry_id, body, preconditions))


async def put_account(
    gateway: Gateway, caller: Caller, entry_id: EntryInPath, body: AccountBody, preconditions: IfToWrite
) -> Response:
    """Define a target account, new (201) or anew (200). From the answer on, requests are routed by it."""
    return written(await gateway.accounts.put(caller, entry_id, body, preconditions))


async def put_profile(
    gateway: Gateway, caller: Caller, entry_id: EntryInPath, body: ProfileBody, preconditions: IfToWrite
) -> Response:
    """Define a profile, new (201) or anew (200). From the answer on, its agents have these permissions."""
    return written(await gateway.profiles.put(caller, entry_id, body, preconditions))


async def put_saved_reply(
    gateway: Gateway, caller: Caller, entry_id: EntryInPath, body: SavedReplyBody, preconditions: IfToWrite
) -> Response:
    """Define a saved reply, new (201) or anew (200). Agents who chat may read and list them."""
    return written(await gateway.saved_replies.put(caller, entry_id, body, preconditions))


def kind_routes(kind: KindRoutes) -> APIRouter:
    """The routes of one kind: define, read, list, delete."""

    async def read_one(
        gateway: Gateway, caller: Caller, entry_id: EntryInPath, preconditions: IfToRead
    ) -> Response:
        return read(await kind.use_case(gateway).read(caller, entry_id), preconditions)

    async def list_all(
        gateway: Gateway, caller: Caller, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
    ) -> Response:
        page, following = await kind.use_case(gateway).list_page(caller, limit, cursor)
        return json_answer(kind.listed(data=page, next_cursor=following))

    async def delete_one(
        gateway: Gateway, caller: Caller, entry_id: EntryInPath, preconditions: IfToChange
    ) -> Response:
        await kind.use_case(gateway).delete(caller, entry_id, preconditions)
        return no_content()

    routes = APIRouter(tags=[kind.plural])
    one, all_of_them = f"/v1/{kind.plural}/{{id}}", f"/v1/{kind.plural}"
    put = _documented(400, 412, 413, 415, 422)
    named, named_many = kind.singular.replace("_", " "), kind.plural.replace("_", " ")
    put["responses"][201] = shown(kind.shown, f"The {named} is new.")
    routes.add_api_route(one, kind.put, methods=["PUT"], response_model=kind.shown, **put)
    reading = _documented(404, 422)
    reading["responses"][304] = NOT_MODIFIED
    routes.add_api_route(
        one,
        read_one,
        methods=["GET"],
        name=f"read_{kind.singular}",
        description=f"One {named}, with its version as `ETag`.",
        response_model=kind.shown,
        **reading,
    )
    routes.add_api_route(
        one,
        delete_one,
        methods=["DELETE"],
        name=f"delete_{kind.singular}",
        description=f"Delete the {named}. {kind.removal}",
        status_code=HTTPStatus.NO_CONTENT,
        **_documented(404, 409, 412, 422),
    )
    routes.add_api_route(
        all_of_them,
        list_all,
        methods=["GET"],
        name=f"list_{kind.plural}",
        description=f"The workspace's {named_many}, by id.",
        response_model=kind.listed,
        **_documented(422),
    )
    return routes


def _documented(*problems: int) -> dict[str, Any]:
    return documented("apiKey", "agentToken", problems=problems)
