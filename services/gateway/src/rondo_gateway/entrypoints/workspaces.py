"""Routes about workspaces and their API keys."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body, Response

from rondo_gateway.domain.provisioning import ApiKeyBody, WorkspaceBody
from rondo_gateway.domain.representation import (
    ApiKey,
    ApiKeyList,
    NewApiKey,
    NewWorkspace,
    OwnWorkspace,
    Workspace,
    WorkspaceList,
    api_key_of,
    own_workspace_of,
    workspace_of,
)
from rondo_gateway.entrypoints.answers import json_answer, no_content
from rondo_gateway.entrypoints.callers import Caller, Gateway
from rondo_gateway.entrypoints.documentation import NOT_MODIFIED, documented
from rondo_gateway.entrypoints.parameters import (
    LIMIT_DEFAULT,
    ApiKeyInPath,
    Cursor,
    Limit,
    WorkspaceInPath,
)
from rondo_gateway.entrypoints.versions import IfToChange, IfToRead, read, written
from rondo_gateway.handlers.provisioned import Versioned


def workspace_routes() -> APIRouter:
    """The operator's routes to all workspaces."""
    routes = APIRouter(tags=["workspaces"])
    routes.add_api_route(
        "/v1/workspaces",
        create_workspace,
        methods=["POST"],
        status_code=HTTPStatus.CREATED,
        response_model=NewWorkspace,
        **documented("rootKey", problems=(400, 409, 413, 415, 422)),
    )
    routes.add_api_route(
        "/v1/workspaces",
        list_workspaces,
        methods=["GET"],
        response_model=WorkspaceList,
        **documented("rootKey", problems=(422,)),
    )
    routes.add_api_route(
        "/v1/workspaces/{workspace_id}",
        read_workspace,
        methods=["GET"],
        response_model=Workspace,
        **documented("rootKey", problems=(404, 422)),
    )
    routes.add_api_route(
        "/v1/workspaces/{workspace_id}",
        delete_workspace,
        methods=["DELETE"],
        status_code=HTTPStatus.NO_CONTENT,
        **documented("rootKey", problems=(404, 422)),
    )
    return routes


def settings_routes() -> APIRouter:
    """The routes of backends and admins to their own workspace."""
    routes = APIRouter(tags=["settings"])
    reading = documented("apiKey", "agentToken", problems=(422,))
    reading["responses"][304] = NOT_MODIFIED
    routes.add_api_route(
        "/v1/workspace",
        read_own_workspace,
        methods=["GET"],
        response_model=OwnWorkspace,
        **reading,
    )
    patch = documented("apiKey", "agentToken", problems=(400, 412, 413, 415, 422))
    patch["openapi_extra"]["requestBody"] = {
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/WorkspaceSettings"}}}
    }
    routes.add_api_route(
        "/v1/workspace",
        change_settings,
        methods=["PATCH"],
        response_model=OwnWorkspace,
        **patch,
    )
    return routes


def api_key_routes() -> APIRouter:
    """The routes of backends and admins to the API keys of their workspace."""
    routes = APIRouter(tags=["API keys"])
    routes.add_api_route(
        "/v1/api_keys",
        create_api_key,
        methods=["POST"],
        status_code=HTTPStatus.CREATED,
        response_model=NewApiKey,
        **documented("apiKey", "agentToken", problems=(400, 413, 415, 422)),
    )
    routes.add_api_route(
        "/v1/api_keys",
        list_api_keys,
        methods=["GET"],
        response_model=ApiKeyList,
        **documented("apiKey", "agentToken", problems=(422,)),
    )
    routes.add_api_route(
        "/v1/api_keys/{key_id}",
        read_api_key,
        methods=["GET"],
        response_model=ApiKey,
        **documented("apiKey", "agentToken", problems=(404, 422)),
    )
    routes.add_api_route(
        "/v1/api_keys/{key_id}",
        delete_api_key,
        methods=["DELETE"],
        status_code=HTTPStatus.NO_CONTENT,
        **documented("apiKey", "agentToken", problems=(404, 422)),
    )
    return routes


async def create_workspace(gateway: Gateway, caller: Caller, body: WorkspaceBody) -> Response:
    """Create a workspace. Its first API key is shown here and never again."""
    created = await gateway.workspaces.create(caller, body)
    answer = NewWorkspace(**dict(workspace_of(created.workspace)), api_key=created.api_key)
    headers = {"Location": f"/v1/workspaces/{answer.id}"}
    return json_answer(answer, HTTPStatus.CREATED, headers)


async def list_workspaces(
    gateway: Gateway, caller: Caller, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response:
    """Every workspace, by id."""
    entries, following = await gateway.workspaces.list_page(caller, limit, cursor)
    return json_answer(WorkspaceList(data=[workspace_of(each) for each in entries], next_cursor=following))


async def read_workspace(gateway: Gateway, caller: Caller, workspace_id: WorkspaceInPath) -> Response:
    """One workspace."""
    return json_answer(workspace_of(await gateway.workspaces.read(caller, workspace_id)))


async def delete_workspace(gateway: Gateway, caller: Caller, workspace_id: WorkspaceInPath) -> Response:
    """Delete a workspace with everything provisioned in it. Its keys and tokens open nothing any more."""
    await gateway.workspaces.delete(caller, workspace_id)
    return no_content()


async def read_own_workspace(gateway: Gateway, caller: Caller, preconditions: IfToRead) -> Response:
    """The caller's workspace and its settings, with their version as `ETag`."""
    own = await gateway.workspaces.read_own(caller)
    return read(Versioned(own_workspace_of(own.shown), own.version), preconditions)


async def change_settings(
    gateway: Gateway, caller: Caller, patch: Annotated[dict[str, Any], Body()], preconditions: IfToChange
) -> Response:
    """Change settings: a merge patch (RFC 7396). Null puts a setting back to its default."""
    changed = await gateway.workspaces.change_settings(caller, patch, preconditions)
    return written(Versioned(own_workspace_of(changed.shown), changed.version))


async def create_api_key(gateway: Gateway, caller: Caller, body: ApiKeyBody | None = None) -> Response:
    """Create another API key of the caller's workspace. It is shown here and never again."""
    created = await gateway.api_keys.create(caller, body or ApiKeyBody())
    answer = NewApiKey(**dict(api_key_of(created.entry)), api_key=created.api_key)
    return json_answer(answer, HTTPStatus.CREATED, {"Location": f"/v1/api_keys/{answer.id}"})


async def list_api_keys(
    gateway: Gateway, caller: Caller, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response:
    """The workspace's API keys, without the keys themselves."""
    entries, following = await gateway.api_keys.list_page(caller, limit, cursor)
    return json_answer(ApiKeyList(data=[api_key_of(each) for each in entries], next_cursor=following))


async def read_api_key(gateway: Gateway, caller: Caller, key_id: ApiKeyInPath) -> Response:
    """One API key, without the key itself."""
    return json_answer(api_key_of(await gateway.api_keys.read(caller, key_id)))


async def delete_api_key(gateway: Gateway, caller: Caller, key_id: ApiKeyInPath) -> Response:
    """Delete an API key, also the one this call is made with. It opens nothing any more."""
    await gateway.api_keys.delete(caller, key_id)
    return no_content()
